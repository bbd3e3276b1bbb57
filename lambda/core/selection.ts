import type { EndpointMember, PointSelection, RecoveryPoint } from './model';
import { canRecover } from './point-state';
import { epochMs } from './time';

export interface Selected {
  /** By member id. */
  readonly chosen: Map<string, RecoveryPoint>;
  readonly missing: { readonly memberId: string; readonly reason: string }[];
  /** No chosen point shows anything later. Absent for `newest`, where each member has its own. */
  readonly instant?: string;
}

interface Usable {
  readonly point: RecoveryPoint;
  readonly consistentAt: string;
  readonly ms: number;
  /** The instant by which the point's cycle had taken all its sets. */
  readonly cycleMs: number;
}

/**
 * The recovery point that each member is recovered from; only complete ones count.
 *
 * - `newest`: each member's newest.
 * - `before`: each member's newest that shows a state strictly before the time.
 * - `newest-common`: let the instant of a point be when its cycle had taken the sets of all members: those of one cycle
 *   are seconds apart and belong together. T is the earliest of the members' newest instants, and each member gets its
 *   newest point whose instant is not after T. So nobody is ahead of the member that is furthest behind, and members
 *   that have the cycle of T get that cycle. Members without any point do not hold T back; they are reported missing.
 */
export function selectPoints(
  members: readonly Pick<EndpointMember, 'memberId'>[],
  pointsByMember: ReadonlyMap<string, readonly RecoveryPoint[]>,
  selection: PointSelection,
): Selected {
  const usable = usablePoints(members, pointsByMember);
  const pick = (allowed: (point: Usable) => boolean, reason: (points: readonly Usable[]) => string, instant?: string): Selected => {
    const chosen = new Map<string, RecoveryPoint>();
    const missing: { memberId: string; reason: string }[] = [];
    for (const [memberId, points] of usable) {
      const best = points.find(allowed);
      if (best !== undefined) chosen.set(memberId, best.point);
      else missing.push({ memberId, reason: points.length === 0 ? 'it has no complete recovery point' : reason(points) });
    }
    return { chosen, missing, ...(instant === undefined ? {} : { instant }) };
  };
  switch (selection.kind) {
    case 'newest':
      return pick(() => true, () => '');
    case 'before': {
      const limit = epochMs(selection.time);
      return pick((point) => point.ms < limit, (points) => noneSoEarly(`before ${selection.time}`, points), selection.time);
    }
    case 'newest-common': {
      const newest = [...usable.values()].filter((points) => points.length > 0).map((points) => Math.max(...points.map((point) => point.cycleMs)));
      if (newest.length === 0) return pick(() => false, () => '');
      const common = Math.min(...newest);
      const instant = new Date(common).toISOString();
      return pick((point) => point.cycleMs <= common, (points) => noneSoEarly(`at or before the common instant ${instant}`, points), instant);
    }
  }
}

function noneSoEarly(when: string, newestFirst: readonly Usable[]): string {
  return `it has no complete recovery point ${when}; its earliest shows ${newestFirst.at(-1)?.consistentAt ?? '-'}`;
}

/** Each member's complete points, newest first. */
function usablePoints(
  members: readonly Pick<EndpointMember, 'memberId'>[],
  pointsByMember: ReadonlyMap<string, readonly RecoveryPoint[]>,
): Map<string, Usable[]> {
  const complete = members.map(({ memberId }) => {
    const points = (pointsByMember.get(memberId) ?? []).flatMap((point) =>
      canRecover(point) && point.consistentAt !== undefined ? [{ point, consistentAt: point.consistentAt, ms: epochMs(point.consistentAt) }] : [],
    );
    return [memberId, points] as const;
  });
  const cycles = new Map<string, number>();
  for (const [, points] of complete) {
    for (const { point, ms } of points) cycles.set(point.cycleId, Math.max(ms, cycles.get(point.cycleId) ?? ms));
  }
  return new Map(
    complete.map(([memberId, points]) => [
      memberId,
      points.map((each) => ({ ...each, cycleMs: cycles.get(each.point.cycleId) ?? each.ms })).sort(newestFirst),
    ]),
  );
}

/** Two points of one instant in the order of their ids, so that the choice never depends on the input's order. */
function newestFirst(a: Usable, b: Usable): number {
  return b.ms - a.ms || (a.point.pointId < b.point.pointId ? 1 : -1);
}
