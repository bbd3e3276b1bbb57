import { plainTools, type Tools } from '../../../lambda/runtime/tools';

/** Time that passes only when told to, or when a step sleeps. */
export class FakeClock {
  private ms: number;

  constructor(start = '2030-01-01T00:00:00.000Z') {
    this.ms = Date.parse(start);
  }

  now(): string {
    return new Date(this.ms).toISOString();
  }

  advance(seconds: number): void {
    this.ms += Math.round(seconds * 1000);
  }

  tools(change: Partial<Tools> = {}): Tools {
    return plainTools({
      now: () => this.now(),
      sleep: (seconds) => {
        this.advance(seconds);
        return Promise.resolve();
      },
      ...change,
    });
  }
}
