import { Duration } from 'aws-cdk-lib';
import { knownSeconds } from '../policies/duration';

/** Options of `Repair.inSource()`. */
export interface RepairOptions {
  /** How long the replaced machine, stopped, is kept. At least 1 hour. @default Duration.days(7) */
  readonly keepReplaced?: Duration;
}

/** How a machine that failed alone is replaced in the source Region. */
export class Repair {
  static inSource(options: RepairOptions = {}): Repair {
    const keep = knownSeconds('keepReplaced of a repair', options.keepReplaced ?? Duration.days(7));
    if (keep < 3600) throw new Error(`keepReplaced of a repair must be at least 1 hour, got ${keep} seconds.`);
    return new Repair(options, keep);
  }

  private constructor(/** @internal */ readonly _options: RepairOptions, /** @internal */ readonly _keepSeconds: number) {}
}
