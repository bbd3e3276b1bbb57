export type LogSource = 'emulator' | 'cdk' | 'function' | 'local-cloud';

/** How the local cloud is. */
export interface LocalCloudOptions {
  /** @default us-east-1 and us-west-2 */
  readonly regions?: readonly string[];
  /** How long a snapshot is pending. @default 0 */
  readonly snapshotSeconds?: number;
  /** How long a copy is pending. @default 0 */
  readonly copySeconds?: number;
  /** How many copies into a Region may be pending at once. @default 20, as on AWS */
  readonly copyLimit?: number;
  /** Judge the calls of functions, state machines, rules and schedules. @default true */
  readonly enforceIam?: boolean;
  /** Fire schedules when they are due; they can be fired by hand in any case. @default true */
  readonly runSchedules?: boolean;
  /** A folder that is given is left in place. @default a new temporary folder */
  readonly stateDir?: string;
  /** Leave the state folder when it stops, e.g. for its logs. @default false */
  readonly keepState?: boolean;
  /** Gets what the processes print. */
  readonly onLog?: (line: string, source: LogSource) => void;
}

export const DEFAULT_REGIONS: readonly string[] = ['us-east-1', 'us-west-2'];

/** The account of the emulator. */
export const ACCOUNT = '123456789012';

