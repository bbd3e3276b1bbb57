import { InvalidTime } from './errors';

/** A date with a time of day and a zone: without the zone, what it means depends on the machine that reads it. */
const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})$/;

/** Milliseconds since 1970 of an ISO 8601 time. */
export function epochMs(time: string): number {
  const ms = ISO_TIME.test(time) ? Date.parse(time) : NaN;
  if (Number.isNaN(ms)) throw new InvalidTime(time);
  return ms;
}

/** Seconds from one time to another; negative when `to` is the earlier one. */
export function secondsBetween(from: string, to: string): number {
  return (epochMs(to) - epochMs(from)) / 1000;
}
