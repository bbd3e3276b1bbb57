import type { Duration } from 'aws-cdk-lib';

/** What recovery is expected to achieve. Both are measured and alarmed on or reported; neither is assumed. */
export interface RecoveryObjectives {
  /**
   * Recovery point objective: how old the newest complete recovery point of a machine may be. Measured on completed copies
   * in the recovery Region. Must be longer than the interval of the schedule, since a point becomes usable only once it was
   * copied; below twice the interval there is a warning.
   */
  readonly rpo: Duration;

  /** Recovery time objective: how long a recovery run may take. Part of the evidence of each run. At least 1 minute. */
  readonly rto: Duration;
}
