import fc from 'fast-check';
import type { RecoveryPoint } from '../../lambda/core/model';
import { isOpen } from '../../lambda/core/point-state';
import { findOrphans, sweepScope, type TaggedResource } from '../../lambda/core/sweep';
import { Tag } from '../../lambda/core/tags';
import { aCompletePoint, aNewPoint, at, aVolume } from './builders';

const DAY = 86_400;
const old = (id: string, tags: Record<string, string>, createdAt = at(0)): TaggedResource => ({ id, region: 'us-west-2', createdAt, tags: { [Tag.PROJECT]: 'shop', ...tags } });
const sweep = (points: RecoveryPoint[], snapshots: TaggedResource[], images: TaggedResource[] = [], liveRuns: string[] = []) => {
  const orphans = findOrphans({ project: 'shop', ...sweepScope(points), snapshots, images, liveRuns: new Set(liveRuns), now: at(2 * DAY), orphanAgeSeconds: DAY });
  return { snapshots: orphans.snapshots.map((each) => each.id), images: orphans.images.map((each) => each.id) };
};
const POINT = aCompletePoint(at(0), { pointId: 'p-live' });

describe('a snapshot', () => {
  test.each<[string, TaggedResource, boolean]>([
    ['of no known point goes', old('snap-x', { [Tag.POINT]: 'p-gone' }), true],
    ['that is a second one of a recorded disk goes', old('snap-second', { [Tag.POINT]: 'p-live' }), true],
    ['on record in the source stays', old('snap-s0', { [Tag.POINT]: 'p-live' }), false],
    ['on record in the recovery Region stays', old('snap-r0', { [Tag.POINT]: 'p-live' }), false],
    ['on record stays, whatever its tag says', old('snap-r0', { [Tag.POINT]: 'p-gone' }), false],
    ['of another project stays', old('snap-x', { [Tag.PROJECT]: 'other', [Tag.POINT]: 'p-gone' }), false],
    ['that a backup service made of a tagged machine stays', old('snap-x', {}), false],
    ['exactly at the age limit stays', old('snap-x', { [Tag.POINT]: 'p-gone' }, at(DAY)), false],
    ['just beyond the age limit goes', old('snap-x', { [Tag.POINT]: 'p-gone' }, at(DAY - 1)), true],
    ['of unknown age stays', old('snap-x', { [Tag.POINT]: 'p-gone' }, ''), false],
  ])('%s', (_, snapshot, goes) => {
    expect(sweep([POINT], [snapshot]).snapshots).toEqual(goes ? [snapshot.id] : []);
  });

  test('of an open point stays, since it may yet be adopted, and goes once the point has ended', () => {
    const open = aNewPoint(1, { pointId: 'p-open' });
    const snapshot = old('snap-x', { [Tag.POINT]: 'p-open' });
    expect(sweep([open], [snapshot]).snapshots).toEqual([]);
    expect(sweep([{ ...open, state: 'FAILED' }], [snapshot]).snapshots).toEqual(['snap-x']);
  });

  test('of an ended point is that point\'s to delete until it is cleaned', () => {
    const ended: RecoveryPoint = { ...POINT, state: 'EXPIRED' };
    const snapshot = old('snap-r0', { [Tag.POINT]: 'p-live' });
    expect(sweep([ended], [snapshot]).snapshots).toEqual([]);
    expect(sweep([{ ...ended, cleanedAt: at(9) }], [snapshot]).snapshots).toEqual(['snap-r0']);
  });
});

describe('an image', () => {
  test.each<[string, TaggedResource, boolean]>([
    ['of a run that has ended goes', old('ami-1', { [Tag.RUN]: 'r-old' }), true],
    ['of a run in progress stays', old('ami-1', { [Tag.RUN]: 'r-live' }), false],
    ['of the user\'s own making stays', old('ami-1', {}), false],
    ['that is young stays', old('ami-1', { [Tag.RUN]: 'r-old' }, at(2 * DAY - 5)), false],
  ])('%s', (_, image, goes) => {
    expect(sweep([], [], [image], ['r-live']).images).toEqual(goes ? ['ami-1'] : []);
  });
});

test('nothing that a point records or may adopt is ever an orphan, and all other old snapshots of points are', () => {
  const ids = Array.from({ length: 12 }, (_, index) => `snap-${index}`);
  const id = fc.constantFrom(...ids);
  const points = fc.array(
    fc.record({
      state: fc.constantFrom<RecoveryPoint['state']>('CREATING', 'COMPLETE_IN_SOURCE', 'COPYING', 'COMPLETE', 'EXPIRED', 'FAILED'),
      source: fc.option(id, { nil: undefined }),
      recovery: fc.option(id, { nil: undefined }),
      cleaned: fc.boolean(),
    }),
    { maxLength: 5 },
  ).map((all) => all.map(({ state, source, recovery, cleaned }, index) => aNewPoint(0, {
    pointId: `p-${index}`, state,
    volumes: [aVolume(0, { sourceSnapshotId: source, recoverySnapshotId: recovery })],
    cleanedAt: cleaned && (state === 'EXPIRED' || state === 'FAILED') ? at(1) : undefined,
  })));
  const snapshots = fc.tuple(...ids.map((each) => fc.record({ id: fc.constant(each), point: fc.nat(7), age: fc.constantFrom(0, 2 * DAY - 1) })));
  let orphans = 0;
  fc.assert(
    fc.property(points, snapshots, (known, found) => {
      const all = found.map((each) => old(each.id, { [Tag.POINT]: `p-${each.point}` }, at(each.age)));
      const swept = sweep(known, all).snapshots;
      orphans += swept.length;
      for (const [index, each] of found.entries()) {
        const recorded = known.some((point) => point.cleanedAt === undefined && point.volumes.some((volume) => [volume.sourceSnapshotId, volume.recoverySnapshotId].includes(each.id)));
        const adoptable = known.some((point) => isOpen(point) && point.pointId === `p-${each.point}`);
        expect(swept.includes(all[index]!.id)).toBe(!recorded && !adoptable && each.age === 0);
      }
    }),
    { numRuns: 500 },
  );
  expect(orphans).toBeGreaterThan(100);
});
