import fc from 'fast-check';
import { admitCopies, type WaitingCopy } from '../../lambda/core/admission';
import { feasibility, predictRpo, type FleetLoad } from '../../lambda/core/prediction';

const loads = fc.record({
  members: fc.integer({ min: 1, max: 12 }),
  volumesPerMember: fc.integer({ min: 1, max: 3 }),
  intervalSeconds: fc.integer({ min: 60, max: 600 }),
  copySeconds: fc.integer({ min: 5, max: 60 }),
  copyConcurrency: fc.integer({ min: 1, max: 10 }),
  snapshotsPerSecond: fc.integer({ min: 1, max: 5 }),
});

/** Cycles played through second by second: the worst age of any member's newest complete point once all have one. */
function played(load: FleetLoad, cycles: number): number {
  const { members, volumesPerMember, intervalSeconds, copySeconds, copyConcurrency, snapshotsPerSecond } = load;
  const newest = Array.from({ length: members }, () => -Infinity);
  let worst = 0;
  let waiting: WaitingCopy[] = [];
  let inProgress: (WaitingCopy & { ends: number })[] = [];
  const open = new Map<string, { member: number; consistentAt: number; left: number }>();
  const snapshotting = Math.ceil(members / snapshotsPerSecond);
  for (let now = 0; now < cycles * intervalSeconds; now++) {
    for (const done of inProgress.filter((each) => each.ends === now)) {
      const point = open.get(done.pointId)!;
      if (--point.left > 0) continue;
      if (newest[point.member]! > -Infinity) worst = Math.max(worst, now - newest[point.member]!);
      newest[point.member] = Math.max(newest[point.member]!, point.consistentAt);
    }
    inProgress = inProgress.filter((each) => each.ends > now);
    const cycle = Math.floor((now - snapshotting) / intervalSeconds);
    if (cycle >= 0 && now - snapshotting === cycle * intervalSeconds) {
      for (let member = 0; member < members; member++) {
        const pointId = `${member}/${cycle}`;
        const consistentAt = cycle * intervalSeconds + Math.floor(member / snapshotsPerSecond);
        open.set(pointId, { member, consistentAt, left: volumesPerMember });
        for (let disk = 0; disk < volumesPerMember; disk++) waiting.push({ pointId, sourceVolumeId: `${disk}`, deadline: newest[member]!, sizeGiB: 1 });
      }
    }
    const admitted = admitCopies({ waiting, inProgress, limit: copyConcurrency, now });
    waiting = waiting.filter((each) => !admitted.includes(each));
    inProgress.push(...admitted.map((each) => ({ ...each, ends: now + copySeconds })));
  }
  return worst;
}

test('a fleet that is called feasible has the predicted RPO when its cycles are played through', () => {
  let played_ = 0;
  fc.assert(
    fc.property(loads, (load) => {
      const { feasible, rpoSeconds } = predictRpo(load);
      if (!feasible) return;
      played_++;
      const worst = played(load, 4);
      // The machine that is copied last was perhaps snapshotted last: that, and rounding to seconds, is the slack.
      expect(worst).toBeLessThanOrEqual(Math.ceil(rpoSeconds));
      expect(worst).toBeGreaterThanOrEqual(rpoSeconds - load.members / load.snapshotsPerSecond - 1);
    }),
    { numRuns: 100 },
  );
  expect(played_).toBeGreaterThan(20);
});

test('more quota never makes it worse, more machines never better', () => {
  fc.assert(
    fc.property(loads, (load) => {
      const { rpoSeconds } = predictRpo(load);
      expect(predictRpo({ ...load, copyConcurrency: load.copyConcurrency + 1 }).rpoSeconds).toBeLessThanOrEqual(rpoSeconds);
      expect(predictRpo({ ...load, snapshotsPerSecond: load.snapshotsPerSecond + 1 }).rpoSeconds).toBeLessThanOrEqual(rpoSeconds);
      expect(predictRpo({ ...load, members: load.members + 1 }).rpoSeconds).toBeGreaterThanOrEqual(rpoSeconds);
    }),
  );
});

const LOAD: FleetLoad = { members: 100, volumesPerMember: 2, intervalSeconds: 300, copySeconds: 20, copyConcurrency: 20, snapshotsPerSecond: 5 };

test.each<[string, Partial<FleetLoad>, number, boolean, string]>([
  ['copies take most of the interval', {}, 300 + 20 + 200, true, 'interval'],
  ['a snapshot takes a while', { snapshotSeconds: 30 }, 300 + 20 + 30 + 200, true, 'interval'],
  ['copies take longer than the interval', { members: 1000 }, 2100 + 200 + 2000, false, 'copies'],
  ['snapshots take longer than the interval', { members: 1000, copySeconds: 1, snapshotsPerSecond: 2 }, 600 + 500 + 100, false, 'snapshots'],
  ['all is done just in time', { copySeconds: 28 }, 300 + 20 + 280, true, 'interval'],
  ['a work list as long as the interval', { copySeconds: 30 }, 300 + 20 + 300, true, 'copies'],
])('%s', (_, change, rpoSeconds, feasible, bottleneck) => {
  expect(predictRpo({ ...LOAD, ...change })).toEqual({ rpoSeconds, feasible, bottleneck });
});

test('an objective that can be kept has no message', () => {
  expect(feasibility(LOAD, 520)).toEqual({ rpoSeconds: 520, feasible: true, bottleneck: 'interval', meetsObjective: true });
});

test.each<[string, Partial<FleetLoad>, number, string]>([
  ['interval', {}, 519, 'shorten the schedule'],
  ['copies', { members: 1000 }, 100_000, 'copyConcurrency'],
  ['snapshots', { members: 1000, copySeconds: 1, snapshotsPerSecond: 2 }, 100_000, 'snapshotsPerSecond'],
])('an objective that the %s cannot keep is refused with advice', (_, change, objective, advice) => {
  const result = feasibility({ ...LOAD, ...change }, objective);
  expect(result.meetsObjective).toBe(false);
  expect(result.message).toContain(advice);
  expect(result.message).toContain(`the predicted RPO is ${result.rpoSeconds} s`);
});
