import type { Duration } from 'aws-cdk-lib';
import type { RetentionConfig } from '../../lambda/core/config';
import { knownSeconds, wholeNumber } from './duration';

/** How many recovery points stay per period. A recovery point stays when any of the periods keeps it. */
export interface TieredRetention {
  /** First recovery point of each of the latest hours that have one, this many. @default 0 */
  readonly hourly?: number;
  /** First recovery point of each of the latest days that have one, this many. @default 0 */
  readonly daily?: number;
  /** First recovery point of each of the latest weeks that have one, this many. @default 0 */
  readonly weekly?: number;
  /** First recovery point of each of the latest months that have one, this many. @default 0 */
  readonly monthly?: number;
  /** First recovery point of each of the latest years that have one, this many. @default 0 */
  readonly yearly?: number;
}

/**
 * Which recovery points of a machine stay. Whatever the policy says, the newest complete one and those that a recovery run
 * is using are never removed.
 */
export abstract class RetentionPolicy {
  /**
   * The newest ones.
   * @param count at least 1
   * @throws Error when it would keep nothing
   */
  static keepLast(count: number): RetentionPolicy {
    return new Retention({ kind: 'last', count: wholeNumber('RetentionPolicy.keepLast()', count, 1) });
  }

  /**
   * Those younger than an age.
   * @param age at least 1 minute
   * @throws Error when it would keep nothing
   */
  static keepFor(age: Duration): RetentionPolicy {
    const seconds = knownSeconds('The age of RetentionPolicy.keepFor()', age);
    if (seconds < 60) throw new Error(`RetentionPolicy.keepFor() takes at least 1 minute, got ${age.toHumanString()}: nothing would be kept.`);
    return new Retention({ kind: 'for', seconds: Math.floor(seconds) });
  }

  /**
   * The first of each period (UTC), by tiers. The first and not the last, so that a point once kept for its day is not
   * replaced as the day goes on; periods without a point do not count, so time alone removes nothing.
   * @throws Error when all tiers are 0, which would keep nothing
   */
  static tiered(tiers: TieredRetention): RetentionPolicy {
    const count = (tier: keyof TieredRetention): number => wholeNumber(`RetentionPolicy.tiered() ${tier}`, tiers[tier] ?? 0, 0);
    const config = {
      kind: 'tiered' as const,
      hourly: count('hourly'), daily: count('daily'), weekly: count('weekly'), monthly: count('monthly'), yearly: count('yearly'),
    };
    const kept = config.hourly + config.daily + config.weekly + config.monthly + config.yearly;
    if (kept === 0) throw new Error('RetentionPolicy.tiered() with all tiers 0 keeps nothing. Give at least one tier of 1 or more.');
    return new Retention(config);
  }

  /** @internal */
  abstract _toConfig(): RetentionConfig;
}

class Retention extends RetentionPolicy {
  constructor(private readonly config: RetentionConfig) {
    super();
  }

  override _toConfig(): RetentionConfig {
    return this.config;
  }
}
