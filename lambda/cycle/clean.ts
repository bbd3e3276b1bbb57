import type { RecoveryPoint } from '../core/model';
import { isOpen, transition } from '../core/point-state';
import { Tag } from '../core/tags';
import { ConflictError } from '../adapters/errors';
import type { SnapshotFacts } from '../adapters/ports/snapshots';
import { eachOf } from '../runtime/pool';
import type { Tools } from '../runtime/tools';
import { secondsSince, SETTLE_SECONDS, type CyclePorts, type SourceSide } from './cycle';
import { removeAll } from './removal';
import { byPoint } from './sets';

export interface CleanResult {
  readonly done: boolean;
  readonly deleted: number;
}

/**
 * Deletes the snapshots of expired and failed points, found by tag, so that one that was made and never recorded goes too.
 * The recovery side does not wait for the source: a point is marked clean when both sides are.
 */
export async function cleanEnded(justEnded: readonly RecoveryPoint[], source: SourceSide, ports: CyclePorts, tools: Tools): Promise<CleanResult> {
  const listed = (await ports.points.openPoints()).filter((point) => !isOpen(point));
  // The index may not show yet what has just ended, nor its newest version.
  const points = [...new Map([...listed, ...justEnded].map((point) => [point.pointId, point])).values()].filter((point) => isSettled(point, tools));
  if (points.length === 0) return { done: true, deleted: 0 };
  const ids = points.map(({ pointId }) => pointId);
  const recovered = byPoint(await ports.recovery.withTag(Tag.POINT, ids));
  const found = await source.ask(() => ports.source.withTag(Tag.POINT, ids));
  const sources = found === undefined ? undefined : byPoint(found);
  let deleted = 0;
  let done = true;
  await eachOf(points, async (point) => {
    if (tools.deadline.near()) {
      done = false;
      return;
    }
    const recovery = await removeAll(idsOf(recovered.get(point.pointId), point.volumes.map(({ recoverySnapshotId }) => recoverySnapshotId)), ports.recovery);
    deleted += recovery.removed;
    const sourceIds = idsOf(sources?.get(point.pointId), point.volumes.map(({ sourceSnapshotId }) => sourceSnapshotId));
    const removal = sources === undefined ? undefined : await source.ask(() => removeAll(sourceIds, ports.source));
    deleted += removal?.removed ?? 0;
    if (removal === undefined || removal.left.length > 0 || recovery.left.length > 0) {
      tools.log.warn('Snapshots of an ended recovery point could not all be deleted; the next cycle tries again', { member: point.memberId, recoveryPoint: point.pointId });
      return;
    }
    try {
      await ports.points.savePoint(transition(point, { type: 'cleaned', at: tools.now() }), point.version);
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
    }
  });
  return { done, deleted };
}

/** What CreateSnapshots may have made a moment ago must be visible before "none found" means that there is none. */
function isSettled(point: RecoveryPoint, tools: Tools): boolean {
  return point.attemptedAt === undefined || secondsSince(point.attemptedAt, tools) >= SETTLE_SECONDS;
}

function idsOf(found: readonly SnapshotFacts[] | undefined, recorded: readonly (string | undefined)[]): string[] {
  return [...new Set([...(found ?? []).map(({ snapshotId }) => snapshotId), ...recorded.flatMap((id) => id ?? [])])];
}
