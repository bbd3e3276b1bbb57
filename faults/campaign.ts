import { attempt, type Row } from './attempt';
import { finale } from './finale';
import type { Recording } from './plan';
import { allTries, sampled, type Try } from './plan';
import { PHASES, record, warmUp, type Phase } from './phases';
import { Stage } from './stage';

export interface CampaignOptions {
  /** Chooses the sample and its order. */
  readonly seed: number;
  /** Ends after so long, not counting a try in progress. @default - no limit */
  readonly minutes?: number;
  /** Ends after so many tries. @default - all */
  readonly tries?: number;
  /** Only tries that this says yes to. @default all */
  readonly only?: (one: Try) => boolean;
  /** @default all */
  readonly phases?: readonly Phase[];
  /** Wait until a cycle also deletes what has expired, and at the end until everything that has ended is gone; two minutes in all. @default true */
  readonly wholly?: boolean;
  readonly onNote?: (text: string) => void;
  readonly onRow?: (row: Row) => void;
}

export interface CampaignResult {
  /** Disturbed executions. */
  readonly tried: number;
  /** How many there would be in all. */
  readonly possible: number;
  readonly violations: number;
  readonly rows: readonly Row[];
}

/** The emulator keeps every execution and every instance: after so many tries a fresh one is faster. */
const TRIES_PER_STAGE = 150;

/** Records what each phase calls, then disturbs each call in turn, in every way that applies to it. */
export async function campaign(options: CampaignOptions): Promise<CampaignResult> {
  return new Campaign(options).run();
}

class Campaign {
  private readonly rows: Row[] = [];
  private readonly phases: readonly Phase[];
  private readonly wholly: boolean;
  private stage: Stage | undefined;
  private onStage = 0;

  constructor(private readonly options: CampaignOptions) {
    this.phases = options.phases ?? PHASES;
    this.wholly = options.wholly ?? true;
  }

  async run(): Promise<CampaignResult> {
    const { seed, minutes = Infinity, tries: most = Infinity, only = () => true } = this.options;
    const began = Date.now();
    try {
      const recordings: Recording[] = [];
      let stage = await this.fresh();
      for (const phase of this.phases) recordings.push(await record(stage, phase));
      const all = recordings.flatMap(allTries);
      const order = sampled(all.filter(only), seed);
      this.note(`${recordings.map(({ phase, calls, states }) => `${phase}: ${calls.length} calls, ${states.length} states`).join('; ')}; ${all.length} tries possible`);
      const again = new Set<Try>();
      // The order grows while it is gone through: what was not reached comes a second time.
      for (const [index, one] of order.entries()) {
        if (index >= most || Date.now() - began > minutes * 60_000) break;
        if (this.onStage >= TRIES_PER_STAGE) {
          for (const row of await finale(stage, this.wholly)) this.add(row);
          stage = await this.fresh();
        }
        const row = await this.attempt(stage, one, `try-${index}`);
        if (row.outcome === 'not reached' && !again.has(one)) {
          again.add(one);
          order.push(one);
          continue;
        }
        this.add(row);
        // The next try must not be blamed for it.
        if (row.violations.length > 0) stage = await this.fresh();
      }
      for (const row of await finale(stage, this.wholly)) this.add(row);
      const violations = this.rows.reduce((sum, row) => sum + row.violations.length, 0);
      return { tried: this.rows.filter(({ phase }) => phase !== 'end').length, possible: all.length, violations, rows: this.rows };
    } finally {
      await this.stage?.close();
    }
  }

  private async attempt(stage: Stage, one: Try, id: string): Promise<Row> {
    const phase = this.phases.find(({ name }) => name === one.phase);
    if (!phase) throw new Error(`There is no phase ${one.phase}.`);
    this.onStage += 1;
    return attempt(stage, phase, one, id);
  }

  /** A new local cloud with the app deployed, where cycles have run. */
  private async fresh(): Promise<Stage> {
    await this.stage?.close();
    this.note('deploying to a new local cloud');
    this.stage = await Stage.open();
    this.onStage = 0;
    await warmUp(this.stage, this.wholly);
    return this.stage;
  }

  private add(row: Row): void {
    this.rows.push(row);
    this.options.onRow?.(row);
  }

  private note(text: string): void {
    this.options.onNote?.(text);
  }
}
