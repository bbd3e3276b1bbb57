import { epochMs } from './time';

/** Sunday is 0, as `Date.getUTCDay` counts. */
export const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** A time in which nothing is decided, repeated each week. */
export interface MaintenanceWindowConfig {
  /** Days on which it starts. @default every day */
  readonly weekdays?: readonly Weekday[];
  /** `HH:MM` in UTC. */
  readonly startUtc: string;
  /** It may reach into following days. */
  readonly durationMinutes: number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const START = /^([01]\d|2[0-3]):([0-5]\d)$/;

/** Whether the time is `HH:MM`. */
export function isTimeOfDay(text: string): boolean {
  return START.test(text);
}

/** Whether a window is open: from its start on, until its end, which is outside. */
export function inMaintenance(windows: readonly MaintenanceWindowConfig[], now: string): boolean {
  const at = epochMs(now);
  return windows.some((window) => isOpen(window, at));
}

function isOpen({ weekdays, startUtc, durationMinutes }: MaintenanceWindowConfig, at: number): boolean {
  const [, hours, minutes] = START.exec(startUtc) ?? [];
  if (hours === undefined || minutes === undefined) return false;
  const midnight = Math.floor(at / DAY_MS) * DAY_MS;
  const offset = (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
  for (let daysAgo = 0; daysAgo * DAY_MS <= durationMinutes * MINUTE_MS + DAY_MS; daysAgo += 1) {
    const start = midnight - daysAgo * DAY_MS + offset;
    const day = WEEKDAYS[new Date(start).getUTCDay()];
    const chosen = weekdays === undefined || weekdays.length === 0 || (day !== undefined && weekdays.includes(day));
    if (chosen && at >= start && at < start + durationMinutes * MINUTE_MS) return true;
  }
  return false;
}
