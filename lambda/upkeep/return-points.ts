import { isOpen, transition } from '../core/point-state';
import type { RecoveryPoint } from '../core/model';
import { ConflictError } from '../adapters/errors';
import type { LeaseStore } from '../adapters/ports/lease';
import { cleanEnded } from '../cycle/clean';
import { SourceSide, type CyclePorts } from '../cycle/cycle';
import { mapOf } from '../runtime/pool';
import type { Tools } from '../runtime/tools';

const REASON = 'the source side has been active again since';

/**
 * Points of the way back have done their work once the source side is active again: they end, and their snapshots go, also
 * those of cycles that a failback began and did not need. A run that may be resumed has them pinned.
 * @returns snapshots deleted
 */
export async function endReturnPoints(ports: CyclePorts, leases: LeaseStore, ageSeconds: number, tools: Tools): Promise<number> {
  const { active, holder, activeSince = '' } = await leases.lease();
  const isOver = active === 'source' && holder === undefined && Date.parse(activeSince) < Date.parse(tools.now()) - ageSeconds * 1000;
  const ended = isOver ? (await mapOf(await returnPoints(ports), (point) => end(point, ports, tools))).flat() : [];
  const { deleted } = await cleanEnded(ended, new SourceSide(), ports, tools);
  return deleted;
}

/** Those that are on record and not cleaned up yet. */
export async function returnPoints({ members, points }: Pick<CyclePorts, 'members' | 'points'>): Promise<RecoveryPoint[]> {
  const known = await members.members();
  if (known.length === 0) return [];
  const complete = await mapOf(known, ({ memberId }) => points.completePoints(memberId));
  return [...await points.openPoints(), ...complete.flat()];
}

async function end(point: RecoveryPoint, { points }: CyclePorts, tools: Tools): Promise<RecoveryPoint[]> {
  if ((point.pinnedBy?.length ?? 0) > 0 || (!isOpen(point) && point.state !== 'COMPLETE')) return [];
  const change = isOpen(point) ? { type: 'failed', reason: REASON } as const : { type: 'expired', reason: REASON, at: tools.now() } as const;
  const next = transition(point, change);
  try {
    await points.savePoint(next, point.version);
    return [next];
  } catch (error) {
    if (error instanceof ConflictError) return [];
    throw error;
  }
}
