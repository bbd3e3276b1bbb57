import fc from 'fast-check';
import type { RetentionConfig } from '../../lambda/core/config';
import { bucketOf, retain, retentionProblems, TIERS, type RetainedPoint, type Tier } from '../../lambda/core/retention';
import { at, T0 } from './builders';

const HOUR = 3600;
const DAY = 24 * HOUR;

const tiered = (tiers: Partial<Record<Tier, number>>): RetentionConfig => ({ kind: 'tiered', hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0, ...tiers });

/** The same buckets by other means: the calendar's own getters, and the Thursday rule of ISO weeks. */
function calendarBucket(time: string, tier: Tier): string {
  const date = new Date(time);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  if (tier === 'hourly') return `${year}/${month}/${day}/${date.getUTCHours()}`;
  if (tier === 'daily') return `${year}/${month}/${day}`;
  if (tier === 'monthly') return `${year}/${month}`;
  if (tier === 'yearly') return `${year}`;
  const thursday = new Date(Date.UTC(year, month, day + 4 - (date.getUTCDay() || 7)));
  const week = Math.ceil(((thursday.getTime() - Date.UTC(thursday.getUTCFullYear(), 0, 1)) / 86_400_000 + 1) / 7);
  return `${thursday.getUTCFullYear()} week ${week}`;
}

/** What a policy promises of a history, oldest point first, written down point by point. */
function promised(history: readonly RetainedPoint[], policy: RetentionConfig, now: string): Set<string> {
  const kept = new Set<string>(history.slice(-1).map((point) => point.pointId));
  history.forEach((point, index) => {
    if (point.pinned) kept.add(point.pointId);
    if (policy.kind === 'last' && history.length - index <= policy.count) kept.add(point.pointId);
    if (policy.kind === 'for' && Date.parse(now) - Date.parse(point.at) < policy.seconds * 1000) kept.add(point.pointId);
    if (policy.kind !== 'tiered') return;
    for (const tier of TIERS) {
      const bucket = calendarBucket(point.at, tier);
      const isFirst = !history.slice(0, index).some((earlier) => calendarBucket(earlier.at, tier) === bucket);
      const later = new Set(history.slice(index).map((each) => calendarBucket(each.at, tier)));
      later.delete(bucket);
      if (isFirst && later.size < policy[tier]) kept.add(point.pointId);
    }
  });
  return kept;
}

const policies: fc.Arbitrary<RetentionConfig> = fc.oneof(
  fc.record({ kind: fc.constant('last' as const), count: fc.integer({ min: 1, max: 20 }) }),
  fc.record({ kind: fc.constant('for' as const), seconds: fc.integer({ min: 60, max: 60 * DAY }) }),
  fc.record({
    kind: fc.constant('tiered' as const),
    hourly: fc.nat(30), daily: fc.nat(10), weekly: fc.nat(6), monthly: fc.nat(6), yearly: fc.nat(3),
  }),
);

/** Gaps between points from seconds to months, so that every tier has full, sparse and empty buckets. */
const gaps = fc.array(fc.oneof(fc.integer({ min: 1, max: HOUR }), fc.integer({ min: 1, max: DAY }), fc.integer({ min: 1, max: 100 * DAY })), { minLength: 1, maxLength: 60 });

const histories = fc.tuple(fc.integer({ min: 0, max: 800 * DAY }), gaps, fc.infiniteStream(fc.integer({ min: 0, max: 9 }))).map(([start, steps, pins]) => {
  let seconds = start;
  return steps.map((gap, index): RetainedPoint => {
    seconds += gap;
    return { pointId: `p-${index}`, at: at(seconds), pinned: pins.next().value === 0 };
  });
});

const nowAfter = (history: readonly RetainedPoint[], extra = 0) => new Date(Date.parse(history.at(-1)!.at) + extra * 1000).toISOString();

