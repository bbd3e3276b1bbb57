import { Duration } from 'aws-cdk-lib';
import type { CutoverConfig } from '../../lambda/core/cutover';
import type { ProtectedEndpoint } from '../endpoint/protected-endpoint';
import type { Permission } from '../functions/permissions/permission';
import { knownSeconds } from '../policies/duration';

/** Options of every cutover. */
export interface TrafficCutoverOptions {
  /** Unique in the project; 1 to 64 letters, digits, dots, hyphens, underscores. @default - the kind of the cutover, or the name of the record or function */
  readonly name?: string;
  /**
   * Endpoints of which a run must have recovered its machines before this traffic is moved. A run that has not leaves this
   * cutover out and says so in the evidence.
   * @default - every endpoint that has machines
   */
  readonly requires?: ProtectedEndpoint[];
  /** Time for applying and verifying it, from 10 seconds to 1 hour; the same again for rolling it back. @default Duration.minutes(10) */
  readonly timeout?: Duration;
}

/** What the project needs to know of a cutover. @internal */
export interface BoundCutover {
  readonly config: CutoverConfig;
  readonly permissions: readonly Permission[];
  readonly problems: readonly string[];
  /** Endpoints that it names. */
  readonly endpoints: readonly ProtectedEndpoint[];
  /** What is no error and should be known: an id and a text. */
  readonly warning?: readonly [id: string, text: string];
}

const DEFAULT_TIMEOUT = Duration.minutes(10);
const [SHORTEST, LONGEST] = [Duration.seconds(10), Duration.hours(1)];

/** @internal */
export function commonConfig({ name, requires, timeout = DEFAULT_TIMEOUT }: TrafficCutoverOptions, defaultName: string): Pick<CutoverConfig, 'name' | 'requires' | 'timeoutSeconds'> {
  const seconds = knownSeconds('The timeout of a cutover', timeout);
  if (seconds < SHORTEST.toSeconds() || seconds > LONGEST.toSeconds()) {
    throw new Error(`The timeout of a cutover must be from ${SHORTEST.toHumanString()} to ${LONGEST.toHumanString()}, got ${timeout.toHumanString()}.`);
  }
  return { name: name ?? defaultName, timeoutSeconds: Math.ceil(seconds), ...(requires === undefined ? {} : { requires: requires.map((endpoint) => endpoint.name) }) };
}
