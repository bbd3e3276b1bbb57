import { Duration } from 'aws-cdk-lib';
import { knownSeconds } from '../policies/duration';

const DEFAULT_TIMEOUT = Duration.seconds(10);
const SHORTEST = Duration.seconds(1);
/** All signals are read at once; the detector has a minute for everything. */
const LONGEST = Duration.seconds(30);

/** Milliseconds that one observation may take. */
export function timeoutMs(timeout: Duration = DEFAULT_TIMEOUT): number {
  const seconds = knownSeconds('timeout of a signal', timeout);
  if (seconds < SHORTEST.toSeconds() || seconds > LONGEST.toSeconds()) {
    throw new Error(`timeout of a signal must be from ${SHORTEST.toHumanString()} to ${LONGEST.toHumanString()}, got ${timeout.toHumanString()}.`);
  }
  return Math.ceil(seconds * 1000);
}

/** Whole seconds of a duration that has a least value. */
export function secondsOf(what: string, duration: Duration, least: Duration): number {
  const seconds = knownSeconds(what, duration);
  if (seconds < least.toSeconds()) throw new Error(`${what} must be at least ${least.toHumanString()}, got ${duration.toHumanString()}.`);
  return Math.ceil(seconds);
}
