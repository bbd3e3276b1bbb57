import { Token, type Duration } from 'aws-cdk-lib';

/** Throws when a duration is a token: schedules and state machines need the number at synthesis. */
export function knownSeconds(what: string, duration: Duration): number {
  if (duration.isUnresolved()) throw new Error(`${what} must be known at synthesis; give a literal Duration.`);
  return duration.toSeconds({ integral: false });
}

/** Throws unless `value` is a whole number of at least `minimum`; tokens are refused too. */
export function wholeNumber(what: string, value: number, minimum: number): number {
  if (Token.isUnresolved(value)) throw new Error(`${what} must be known at synthesis; give a literal number.`);
  if (!Number.isSafeInteger(value) || value < minimum) throw new Error(`${what} must be a whole number of at least ${minimum}, got ${value}.`);
  return value;
}
