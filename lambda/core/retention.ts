import type { RetentionConfig } from './config';
import { epochMs } from './time';

/** A complete recovery point as retention sees it. `at` is the instant that it shows (`consistentAt`). */
export interface RetainedPoint {
  readonly pointId: string;
  readonly at: string;
  readonly pinned?: boolean;
}

export interface Retained {
  readonly keep: Set<string>;
  /** Why each kept point is kept, by point id. */
  readonly reasons: Map<string, string>;
}

export type Tier = 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly';
export const TIERS: readonly Tier[] = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'];

const DAY_MS = 86_400_000;
/** 1970-01-01 was a Thursday: three days into its ISO week, which begins on Monday. */
const EPOCH_WEEKDAY = 3;

interface Dated {
  readonly pointId: string;
  readonly ms: number;
}

/**
 * Which points of one member stay. The newest point and pinned ones always do, whatever the policy says.
 *
 * Tiers count UTC hours, days, ISO weeks, months and years *that have a point*, newest first, and keep the **first**
 * point of each. Both choices make a promise that time alone cannot break:
 * - The first point of a day is known to be the first when it is taken, and nothing later takes its place. What is
 *   kept as the daily point at noon is still the daily point at night and six days on. (The last point of a day would
 *   change with every cycle until midnight.) A day's first point is first in its hour as well, a month's first in its
 *   day, so a point lives through the finer tiers until the coarser one alone keeps it: pruning after every cycle keeps
 *   exactly what pruning the whole history once would have kept.
 * - Hours without a point do not count. When protection stops, for lack of a source Region or by an attacker's hand,
 *   the history stays as it is instead of ageing away.
 */
export function retain(points: readonly RetainedPoint[], policy: RetentionConfig, now: string): Retained {
  const reasons = new Map<string, string[]>();
  const keep = (pointId: string, reason: string) => {
    const known = reasons.get(pointId);
    if (known === undefined) reasons.set(pointId, [reason]);
    else known.push(reason);
  };
  const newestFirst = points.map(({ pointId, at }) => ({ pointId, ms: epochMs(at) })).sort(byAge);
  if (newestFirst[0] !== undefined) keep(newestFirst[0].pointId, 'newest');
  for (const point of points) if (point.pinned === true) keep(point.pointId, 'pinned');
  switch (policy.kind) {
    case 'last':
      for (const { pointId } of newestFirst.slice(0, policy.count)) keep(pointId, `last ${policy.count}`);
      break;
    case 'for': {
      const oldest = epochMs(now) - policy.seconds * 1000;
      for (const { pointId, ms } of newestFirst) if (ms > oldest) keep(pointId, `younger than ${policy.seconds} s`);
      break;
    }
    case 'tiered':
      for (const tier of TIERS) {
        for (const [bucket, pointId] of firstOfEach(newestFirst, tier, policy[tier])) keep(pointId, `${tier} ${bucket}`);
      }
  }
  return {
    keep: new Set(reasons.keys()),
    reasons: new Map([...reasons].map(([pointId, why]) => [pointId, why.join(', ')])),
  };
}

/** What is wrong with a policy, in words; empty when nothing is. */
export function retentionProblems(policy: RetentionConfig): string[] {
  const whole = (name: string, value: number) => (Number.isInteger(value) && value >= 0 ? [] : [`${name} must be a whole number of at least 0, is ${value}`]);
  switch (policy.kind) {
    case 'last':
      return policy.count === 0 ? ['a policy that keeps the last 0 recovery points keeps nothing'] : whole('count', policy.count);
    case 'for':
      return policy.seconds > 0 ? [] : [`the time that recovery points are kept must be longer than 0 s, is ${policy.seconds} s`];
    case 'tiered': {
      const problems = TIERS.flatMap((tier) => whole(tier, policy[tier]));
      return TIERS.every((tier) => policy[tier] === 0) ? ['a tiered policy with no tier above 0 keeps nothing'] : problems;
    }
  }
}

/** The UTC hour, day, ISO week, month or year of an instant, as sortable text. */
export function bucketOf(ms: number, tier: Tier): string {
  const iso = new Date(ms).toISOString();
  switch (tier) {
    case 'hourly':
      return iso.slice(0, 13);
    case 'daily':
      return iso.slice(0, 10);
    case 'weekly': {
      const day = Math.floor(ms / DAY_MS);
      const monday = day - ((((day + EPOCH_WEEKDAY) % 7) + 7) % 7);
      return `week of ${new Date(monday * DAY_MS).toISOString().slice(0, 10)}`;
    }
    case 'monthly':
      return iso.slice(0, 7);
    case 'yearly':
      return iso.slice(0, 4);
  }
}

/** Newest first; two points of one instant in the order of their ids, so that the answer never depends on the input's order. */
function byAge(a: Dated, b: Dated): number {
  return b.ms - a.ms || (a.pointId < b.pointId ? 1 : -1);
}

/** The first point of each of the newest `count` buckets that have one. */
function firstOfEach(newestFirst: readonly Dated[], tier: Tier, count: number): Map<string, string> {
  const first = new Map<string, string>();
  for (const { pointId, ms } of newestFirst) {
    const bucket = bucketOf(ms, tier);
    if (!first.has(bucket) && first.size >= count) break;
    first.set(bucket, pointId);
  }
  return first;
}
