import { violations, type World } from '../../faults/invariants';
import type { RecoveryPoint, RunRecord } from '../../lambda/core/model';
import { Tag } from '../../lambda/core/tags';

const VOLUME = { deviceName: '/dev/xvda', isRoot: true, sourceVolumeId: 'vol-1', sizeGiB: 8, volumeType: 'gp3', deleteOnTermination: true, sourceSnapshotId: 'snap-s', recoverySnapshotId: 'snap-r' };
const POINT: RecoveryPoint = {
  project: 'p', memberId: 'm/i-1', pointId: 'p-1', cycleId: 'c-1', state: 'COMPLETE', createdAt: '2030-01-01T00:00:00Z', volumes: [VOLUME], version: 4,
};
const COPY = { id: 'snap-r', state: 'completed', tags: { [Tag.POINT]: 'p-1', [Tag.COPY_OF]: 'snap-s' } };
const RUN = { runId: 'r-1', mode: 'failover', status: 'SUCCEEDED', waves: [['m/i-1']] } as unknown as RunRecord;
const MACHINE = { id: 'i-9', state: 'running', tags: { [Tag.RUN]: 'r-1', [Tag.MEMBER]: 'm/i-1' } };

const GOOD: World = {
  points: [POINT], returnPoints: [], reopened: [], volumes: [], runs: [RUN], locks: [], leases: [], images: [], machines: [MACHINE], originals: [{ id: 'i-1', state: 'running', tags: {} }],
  source: [{ id: 'snap-s', state: 'completed', tags: { [Tag.POINT]: 'p-1' } }], recovery: [COPY],
};

test('a whole world has no violation, and neither has what is still on its way', () => {
  expect(violations(GOOD, GOOD)).toEqual([]);
  const open = { ...POINT, state: 'CREATING' as const, volumes: [{ ...VOLUME, sourceSnapshotId: undefined, recoverySnapshotId: undefined }] };
  expect(violations({ ...GOOD, points: [open] })).toEqual([]);
});

test.each<[string, Partial<World>, RegExp]>([
  ['a copy that is gone', { recovery: [] }, /^lost recovery point: .*snap-r does not exist/],
  ['a copy that is not complete', { recovery: [{ ...COPY, state: 'pending' }] }, /^lost recovery point: .*pending/],
  ['a disk without a copy', { points: [{ ...POINT, volumes: [{ ...VOLUME, recoverySnapshotId: undefined }] }], recovery: [] }, /^lost recovery point: .*no copy/],
  ['a copy of another point', { recovery: [{ ...COPY, tags: { ...COPY.tags, [Tag.POINT]: 'p-2' } }] }, /^lost recovery point: .*belongs to p-2/],
  ['a copy of another snapshot', { recovery: [{ ...COPY, tags: { ...COPY.tags, [Tag.COPY_OF]: 'snap-x' } }] }, /^mixed recovery point/],
  ['a point that is gone', { points: [], source: [], recovery: [] }, /^lost recovery point: p-1 was COMPLETE and is gone/],
  ['a second copy', { recovery: [COPY, { ...COPY, id: 'snap-2' }] }, /^orphan: snapshot snap-2/],
  ['an image of a run that has ended', { images: [{ id: 'ami-1', tags: { [Tag.RUN]: 'r-1' } }] }, /^orphan: image ami-1/],
  ['a member launched twice', { machines: [MACHINE, { ...MACHINE, id: 'i-8' }] }, /^double launch: m\/i-1 in run r-1: i-9, i-8/],
  ['a lock', { locks: [{ executionArn: 'arn' }] }, /^lock held/],
  ['a lease of a run that has ended', { leases: [{ active: 'recovery', holder: { runId: 'r-1' } }] }, /^lease held/],
  ['a point of the way back without its copy in the source', { returnPoints: [{ ...POINT, pointId: 'p-9', volumes: [{ ...VOLUME, recoverySnapshotId: 'snap-b' }] }] }, /^lost recovery point: .*snap-b does not exist/],
  ['a disk of a failback that is attached to nothing', { volumes: [{ id: 'vol-9', state: 'available', tags: { [Tag.RUN]: 'r-1' } }] }, /^orphan: disk vol-9 of run r-1/],
  ['a pin of a run that has ended', { points: [{ ...POINT, pinnedBy: ['r-1'] }] }, /^pin held: p-1 by run r-1/],
  ['a fenced source that runs', { leases: [{ active: 'recovery', oldSide: 'fenced' }] }, /^two active sides: .*i-1 runs/],
  ['a finished failover while the source is active', { leases: [{ active: 'source' }] }, /^two active sides: .*i-9/],
])('%s is a violation', (_name, change, expected) => {
  const found = violations({ ...GOOD, ...change }, GOOD);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(expected);
});
