import type { Duration } from 'aws-cdk-lib';
import { isTimeOfDay, WEEKDAYS, type MaintenanceWindowConfig, type Weekday } from '../../lambda/core/maintenance';
import { knownSeconds } from '../policies/duration';

const WEEK_MINUTES = 7 * 24 * 60;

/** A time in which a detector decides nothing, and after which a failure must show anew. */
export class MaintenanceWindow {
  /**
   * Each day.
   * @param startUtc `HH:MM` in UTC
   */
  static daily(startUtc: string, duration: Duration): MaintenanceWindow {
    return MaintenanceWindow.of(undefined, startUtc, duration);
  }

  /**
   * On some days of the week. It may reach into the next day.
   * @param weekdays days on which it starts: `MON` to `SUN`
   * @param startUtc `HH:MM` in UTC
   */
  static weekly(weekdays: ('MON' | 'TUE' | 'WED' | 'THU' | 'FRI' | 'SAT' | 'SUN')[], startUtc: string, duration: Duration): MaintenanceWindow {
    const wrong = weekdays.filter((day) => !WEEKDAYS.includes(day));
    if (weekdays.length === 0 || wrong.length > 0) throw new Error(`A weekly maintenance window needs days out of ${WEEKDAYS.join(', ')}, got ${wrong.join(', ') || 'none'}.`);
    return MaintenanceWindow.of(weekdays, startUtc, duration);
  }

  private static of(weekdays: Weekday[] | undefined, startUtc: string, duration: Duration): MaintenanceWindow {
    if (!isTimeOfDay(startUtc)) throw new Error(`startUtc of a maintenance window must be HH:MM in UTC, got '${startUtc}'.`);
    const minutes = knownSeconds('The duration of a maintenance window', duration) / 60;
    if (minutes < 1 || minutes >= WEEK_MINUTES) throw new Error(`The duration of a maintenance window must be from 1 minute to less than a week, got ${duration.toHumanString()}.`);
    return new MaintenanceWindow({ ...(weekdays === undefined ? {} : { weekdays }), startUtc, durationMinutes: minutes });
  }

  private constructor(
    /** @internal */
    readonly _config: MaintenanceWindowConfig,
  ) {}
}
