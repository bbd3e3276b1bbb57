import { IllegalTransition, IncompleteSet, PointPinned } from './errors';
import type { PointVolume, RecoveryPoint, RecoveryPointState } from './model';

export interface TakenSnapshot {
  readonly sourceVolumeId: string;
  readonly snapshotId: string;
}

/** What can happen to a recovery point. */
export type PointEvent =
  /** CreateSnapshots answered, or its snapshots were found by tag: one snapshot of each disk. */
  | { readonly type: 'snapshots-started'; readonly consistentAt: string; readonly snapshots: readonly TakenSnapshot[] }
  /** Every snapshot is complete in the source Region. */
  | { readonly type: 'source-completed' }
  /** CopySnapshot answered for one disk, or its copy was found by tag. */
  | { readonly type: 'copy-started'; readonly sourceVolumeId: string; readonly snapshotId: string; readonly at: string }
  /** Every copy is complete in the recovery Region. */
  | { readonly type: 'copies-completed'; readonly at: string }
  | { readonly type: 'failed'; readonly reason: string }
  | { readonly type: 'expired'; readonly reason: string; readonly at: string }
  /** Retention removed the snapshots in the source Region; the point stays usable. */
  | { readonly type: 'source-removed' }
  /** The snapshots of an ended point are gone on both sides. */
  | { readonly type: 'cleaned'; readonly at: string };

type EventOf<T extends PointEvent['type']> = Extract<PointEvent, { type: T }>;
type Refuse = (detail: string) => never;

const OPEN: ReadonlySet<RecoveryPointState> = new Set(['CREATING', 'COMPLETE_IN_SOURCE', 'COPYING']);
const ENDED: ReadonlySet<RecoveryPointState> = new Set(['EXPIRED', 'FAILED']);

/** Still on its way to the recovery Region. */
export function isOpen(point: RecoveryPoint): boolean {
  return OPEN.has(point.state);
}

/** A cycle has something to do for it: it is open, or has ended and its snapshots are not deleted yet. */
export function needsWork(point: RecoveryPoint): boolean {
  return isOpen(point) || (ENDED.has(point.state) && point.cleanedAt === undefined);
}

/** Every disk has a copy (not necessarily complete) in the recovery Region. */
export function isWhole(point: RecoveryPoint): boolean {
  return point.volumes.length > 0 && point.volumes.every((volume) => volume.recoverySnapshotId !== undefined);
}

/** A recovery run may use it. */
export function canRecover(point: RecoveryPoint): boolean {
  return point.state === 'COMPLETE' && isWhole(point);
}

/**
 * The point after an event, its version grown by one.
 *
 * A step that was killed repeats its events, so an event that has already taken effect gives back the very same
 * object: there is nothing to write. Times and reasons are those of the first record; a repeated event that names
 * other snapshots is no repetition and is refused.
 */
export function transition(point: RecoveryPoint, event: PointEvent): RecoveryPoint {
  const refuse: Refuse = (detail) => {
    throw new IllegalTransition(point.pointId, point.state, event.type, detail);
  };
  switch (event.type) {
    case 'snapshots-started':
      return snapshotsStarted(point, event, refuse);
    case 'source-completed':
      return sourceCompleted(point, refuse);
    case 'copy-started':
      return copyStarted(point, event, refuse);
    case 'copies-completed':
      return copiesCompleted(point, event, refuse);
    case 'failed':
      if (point.state === 'FAILED') return point;
      return isOpen(point) ? next(point, { state: 'FAILED', reason: event.reason }) : refuse('only an open point can fail');
    case 'expired':
      return expired(point, event, refuse);
    case 'source-removed':
      if (point.state !== 'COMPLETE') return refuse('the source side is needed until the copies are complete');
      if (!point.volumes.some((volume) => volume.sourceSnapshotId !== undefined)) return point;
      return next(point, { volumes: point.volumes.map(withoutSource) });
    case 'cleaned':
      if (!ENDED.has(point.state)) return refuse('only the snapshots of an ended point are deleted');
      return point.cleanedAt === undefined ? next(point, { cleanedAt: event.at }) : point;
  }
}