test('keeps exactly what the policy promises, and the newest and the pinned always', () => {
  fc.assert(
    fc.property(histories, policies, fc.nat(40 * DAY), (history, policy, extra) => {
      const now = nowAfter(history, extra);
      const { keep, reasons } = retain(history, policy, now);
      expect(keep).toEqual(promised(history, policy, now));
      expect(keep).toContain(history.at(-1)!.pointId);
      for (const point of history) if (point.pinned) expect(keep).toContain(point.pointId);
      expect(new Set(reasons.keys())).toEqual(keep);
    }),
    { numRuns: 500 },
  );
});

test('pruning after any of the arrivals, as cycles do, keeps what pruning once would keep', () => {
  fc.assert(
    fc.property(histories, policies, fc.infiniteStream(fc.boolean()), (history, policy, prunes) => {
      let held: RetainedPoint[] = [];
      history.forEach((point, index) => {
        held.push(point);
        const seen = history.slice(0, index + 1);
        if (!prunes.next().value && index < history.length - 1) return;
        const { keep } = retain(held, policy, point.at);
        held = held.filter((each) => keep.has(each.pointId));
        expect(keep).toEqual(promised(seen, policy, point.at));
      });
    }),
    { numRuns: 300 },
  );
});

test('points that arrive late and out of order still leave one in every promised bucket', () => {
  const shuffled = histories.chain((history) => fc.shuffledSubarray(history, { minLength: history.length }));
  const tiers = policies.filter((policy) => policy.kind === 'tiered');
  fc.assert(
    fc.property(shuffled, tiers, (arrivals, policy) => {
      let held: RetainedPoint[] = [];
      arrivals.forEach((point, index) => {
        held.push(point);
        const { keep } = retain(held, policy, point.at);
        held = held.filter((each) => keep.has(each.pointId));
        if (policy.kind !== 'tiered') return;
        const newestFirst = arrivals.slice(0, index + 1).map((each) => each.at).sort().reverse();
        for (const tier of TIERS) {
          const buckets = [...new Set(newestFirst.map((time) => calendarBucket(time, tier)))].slice(0, policy[tier]);
          const present = new Set(held.map((each) => calendarBucket(each.at, tier)));
          for (const bucket of buckets) expect(present).toContain(bucket);
        }
      });
    }),
    { numRuns: 200 },
  );
});

test('the order of the input does not matter', () => {
  const together = fc.array(fc.record({ at: fc.nat(5).map((n) => at(n * HOUR)) }), { minLength: 1, maxLength: 20 }).map((all) => all.map((each, index) => ({ ...each, pointId: `p-${index}` })));
  fc.assert(
    fc.property(together.chain((points) => fc.tuple(fc.constant(points), fc.shuffledSubarray(points, { minLength: points.length }))), policies, ([points, shuffled], policy) => {
      const now = at(10 * HOUR);
      expect(retain(shuffled, policy, now).keep).toEqual(retain(points, policy, now).keep);
    }),
  );
});

test('time alone takes nothing away from counts and tiers: when protection stops, the history stays', () => {
  const counted = policies.filter((policy) => policy.kind !== 'for');
  fc.assert(
    fc.property(histories, counted, fc.nat(2000 * DAY), (history, policy, extra) => {
      expect(retain(history, policy, nowAfter(history, extra)).keep).toEqual(retain(history, policy, nowAfter(history)).keep);
    }),
  );
});

