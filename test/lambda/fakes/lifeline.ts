/** What a killed process sees of the world. */
export class Killed extends Error {
  override readonly name = 'Killed';
}

export interface KillAt {
  readonly call: number;
  /** `after`: the call does its work and its answer is lost. */
  readonly when: 'before' | 'after';
}

/** One process: counts its port calls, and can be killed at any of them. Afterwards no call of it does anything. */
export class Lifeline {
  calls = 0;
  dead = false;

  constructor(private readonly killAt?: KillAt) {}

  wrap<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, property) => {
        const member: unknown = Reflect.get(target, property);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => this.call(() => (member as (...a: unknown[]) => unknown).apply(target, args));
      },
    });
  }

  wrapAll<T extends Record<string, object>>(ports: T): T {
    return Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, this.wrap(port)])) as T;
  }

  private async call(work: () => unknown): Promise<unknown> {
    this.assertAlive();
    this.calls += 1;
    const mine = this.calls === this.killAt?.call;
    if (mine && this.killAt?.when === 'before') this.dead = true;
    this.assertAlive();
    // Work is done at once, and the answer takes a moment: others of the process run meanwhile.
    const result = await work();
    await new Promise((resolve) => { setImmediate(resolve); });
    if (mine) this.dead = true;
    this.assertAlive();
    return result;
  }

  private assertAlive(): void {
    if (this.dead) throw new Killed('the process was killed');
  }
}
