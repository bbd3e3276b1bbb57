import type { Duration } from 'aws-cdk-lib';
import { knownSeconds } from './duration';

/** EventBridge Scheduler's rate expressions count whole minutes. */
const SECONDS_PER_MINUTE = 60;
/** Above a day the alarms could not tell a missed cycle from a pause: a CloudWatch alarm looks back one day at most. */
const LONGEST_MINUTES = 8 * 60;

/** How often a protection cycle starts. */
export class ProtectionSchedule {
  /**
   * A cycle at a fixed interval. A cycle that is still running when the next one is due is not doubled: the new one ends at
   * once.
   *
   * @param interval whole minutes, from 1 minute (the finest rate of EventBridge Scheduler) to 8 hours (three cycles must
   * fit into the one day that a CloudWatch alarm can look back)
   * @throws Error when the interval is a token, not whole minutes, or outside these limits
   */
  static every(interval: Duration): ProtectionSchedule {
    const minutes = knownSeconds('The interval of ProtectionSchedule.every()', interval) / SECONDS_PER_MINUTE;
    if (!Number.isInteger(minutes) || minutes < 1 || minutes > LONGEST_MINUTES) {
      throw new Error(`ProtectionSchedule.every() takes whole minutes from 1 to ${LONGEST_MINUTES}, got ${interval.toHumanString()}.`);
    }
    return new ProtectionSchedule(interval);
  }

  private constructor(
    /** Time between the starts of two cycles. */
    readonly interval: Duration,
  ) {}
}