test('every 15 minutes for two years: what is held on each day', () => {
  const policy = tiered({ hourly: 24, daily: 7, weekly: 4, monthly: 12 });
  let held: RetainedPoint[] = [];
  let daily: RetainedPoint | undefined;
  for (let seconds = 0; seconds < 730 * DAY; seconds += 15 * 60) {
    const point = { pointId: `p-${seconds}`, at: at(seconds) };
    if (seconds % DAY === 0) daily = point;
    held.push(point);
    // Pruned at odd hours only: a missed prune must not matter.
    if (seconds % (5 * HOUR) !== 0 && seconds % DAY !== 85_500) continue;
    const { keep } = retain(held, policy, point.at);
    held = held.filter((each) => keep.has(each.pointId));
    expect(held).toContain(daily);
    if (seconds % DAY !== 85_500 || seconds < 400 * DAY) continue;
    const distinct = (tier: Tier) => new Set(held.map((each) => calendarBucket(each.at, tier))).size;
    expect(distinct('monthly')).toBeGreaterThanOrEqual(12);
    expect(distinct('weekly')).toBeGreaterThanOrEqual(4);
    expect(distinct('daily')).toBeGreaterThanOrEqual(7);
    expect(distinct('hourly')).toBeGreaterThanOrEqual(24);
    expect(held.length).toBeLessThanOrEqual(24 + 7 + 4 + 12 + 1);
  }
});

test('says why a point stays', () => {
  const points = [{ pointId: 'a', at: at(0), pinned: true }, { pointId: 'b', at: at(HOUR) }];
  const { reasons } = retain(points, tiered({ hourly: 1, daily: 1 }), at(DAY));
  expect(Object.fromEntries(reasons)).toEqual({ a: 'pinned, daily 2030-01-01', b: 'newest, hourly 2030-01-01T01' });
});

test('a point exactly as old as the limit is no longer younger', () => {
  const points = [{ pointId: 'old', at: at(0) }, { pointId: 'young', at: at(1) }, { pointId: 'newest', at: at(9) }];
  expect(retain(points, { kind: 'for', seconds: 10 }, at(10)).keep).toEqual(new Set(['young', 'newest']));
});

test('nothing to keep of nothing', () => {
  expect(retain([], { kind: 'last', count: 3 }, at(0)).keep.size).toBe(0);
});

test('an unreadable time stops retention: nothing is deleted on a guess', () => {
  expect(() => retain([{ pointId: 'a', at: 'yesterday' }], { kind: 'last', count: 1 }, at(0))).toThrow('is not a time');
});

test('ISO weeks begin on Monday 00:00 UTC, also before 1970', () => {
  expect(bucketOf(Date.parse('2030-01-06T23:59:59Z'), 'weekly')).toBe('week of 2029-12-31');
  expect(bucketOf(Date.parse('2030-01-07T00:00:00Z'), 'weekly')).toBe('week of 2030-01-07');
  expect(bucketOf(Date.parse('1969-12-28T12:00:00Z'), 'weekly')).toBe('week of 1969-12-22');
  fc.assert(
    fc.property(fc.integer({ min: -3000 * DAY, max: 3000 * DAY }), fc.integer({ min: 0, max: 9 * DAY }), (start, gap) => {
      const [a, b] = [T0 + start * 1000, T0 + (start + gap) * 1000];
      const same = calendarBucket(new Date(a).toISOString(), 'weekly') === calendarBucket(new Date(b).toISOString(), 'weekly');
      expect(bucketOf(a, 'weekly') === bucketOf(b, 'weekly')).toBe(same);
    }),
  );
});

test.each<[RetentionConfig, string | undefined]>([
  [{ kind: 'last', count: 1 }, undefined],
  [{ kind: 'last', count: 0 }, 'keeps nothing'],
  [{ kind: 'last', count: 1.5 }, 'whole number'],
  [{ kind: 'last', count: -1 }, 'whole number'],
  [{ kind: 'for', seconds: 1 }, undefined],
  [{ kind: 'for', seconds: 0 }, 'longer than 0'],
  [tiered({ yearly: 1 }), undefined],
  [tiered({}), 'keeps nothing'],
  [tiered({ daily: -2, hourly: 1 }), 'daily must be a whole number'],
])('problems of %j: %s', (policy, problem) => {
  const problems = retentionProblems(policy);
  if (problem === undefined) expect(problems).toEqual([]);
  else expect(problems.join()).toContain(problem);
});
