import type { RecoveryPoint, RunRecord } from '../lambda/core/model';
import { Tag } from '../lambda/core/tags';

export interface SeenSnapshot {
  readonly id: string;
  readonly state: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface SeenVolume {
  readonly id: string;
  readonly state: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface SeenMachine {
  readonly id: string;
  readonly state: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** Who may serve traffic, as the catalogue says; the row exists once failovers take a lease. */
export interface SeenLease {
  readonly active?: string;
  readonly oldSide?: string;
  readonly holder?: { readonly runId: string };
}

/** All that exists at one moment, as an operator sees it. */
export interface World {
  readonly points: readonly RecoveryPoint[];
  /** Those of the way back: what a cycle calls source is the recovery Region, and the other way round. */
  readonly returnPoints: readonly RecoveryPoint[];
  /** Ids of failbacks that have let the recovered machines work again. */
  readonly reopened: readonly string[];
  readonly runs: readonly RunRecord[];
  readonly locks: readonly { readonly executionArn: string }[];
  readonly leases: readonly SeenLease[];
  readonly source: readonly SeenSnapshot[];
  readonly recovery: readonly SeenSnapshot[];
  readonly images: readonly { readonly id: string; readonly tags: Readonly<Record<string, string>> }[];
  /** Machines that runs have launched and that exist, in the recovery Region. */
  readonly machines: readonly SeenMachine[];
  /** The protected machines. */
  readonly originals: readonly SeenMachine[];
  /** Disks in the source Region that carry the project's tag. */
  readonly volumes: readonly SeenVolume[];
}

const OPEN = new Set(['CREATING', 'COMPLETE_IN_SOURCE', 'COPYING']);

/**
 * What must hold after every try, once nothing runs any more and the sweeper has been: each entry is a violation.
 *
 * @param before the world before the try: what could be recovered from then must still be there, or have expired
 */
export function violations(world: World, before?: World): string[] {
  return [
    ...lostPoints(world), ...vanishedPoints(world, before), ...orphans(world), ...doubles(world), ...heldLocks(world), ...heldPins(world), ...twoSides(world),
  ];
}

/** A point that the catalogue offers for recovery has every disk's copy, complete, and made of its own snapshots. */
function lostPoints({ points, returnPoints, source, recovery }: World): string[] {
  return [...lostOnSide(points, recovery), ...lostOnSide(returnPoints, source)];
}

function lostOnSide(points: readonly RecoveryPoint[], recovery: readonly SeenSnapshot[]): string[] {
  const byId = new Map(recovery.map((snapshot) => [snapshot.id, snapshot]));
  return points.filter(({ state }) => state === 'COMPLETE').flatMap(({ pointId, volumes }) => volumes.flatMap((volume) => {
    const copy = byId.get(volume.recoverySnapshotId ?? '');
    const where = `recovery point ${pointId}, ${volume.deviceName}`;
    if (volume.recoverySnapshotId === undefined) return [`lost recovery point: ${where} has no copy on record`];
    if (copy === undefined) return [`lost recovery point: ${where}: ${volume.recoverySnapshotId} does not exist`];
    if (copy.state !== 'completed') return [`lost recovery point: ${where}: ${copy.id} is ${copy.state}`];
    if (copy.tags[Tag.POINT] !== pointId) return [`lost recovery point: ${where}: ${copy.id} belongs to ${copy.tags[Tag.POINT] ?? 'no point'}`];
    const from = copy.tags[Tag.COPY_OF];
    return volume.sourceSnapshotId !== undefined && from !== volume.sourceSnapshotId ? [`mixed recovery point: ${where}: ${copy.id} is a copy of ${from ?? 'nothing'}`] : [];
  }));
}

function vanishedPoints({ points }: World, before: World | undefined): string[] {
  const now = new Map(points.map((point) => [point.pointId, point.state]));
  return (before?.points ?? []).filter(({ state }) => state === 'COMPLETE').flatMap(({ pointId }) => {
    const state = now.get(pointId);
    return state === 'COMPLETE' || state === 'EXPIRED' ? [] : [`lost recovery point: ${pointId} was COMPLETE and is ${state ?? 'gone'}`];
  });
}

/** What carries the project's tags and no record refers to. */
function orphans({ points, returnPoints, runs, source, recovery, images, volumes }: World): string[] {
  const live = [...points, ...returnPoints].filter(({ cleanedAt }) => cleanedAt === undefined);
  const known = new Set(live.flatMap(({ volumes }) => volumes.flatMap(({ sourceSnapshotId, recoverySnapshotId }) => [sourceSnapshotId, recoverySnapshotId])));
  const open = new Set(live.filter(({ state }) => OPEN.has(state)).map(({ pointId }) => pointId));
  const running = new Set(runs.filter(({ status }) => status === 'RUNNING').map(({ runId }) => runId));
  const snapshots = (side: string, list: readonly SeenSnapshot[]) => list
    .filter(({ id, tags }) => !known.has(id) && !open.has(tags[Tag.POINT] ?? ''))
    .map(({ id, tags }) => `orphan: snapshot ${id} of ${tags[Tag.POINT] ?? 'no point'} in the ${side} Region`);
  return [
    ...snapshots('source', source),
    ...snapshots('recovery', recovery),
    ...volumes.filter(({ state, tags }) => state === 'available' && tags[Tag.REPLACED_BY] === undefined && !running.has(tags[Tag.RUN] ?? ''))
      .map(({ id, tags }) => `orphan: disk ${id} of run ${tags[Tag.RUN] ?? 'none'} in the source Region`),
    ...images.filter(({ tags }) => !running.has(tags[Tag.RUN] ?? '')).map(({ id, tags }) => `orphan: image ${id} of run ${tags[Tag.RUN] ?? 'none'}`),
  ];
}

/** A run launches each member once. */
function doubles({ machines }: World): string[] {
  const counts = new Map<string, string[]>();
  for (const { id, tags } of machines) {
    const key = `${tags[Tag.MEMBER] ?? 'no member'} in run ${tags[Tag.RUN] ?? 'none'}`;
    counts.set(key, [...(counts.get(key) ?? []), id]);
  }
  return [...counts].filter(([, ids]) => ids.length > 1).map(([key, ids]) => `double launch: ${key}: ${ids.join(', ')}`);
}

function heldLocks({ locks, leases, runs }: World): string[] {
  const over = new Set(runs.filter(({ status }) => status !== 'RUNNING').map(({ runId }) => runId));
  return [
    ...locks.map(({ executionArn }) => `lock held: by ${executionArn}`),
    ...leases.flatMap(({ holder }) => (holder !== undefined && over.has(holder.runId) ? [`lease held: by run ${holder.runId}, which has ended`] : [])),
  ];
}

/** A pin of a run that has ended keeps its point for ever. */
function heldPins({ points, returnPoints, runs }: World): string[] {
  const running = new Set(runs.filter(({ status }) => status === 'RUNNING').map(({ runId }) => runId));
  return [...points, ...returnPoints].flatMap(({ pointId, pinnedBy = [] }) => pinnedBy.filter((runId) => !running.has(runId)).map((runId) => `pin held: ${pointId} by run ${runId}, which has ended`));
}

/** At most one side is active, and one that is said to be fenced is. */
function twoSides({ leases, originals, machines, runs }: World): string[] {
  if (leases.length > 1) return [`two active sides: ${leases.length} leases`];
  const [lease] = leases;
  if (lease === undefined) return [];
  const up = (list: readonly SeenMachine[]) => list.filter(({ state }) => state === 'running').map(({ id }) => id);
  const succeeded = new Set(runs.filter(({ mode, status }) => mode === 'failover' && status === 'SUCCEEDED').map(({ runId }) => runId));
  const recovered = up(machines.filter(({ tags }) => succeeded.has(tags[Tag.RUN] ?? '')));
  if (lease.active === 'recovery' && lease.oldSide === 'fenced' && up(originals).length > 0) return [`two active sides: the source is said to be fenced, and ${up(originals).join(', ')} runs`];
  if (lease.active === 'source' && recovered.length > 0) return [`two active sides: the source is active, and ${recovered.join(', ')} of a finished failover runs`];
  return [];
}