function next(point: RecoveryPoint, change: Partial<RecoveryPoint>): RecoveryPoint {
  return { ...point, ...change, version: point.version + 1 };
}

function hasAllSources(point: RecoveryPoint): boolean {
  return point.volumes.length > 0 && point.volumes.every((volume) => volume.sourceSnapshotId !== undefined);
}

function withoutSource({ sourceSnapshotId: _removed, ...rest }: PointVolume): PointVolume {
  return rest;
}

function snapshotsStarted(point: RecoveryPoint, event: EventOf<'snapshots-started'>, refuse: Refuse): RecoveryPoint {
  if (ENDED.has(point.state)) return refuse('the point has ended');
  const taken = new Map(event.snapshots.map((snapshot) => [snapshot.sourceVolumeId, snapshot.snapshotId]));
  if (point.consistentAt !== undefined) {
    const same =
      taken.size === event.snapshots.length &&
      taken.size === point.volumes.length &&
      point.consistentAt === event.consistentAt &&
      point.volumes.every((volume) => volume.sourceSnapshotId === taken.get(volume.sourceVolumeId));
    return same ? point : refuse('it already has other snapshots');
  }
  const expected = new Set(point.volumes.map((volume) => volume.sourceVolumeId));
  const missing = [...expected].filter((id) => !taken.has(id));
  const unexpected = [...taken.keys()].filter((id) => !expected.has(id));
  if (missing.length > 0 || unexpected.length > 0) throw new IncompleteSet(point.pointId, missing, unexpected);
  if (expected.size === 0) return refuse('it has no disks');
  if (taken.size !== event.snapshots.length) return refuse('a disk has two snapshots; adopt one of them');
  return next(point, {
    consistentAt: event.consistentAt,
    volumes: point.volumes.map((volume) => ({ ...volume, sourceSnapshotId: taken.get(volume.sourceVolumeId) })),
  });
}

function sourceCompleted(point: RecoveryPoint, refuse: Refuse): RecoveryPoint {
  if (ENDED.has(point.state)) return refuse('the point has ended');
  if (point.state !== 'CREATING') return point;
  return hasAllSources(point) ? next(point, { state: 'COMPLETE_IN_SOURCE' }) : refuse('not every disk has a snapshot');
}

function copyStarted(point: RecoveryPoint, event: EventOf<'copy-started'>, refuse: Refuse): RecoveryPoint {
  if (ENDED.has(point.state)) return refuse('the point has ended');
  if (point.state === 'CREATING') return refuse('a snapshot can be copied only once it is complete');
  const volume = point.volumes.find((candidate) => candidate.sourceVolumeId === event.sourceVolumeId);
  if (volume === undefined) return refuse(`it has no disk ${event.sourceVolumeId}`);
  if (volume.recoverySnapshotId === event.snapshotId) return point;
  if (volume.recoverySnapshotId !== undefined) return refuse(`disk ${event.sourceVolumeId} is already copied to ${volume.recoverySnapshotId}`);
  if (point.state === 'COMPLETE') return refuse('the point is complete');
  const volumes = point.volumes.map((each) => (each === volume ? { ...each, recoverySnapshotId: event.snapshotId, copyStartedAt: event.at } : each));
  return next(point, { state: 'COPYING', volumes });
}

function copiesCompleted(point: RecoveryPoint, event: EventOf<'copies-completed'>, refuse: Refuse): RecoveryPoint {
  if (point.state === 'COMPLETE') return point;
  if (point.state !== 'COPYING') return refuse('no copy was started, or the point has ended');
  return isWhole(point) ? next(point, { state: 'COMPLETE', completedAt: event.at }) : refuse('a disk has no copy yet; a partial set is no recovery point');
}

function expired(point: RecoveryPoint, event: EventOf<'expired'>, refuse: Refuse): RecoveryPoint {
  if (point.state === 'EXPIRED') return point;
  if (point.state !== 'COMPLETE') return refuse('only a complete point expires; an open one fails');
  if (point.pinnedBy !== undefined && point.pinnedBy.length > 0) {
    throw new PointPinned(point.pointId, point.state, event.type, point.pinnedBy);
  }
  return next(point, { state: 'EXPIRED', reason: event.reason, expiredAt: event.at });
}
