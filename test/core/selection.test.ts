import fc from 'fast-check';
import type { PointSelection, RecoveryPoint, RecoveryPointState } from '../../lambda/core/model';
import { canRecover } from '../../lambda/core/point-state';
import { selectPoints } from '../../lambda/core/selection';
import { aCompletePoint, at, T0 } from './builders';

const MEMBERS = ['a/1', 'b/1', 'c/1'].map((memberId) => ({ memberId }));
const STATES: RecoveryPointState[] = ['COMPLETE', 'COMPLETE', 'COMPLETE', 'COPYING', 'EXPIRED', 'FAILED'];

/** Ids whose order says nothing about the order in time. */
const idOf = (cycle: number) => `p-${(cycle * 7 + 3) % 10}`;

/** Histories of cycles a minute apart, in which each member's set is some seconds late, or missing, or not complete. */
const histories = fc.array(fc.tuple(...MEMBERS.map(() => fc.record({ there: fc.boolean(), late: fc.nat(20), state: fc.constantFrom(...STATES) }))), { maxLength: 6 }).map((cycles) =>
  new Map(
    MEMBERS.map(({ memberId }, index) => [
      memberId,
      cycles.flatMap((cycle, number) => {
        const { there, late, state } = cycle[index]!;
        return there ? [aCompletePoint(at(number * 60 + late), { memberId, state, cycleId: `c-${number}`, pointId: idOf(number) })] : [];
      }),
    ]),
  ),
);
const selections: fc.Arbitrary<PointSelection> = fc.oneof(
  fc.constant<PointSelection>({ kind: 'newest' }),
  fc.constant<PointSelection>({ kind: 'newest-common' }),
  fc.nat(400).map((seconds): PointSelection => ({ kind: 'before', time: at(seconds) })),
);
const usable = (points: readonly RecoveryPoint[] = []) => points.filter(canRecover);
const ms = (point: RecoveryPoint) => Date.parse(point.consistentAt!);

test('each member has a complete point of its own or a reason, and nothing chosen is later than the instant', () => {
  fc.assert(
    fc.property(histories, selections, (history, selection) => {
      const { chosen, missing, instant } = selectPoints(MEMBERS, history, selection);
      expect([...chosen.keys(), ...missing.map((each) => each.memberId)].sort()).toEqual(MEMBERS.map((each) => each.memberId));
      for (const [memberId, point] of chosen) {
        expect(usable(history.get(memberId))).toContain(point);
        if (instant !== undefined) expect(ms(point)).toBeLessThanOrEqual(Date.parse(instant));
      }
      for (const { reason } of missing) expect(reason).toMatch(/^it has no complete recovery point/);
    }),
    { numRuns: 500 },
  );
});

test('the choice does not depend on the order of members or points', () => {
  fc.assert(
    fc.property(histories, selections, (history, selection) => {
      const forth = selectPoints(MEMBERS, history, selection);
      const turned = new Map([...history].reverse().map(([memberId, points]) => [memberId, [...points].reverse()]));
      const back = selectPoints([...MEMBERS].reverse(), turned, selection);
      for (const { memberId } of MEMBERS) expect(back.chosen.get(memberId)).toBe(forth.chosen.get(memberId));
      expect(back.instant).toBe(forth.instant);
    }),
  );
});

test('newest and before: nothing newer would have been allowed', () => {
  fc.assert(
    fc.property(histories, fc.option(fc.nat(400)), (history, before) => {
      const selection: PointSelection = before === null ? { kind: 'newest' } : { kind: 'before', time: at(before) };
      const { chosen } = selectPoints(MEMBERS, history, selection);
      for (const { memberId } of MEMBERS) {
        const allowed = usable(history.get(memberId)).filter((point) => before === null || ms(point) < T0 + before * 1000);
        const best = Math.max(...allowed.map(ms));
        expect(chosen.has(memberId) ? ms(chosen.get(memberId)!) : -Infinity).toBe(best);
      }
    }),
    { numRuns: 500 },
  );
});

