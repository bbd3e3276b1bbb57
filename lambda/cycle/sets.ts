import type { RecoveryPoint } from '../core/model';
import { transition } from '../core/point-state';
import { Tag } from '../core/tags';
import type { SnapshotFacts, StartedSnapshot } from '../adapters/ports/snapshots';

/** Tags of a point's snapshots, in both Regions. */
export function snapshotTags(point: RecoveryPoint): Record<string, string> {
  return {
    [Tag.PROJECT]: point.project,
    [Tag.ENDPOINT]: point.memberId.slice(0, point.memberId.lastIndexOf('/')),
    [Tag.MEMBER]: point.memberId,
    [Tag.POINT]: point.pointId,
    [Tag.CYCLE]: point.cycleId,
  };
}

/**
 * The description of one CreateSnapshots call: all its snapshots carry it, and no others. Were a set made twice, this
 * tells the two apart; a mixture of both would show two instants.
 */
export function setDescription(point: RecoveryPoint, nonce: string): string {
  return `Recovery point ${point.pointId} of ${point.memberId}, set ${nonce}`;
}

/** The point with its snapshots; throws `IncompleteSet` when they are not those of exactly its disks. */
export function withSet(point: RecoveryPoint, set: readonly StartedSnapshot[]): RecoveryPoint {
  const instants = set.map(({ startTime }) => startTime).sort();
  return transition(point, {
    type: 'snapshots-started',
    // EC2 gives the disks of a set start times some milliseconds apart: the earliest promises the least.
    consistentAt: instants[0] ?? '',
    snapshots: set.map(({ volumeId, snapshotId }) => ({ sourceVolumeId: volumeId, snapshotId })),
  });
}

/** The first whole set among the snapshots that carry the point's tag. */
export function wholeSet(point: RecoveryPoint, found: readonly SnapshotFacts[]): readonly SnapshotFacts[] | undefined {
  const sets = new Map<string, SnapshotFacts[]>();
  for (const snapshot of found) sets.set(snapshot.description, [...(sets.get(snapshot.description) ?? []), snapshot]);
  return [...sets.values()]
    .filter((set) => set.length === point.volumes.length
      && point.volumes.every(({ sourceVolumeId }) => set.some(({ volumeId }) => volumeId === sourceVolumeId)))
    .sort((a, b) => earliest(a).localeCompare(earliest(b)))[0];
}

function earliest(set: readonly SnapshotFacts[]): string {
  return set.map(({ startTime }) => startTime).sort()[0] ?? '';
}

export function byPoint(snapshots: readonly SnapshotFacts[]): Map<string, SnapshotFacts[]> {
  const groups = new Map<string, SnapshotFacts[]>();
  for (const snapshot of snapshots) {
    const id = snapshot.tags[Tag.POINT] ?? '';
    groups.set(id, [...(groups.get(id) ?? []), snapshot]);
  }
  return groups;
}
