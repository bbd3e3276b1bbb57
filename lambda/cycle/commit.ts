import type { RecoveryPoint } from '../core/model';
import { isWhole, transition } from '../core/point-state';
import { Tag } from '../core/tags';
import { ConflictError } from '../adapters/errors';
import type { MemberStore, PointStore } from '../adapters/ports/catalogue';
import type { RecoverySnapshots, SnapshotFacts } from '../adapters/ports/snapshots';
import type { Tools } from '../runtime/tools';
import { eachOf } from '../runtime/pool';
import { secondsSince } from './cycle';
import { byPoint } from './sets';

export interface CommitPorts {
  readonly members: MemberStore;
  readonly points: PointStore;
  readonly recovery: RecoverySnapshots;
}

export interface CopyState {
  /** As stored now: committed, failed or still open. */
  readonly points: RecoveryPoint[];
  /** Copies in progress, one entry each. */
  readonly inProgress: { readonly pointId: string }[];
  readonly committed: number;
  readonly failed: number;
}

/** A copy that was recorded and that EC2 does not show so long after its start is gone. */
const VANISHED_SECONDS = 900;

/**
 * Looks at the copies of points in the recovery Region: adopts those that nobody recorded, fails the point of one in
 * error, and commits the sets that are whole. One batched read for all points.
 */
export async function settleCopies(points: readonly RecoveryPoint[], ports: CommitPorts, tools: Tools): Promise<CopyState> {
  const copied = points.filter(({ state }) => state === 'COMPLETE_IN_SOURCE' || state === 'COPYING');
  const found = byPoint(copied.length === 0 ? [] : await ports.recovery.withTag(Tag.POINT, copied.map(({ pointId }) => pointId)));
  const state = { points: [] as RecoveryPoint[], inProgress: [] as { pointId: string }[], committed: 0, failed: 0 };
  await eachOf(copied, async (point) => {
    const copies = found.get(point.pointId) ?? [];
    const next = judged(adopted(point, copies), copies, tools);
    state.inProgress.push(...pending(next, copies));
    try {
      if (next !== point) await ports.points.savePoint(next, point.version);
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      tools.log.warn(error.message, { recoveryPoint: point.pointId });
      return;
    }
    state.points.push(next);
    const context = { member: next.memberId, recoveryPoint: next.pointId };
    if (next.state === 'FAILED') {
      state.failed += 1;
      tools.log.error('Recovery point failed', { ...context, reason: next.reason });
    } else if (next.state === 'COMPLETE') {
      await ports.members.noteNewestPoint(next.memberId, next.consistentAt ?? next.createdAt);
      state.committed += 1;
      tools.log.info('Recovery point complete', { ...context, consistentAt: next.consistentAt });
    }
  });
  return state;
}

/** A copy that an interrupted step made and did not record. */
function adopted(point: RecoveryPoint, copies: readonly SnapshotFacts[]): RecoveryPoint {
  return point.volumes.reduce((current, { sourceVolumeId, sourceSnapshotId, recoverySnapshotId }) => {
    if (recoverySnapshotId !== undefined) return current;
    const copy = copies
      .filter(({ tags, state }) => tags[Tag.COPY_OF] === sourceSnapshotId && state !== 'error')
      .sort((a, b) => a.startTime.localeCompare(b.startTime) || a.snapshotId.localeCompare(b.snapshotId))[0];
    return copy === undefined ? current : transition(current, { type: 'copy-started', sourceVolumeId, snapshotId: copy.snapshotId, at: copy.startTime });
  }, point);
}

function judged(point: RecoveryPoint, copies: readonly SnapshotFacts[], tools: Tools): RecoveryPoint {
  const byId = new Map(copies.map((copy) => [copy.snapshotId, copy]));
  const recorded = point.volumes.flatMap(({ recoverySnapshotId }) => recoverySnapshotId ?? []);
  const broken = recorded.map((id) => byId.get(id)).find((copy) => copy?.state === 'error');
  if (broken !== undefined) {
    return transition(point, { type: 'failed', reason: `copy ${broken.snapshotId} is in error: ${broken.stateMessage ?? 'EC2 says no more'}` });
  }
  const vanished = point.volumes.find(({ recoverySnapshotId, copyStartedAt = point.consistentAt ?? point.createdAt }) => (
    recoverySnapshotId !== undefined && !byId.has(recoverySnapshotId) && secondsSince(copyStartedAt, tools) > VANISHED_SECONDS));
  if (vanished !== undefined) return transition(point, { type: 'failed', reason: `copy ${vanished.recoverySnapshotId} no longer exists` });
  const complete = isWhole(point) && recorded.every((id) => byId.get(id)?.state === 'completed');
  return complete ? transition(point, { type: 'copies-completed', at: tools.now() }) : point;
}

/** Pending ones that EC2 shows (also a copy made twice: it counts in the quota), and recorded ones that it does not show yet. */
function pending(point: RecoveryPoint, copies: readonly SnapshotFacts[]): { pointId: string }[] {
  const shown = new Set(copies.map(({ snapshotId }) => snapshotId));
  const unseen = point.volumes.filter(({ recoverySnapshotId }) => recoverySnapshotId !== undefined && !shown.has(recoverySnapshotId));
  return [...copies.filter(({ state }) => state === 'pending'), ...unseen].map(() => ({ pointId: point.pointId }));
}
