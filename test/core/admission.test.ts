import fc from 'fast-check';
import { admitCopies, type WaitingCopy } from '../../lambda/core/admission';

const copy = (pointId: string, disk: number, deadline: number, more: Partial<WaitingCopy> = {}): WaitingCopy => ({ pointId, sourceVolumeId: `vol-${disk}`, deadline, sizeGiB: 8, ...more });
const points = (copies: readonly WaitingCopy[]) => copies.map((each) => each.pointId).join('');

const waitingCopies = fc.array(
  fc.record({ pointId: fc.constantFrom(...'ABCDE'), sourceVolumeId: fc.constant(''), deadline: fc.nat(3), sizeGiB: fc.constant(1), begun: fc.boolean() }),
  { maxLength: 12 },
).map((all) => all.map((each, index) => ({ ...each, sourceVolumeId: `vol-${index}` })));

test('never more than the limit, no slot idle while a copy waits, nothing twice', () => {
  fc.assert(
    fc.property(waitingCopies, fc.array(fc.record({ pointId: fc.constantFrom(...'ABCDE') }), { maxLength: 8 }), fc.nat(8), (waiting, inProgress, limit) => {
      const admitted = admitCopies({ waiting, inProgress, limit, now: 0 });
      expect(admitted).toHaveLength(Math.min(waiting.length, Math.max(0, limit - inProgress.length)));
      expect(new Set(admitted).size).toBe(admitted.length);
      for (const each of admitted) expect(waiting).toContain(each);
    }),
    { numRuns: 500 },
  );
});

test('whatever stays has a deadline no earlier than whatever goes', () => {
  fc.assert(
    fc.property(waitingCopies, fc.nat(8), (waiting, limit) => {
      const admitted = admitCopies({ waiting, inProgress: [], limit, now: 0 });
      const left = waiting.filter((each) => !admitted.includes(each));
      for (const out of left) for (const into of admitted) expect(out.deadline).toBeGreaterThanOrEqual(into.deadline);
    }),
    { numRuns: 500 },
  );
});

interface Job {
  readonly release: number;
  readonly deadline: number;
}

/** Whether any schedule of copies that each take one unit meets all deadlines: tries them all. */
function isFeasible(jobs: readonly Job[], limit: number): boolean {
  const known = new Map<string, boolean>();
  const search = (time: number, left: readonly number[]): boolean => {
    if (left.length === 0) return true;
    if (left.some((index) => jobs[index]!.deadline < time + 1)) return false;
    const key = `${time}:${left.join()}`;
    const seen = known.get(key);
    if (seen !== undefined) return seen;
    const ready = left.filter((index) => jobs[index]!.release <= time);
    const result = subsets(ready, limit).some((chosen) => search(time + 1, left.filter((index) => !chosen.includes(index))));
    known.set(key, result);
    return result;
  };
  return search(0, jobs.map((_, index) => index));
}

function subsets(items: readonly number[], most: number): number[][] {
  return items.reduce<number[][]>((all, item) => [...all, ...all.filter((set) => set.length < most).map((set) => [...set, item])], [[]]);
}

test('meets every set of deadlines that any schedule of equally long copies can meet, and never exceeds the limit meanwhile', () => {
  const outcomes = { feasible: 0, infeasible: 0 };
  const jobs = fc.array(fc.record({ release: fc.nat(3), slack: fc.integer({ min: 1, max: 3 }) }).map(({ release, slack }): Job => ({ release, deadline: release + slack })), { minLength: 4, maxLength: 7 });
  fc.assert(
    fc.property(jobs, fc.integer({ min: 1, max: 3 }), fc.nat(2), (all, limit, sets) => {
      let waiting = all.map((job, index) => ({ ...copy(`P${index % (sets + 5)}`, index, job.deadline), release: job.release }));
      let late = 0;
      for (let time = 0; waiting.length > 0; time++) {
        const admitted = admitCopies({ waiting: waiting.filter((each) => each.release <= time), inProgress: [], limit, now: time });
        expect(admitted.length).toBeLessThanOrEqual(limit);
        late += admitted.filter((each) => each.deadline < time + 1).length;
        waiting = waiting.filter((each) => !admitted.includes(each));
      }
      const feasible = isFeasible(all, limit);
      outcomes[feasible ? 'feasible' : 'infeasible']++;
      expect(late === 0).toBe(feasible);
    }),
    { numRuns: 1000 },
  );
  expect(Math.min(outcomes.feasible, outcomes.infeasible)).toBeGreaterThan(50);
});

test('copies that begin and end at any time stay within the limit', () => {
  const fleet = fc.array(fc.record({ arrives: fc.nat(50), lasts: fc.integer({ min: 1, max: 20 }), deadline: fc.nat(100) }), { maxLength: 25 });
  fc.assert(
    fc.property(fleet, fc.integer({ min: 1, max: 5 }), (all, limit) => {
      const ends = new Map<string, number>();
      for (let now = 0; now < 600 && ends.size < all.length; now++) {
        const inProgress = [...ends].filter(([, end]) => end > now).map(([pointId]) => ({ pointId }));
        const waiting = all.flatMap((each, index) => (each.arrives <= now && !ends.has(`P${index}`) ? [copy(`P${index}`, 0, each.deadline)] : []));
        const admitted = admitCopies({ waiting, inProgress, limit, now });
        for (const { pointId } of admitted) ends.set(pointId, now + all[Number(pointId.slice(1))]!.lasts);
        expect(inProgress.length + admitted.length).toBeLessThanOrEqual(limit);
      }
      expect(ends.size).toBe(all.length);
    }),
  );
});

describe('with the same deadline', () => {
  test.each<[string, WaitingCopy[], { pointId: string }[], number, string]>([
    ['a point with a copy in progress comes first', [copy('A', 0, 5), copy('B', 1, 5)], [{ pointId: 'B' }], 2, 'B'],
    ['a point with a finished copy comes first', [copy('A', 0, 5), copy('B', 1, 5, { begun: true })], [], 1, 'B'],
    ['a set that fits goes before one that would be split', [copy('A', 0, 5), copy('A', 1, 5), copy('B', 0, 5), copy('B', 1, 5), copy('C', 0, 5)], [], 3, 'AAC'],
    ['a set is split rather than a slot left idle', [copy('A', 0, 5), copy('A', 1, 5), copy('B', 0, 5), copy('B', 1, 5)], [], 3, 'AAB'],
    ['disks of a set go together however they are mixed', [copy('A', 0, 5), copy('B', 0, 5), copy('A', 1, 5), copy('B', 1, 5)], [], 2, 'AA'],
    ['what was given first goes first', [copy('B', 0, 5), copy('A', 0, 5)], [], 1, 'B'],
  ])('%s', (_, waiting, inProgress, limit, expected) => {
    expect(points(admitCopies({ waiting, inProgress, limit, now: 0 }))).toBe(expected);
  });
});

test('an earlier deadline beats a set already begun', () => {
  expect(points(admitCopies({ waiting: [copy('A', 0, 6, { begun: true }), copy('B', 0, 5)], inProgress: [], limit: 1, now: 0 }))).toBe('B');
});

test('a refused copy waits until its time', () => {
  const waiting = [copy('A', 0, 1, { notBefore: 100 }), copy('B', 0, 2)];
  expect(points(admitCopies({ waiting, inProgress: [], limit: 2, now: 99 }))).toBe('B');
  expect(points(admitCopies({ waiting, inProgress: [], limit: 2, now: 100 }))).toBe('AB');
});