test('newest-common: the member that is furthest behind has its newest, and members that share its cycle get that cycle', () => {
  fc.assert(
    fc.property(histories, (history) => {
      const { chosen, instant } = selectPoints(MEMBERS, history, { kind: 'newest-common' });
      const withPoints = MEMBERS.filter(({ memberId }) => usable(history.get(memberId)).length > 0);
      if (withPoints.length === 0) {
        expect(instant).toBeUndefined();
        return;
      }
      const cycleOf = (point: RecoveryPoint) => Number(point.cycleId.slice(2));
      const newestCycles = withPoints.map(({ memberId }) => Math.max(...usable(history.get(memberId)).map(cycleOf)));
      const common = Math.min(...newestCycles);
      for (const { memberId } of withPoints) {
        const allowed = usable(history.get(memberId)).map(cycleOf).filter((cycle) => cycle <= common);
        expect(chosen.has(memberId) ? cycleOf(chosen.get(memberId)!) : -Infinity).toBe(Math.max(...allowed));
      }
    }),
    { numRuns: 500 },
  );
});

describe('newest-common', () => {
  const point = (memberId: string, cycle: number, seconds: number) => aCompletePoint(at(seconds), { memberId, cycleId: `c-${cycle}`, pointId: `p-${cycle}` });

  test('takes one cycle for all, though its sets are seconds apart', () => {
    const points = new Map([
      ['a/1', [point('a/1', 1, 1), point('a/1', 2, 301)]],
      ['b/1', [point('b/1', 1, 3), point('b/1', 2, 303)]],
    ]);
    const { chosen, instant } = selectPoints(MEMBERS.slice(0, 2), points, { kind: 'newest-common' });
    expect([...chosen.values()].map((each) => each.cycleId)).toEqual(['c-2', 'c-2']);
    expect(instant).toBe(at(303));
  });

  test('goes back to the last cycle that the slowest member has', () => {
    const points = new Map([
      ['a/1', [point('a/1', 1, 1), point('a/1', 2, 301), point('a/1', 3, 601)]],
      ['b/1', [point('b/1', 1, 3), point('b/1', 3, 603)]],
      ['c/1', [point('c/1', 1, 5)]],
    ]);
    const { chosen, instant } = selectPoints(MEMBERS, points, { kind: 'newest-common' });
    expect([...chosen.values()].map((each) => each.cycleId)).toEqual(['c-1', 'c-1', 'c-1']);
    expect(instant).toBe(at(5));
  });

  test('keeps to whole cycles when a late one overlaps the next', () => {
    const points = new Map([
      ['a/1', [point('a/1', 1, 1), point('a/1', 2, 50)]],
      ['b/1', [point('b/1', 1, 60)]],
      ['c/1', [point('c/1', 1, 2), point('c/1', 2, 110)]],
    ]);
    expect([...selectPoints(MEMBERS, points, { kind: 'newest-common' }).chosen.values()].map((each) => each.cycleId)).toEqual(['c-1', 'c-1', 'c-1']);
  });

  test('a member without any point does not hold the others back', () => {
    const { chosen, missing } = selectPoints(MEMBERS.slice(0, 2), new Map([['a/1', [point('a/1', 1, 1)]]]), { kind: 'newest-common' });
    expect([...chosen.keys()]).toEqual(['a/1']);
    expect(missing).toEqual([{ memberId: 'b/1', reason: 'it has no complete recovery point' }]);
  });

  test('a member whose history begins after the common instant is missing, and says when it begins', () => {
    const points = new Map([['a/1', [point('a/1', 1, 1)]], ['b/1', [point('b/1', 2, 301)]]]);
    const { missing } = selectPoints(MEMBERS.slice(0, 2), points, { kind: 'newest-common' });
    expect(missing).toEqual([{ memberId: 'b/1', reason: `it has no complete recovery point at or before the common instant ${at(1)}; its earliest shows ${at(301)}` }]);
  });
});

test('of two points of one instant it is always the same one', () => {
  const twins = ['p-1', 'p-2'].map((pointId) => aCompletePoint(at(0), { memberId: 'a/1', pointId }));
  for (const points of [twins, [...twins].reverse()]) {
    expect(selectPoints(MEMBERS.slice(0, 1), new Map([['a/1', points]]), { kind: 'newest' }).chosen.get('a/1')?.pointId).toBe('p-2');
  }
});

test('before means before: a point of that very instant is too late', () => {
  const points = new Map([['a/1', [aCompletePoint(at(100), { memberId: 'a/1' })]]]);
  expect(selectPoints(MEMBERS.slice(0, 1), points, { kind: 'before', time: at(100) }).missing[0]?.reason).toContain(`before ${at(100)}`);
});

test('a time that cannot be read is refused', () => {
  expect(() => selectPoints(MEMBERS, new Map(), { kind: 'before', time: 'noon' })).toThrow('ISO 8601');
});
