import { admitCopies, type WaitingCopy } from '../core/admission';
import type { PointVolume, RecoveryPoint } from '../core/model';
import { isOpen, transition } from '../core/point-state';
import { rpoDeadline } from '../core/rpo';
import { Tag } from '../core/tags';
import { ConflictError, isRefused, messageOf, RefusedCall } from '../adapters/errors';
import type { MemberProgress } from '../adapters/ports/catalogue';
import type { SnapshotFacts } from '../adapters/ports/snapshots';
import { eachOf } from '../runtime/pool';
import type { Tools } from '../runtime/tools';
import { settleCopies } from './commit';
import { legible, noteProblem, secondsSince, SourceSide, type CycleInput, type CyclePorts } from './cycle';
import { snapshotTags } from './sets';

export interface ReplicateResult {
  readonly done: boolean;
  /** Points still on their way. */
  readonly open: number;
  readonly waitSeconds: number;
}

/** A snapshot that was recorded and that EC2 does not show so long after its start (which is the instant that the set shows) is gone. */
const VANISHED_SECONDS = 900;

interface Waiting extends WaitingCopy {
  readonly point: RecoveryPoint;
  readonly volume: PointVolume;
}

/**
 * One look at all open points of the project, whichever cycle began them: what is complete in the source is copied as far
 * as the quota admits, what has arrived whole is committed.
 */
export async function replicate(input: CycleInput, ports: CyclePorts, tools: Tools): Promise<ReplicateResult> {
  // What an event could tell is read below; one that comes from here on must wake the wait that follows.
  await ports.cycles.forgetEvents();
  const source = new SourceSide();
  // An intent without snapshots is the snapshot step's to settle: nothing here could move it on.
  const open = (await ports.points.openPoints()).filter((point) => isOpen(point) && point.consistentAt !== undefined);
  const { points, failed: failedInSource } = await settleSource(open, source, ports, tools);
  const copies = await settleCopies(points, ports, tools);
  const waiting = await waitingCopies(copies.points, input, ports, tools);
  const started = await startCopies(waiting, copies.inProgress, input, ports, tools);
  const failed = failedInSource + copies.failed + started.failed;
  await ports.cycles.noteProgress(input.cycle.cycleId, { committed: copies.committed, failed });
  if (source.refused) await noteProblem(ports.cycles, input, `Snapshots in ${input.config.sourceRegion} cannot be seen`, tools, source.reason);
  for (const cause of started.problems) await noteProblem(ports.cycles, input, `A copy into ${input.config.recoveryRegion} could not be started`, tools, cause);
  if (started.denied) throw started.denied;
  const left = open.length - copies.committed - failed;
  const overdue = Date.parse(tools.now()) >= Date.parse(input.cycle.deadline);
  const done = left <= 0 || overdue;
  if (left > 0 && overdue) tools.log.warn(`${left} recovery points are still on their way at the end of the cycle; the next one goes on with them`, { cycle: input.cycle.cycleId });
  return { done, open: Math.max(0, left), waitSeconds: done ? 0 : input.config.pollSeconds };
}

/** Moves points on whose snapshots are complete in the source; answers all that were not failed. */
async function settleSource(open: readonly RecoveryPoint[], source: SourceSide, ports: CyclePorts, tools: Tools) {
  const snapshotting = open.filter((point) => point.state === 'CREATING');
  const ids = snapshotting.flatMap(({ volumes }) => volumes.flatMap(({ sourceSnapshotId }) => sourceSnapshotId ?? []));
  const found = ids.length === 0 ? [] : await source.ask(() => ports.source.withIds(ids));
  const byId = new Map(found?.map((snapshot) => [snapshot.snapshotId, snapshot]));
  const points = open.filter((point) => point.state !== 'CREATING');
  let failed = 0;
  if (found === undefined) return { points, failed };
  await eachOf(snapshotting, async (point) => {
    const next = judged(point, byId, tools);
    if (next === point) return;
    try {
      await ports.points.savePoint(next, point.version);
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      return;
    }
    if (next.state === 'FAILED') {
      failed += 1;
      tools.log.error('Recovery point failed', { member: next.memberId, recoveryPoint: next.pointId, reason: next.reason });
    } else points.push(next);
  });
  return { points, failed };
}

function judged(point: RecoveryPoint, byId: ReadonlyMap<string, SnapshotFacts>, tools: Tools): RecoveryPoint {
  const ids = point.volumes.flatMap(({ sourceSnapshotId }) => sourceSnapshotId ?? []);
  const snapshots = ids.map((id) => byId.get(id));
  const broken = snapshots.find((snapshot) => snapshot?.state === 'error');
  if (broken !== undefined) {
    return transition(point, { type: 'failed', reason: `snapshot ${broken.snapshotId} is in error: ${broken.stateMessage ?? 'EC2 says no more'}` });
  }
  const vanished = ids.find((id) => !byId.has(id));
  if (vanished !== undefined && secondsSince(point.consistentAt ?? point.createdAt, tools) > VANISHED_SECONDS) {
    return transition(point, { type: 'failed', reason: `snapshot ${vanished} no longer exists` });
  }
  return snapshots.every((snapshot) => snapshot?.state === 'completed') ? transition(point, { type: 'source-completed' }) : point;
}

async function waitingCopies(points: readonly RecoveryPoint[], { config }: CycleInput, ports: CyclePorts, tools: Tools): Promise<Waiting[]> {
  const incomplete = points.filter((point) => isOpen(point) && point.volumes.some(({ recoverySnapshotId }) => recoverySnapshotId === undefined));
  if (incomplete.length === 0) return [];
  const progress: ReadonlyMap<string, MemberProgress> = await ports.members.progress();
  return incomplete.flatMap((point) => {
    // A member without any point counts from its first one's beginning.
    const member = { newestPointAt: progress.get(point.memberId)?.newestPointAt, firstSeenAt: point.createdAt };
    const deadline = rpoDeadline(member, config.rpoSeconds, tools.now());
    return point.volumes.filter(({ recoverySnapshotId }) => recoverySnapshotId === undefined).map((volume) => ({
      point, volume, deadline, pointId: point.pointId, sourceVolumeId: volume.sourceVolumeId, sizeGiB: volume.sizeGiB, begun: point.state === 'COPYING',
    }));
  });
}

async function startCopies(
  waiting: readonly Waiting[], inProgress: readonly { pointId: string }[], { config }: CycleInput, ports: CyclePorts, tools: Tools,
): Promise<{ failed: number; problems: RefusedCall[]; denied?: RefusedCall }> {
  const admitted = admitCopies({ waiting, inProgress, limit: config.copyConcurrency, now: Date.parse(tools.now()) });
  const byPoint = new Map<RecoveryPoint, PointVolume[]>();
  for (const { point, volume } of admitted) byPoint.set(point, [...(byPoint.get(point) ?? []), volume]);
  const problems: RefusedCall[] = [];
  let full = false;
  let failed = 0;
  let denied: RefusedCall | undefined;
  await eachOf([...byPoint], async ([point, volumes]) => {
    let next = point;
    for (const volume of volumes) {
      if (full || tools.deadline.near()) break;
      try {
        const snapshotId = await ports.recovery.copy(copyRequest(point, volume, config));
        next = transition(next, { type: 'copy-started', sourceVolumeId: volume.sourceVolumeId, snapshotId, at: tools.now() });
      } catch (error) {
        if (!(error instanceof RefusedCall)) throw error;
        const refused: RefusedCall = error;
        // Others use the quota too: what is waiting stays so until a copy ends.
        if (isRefused(error, 'quota', 'throttled')) full = true;
        // A right that is missing says nothing against the point: it waits for the right, and the cycle fails for all to see.
        else if (isRefused(error, 'denied')) denied ??= error;
        else {
          const final = isRefused(error, 'invalid') || await isGone(volume, error, ports);
          if (final) next = transition(next, { type: 'failed', reason: legible(messageOf(error)) });
          else if (!problems.some((known) => known.code === refused.code)) problems.push(refused);
        }
        break;
      }
    }
    if (next === point) return;
    try {
      await ports.points.savePoint(next, point.version);
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      return;
    }
    const context = { member: point.memberId, recoveryPoint: point.pointId };
    if (next.state !== 'FAILED') tools.log.info('Copies started', context);
    else {
      failed += 1;
      tools.log.error('Recovery point failed', { ...context, reason: next.reason });
    }
  });
  return { failed, problems, denied };
}

function copyRequest(point: RecoveryPoint, volume: PointVolume, { sourceRegion, targetKeyArn }: CycleInput['config']) {
  const sourceSnapshotId = volume.sourceSnapshotId ?? '';
  return {
    sourceRegion,
    sourceSnapshotId,
    keyArn: targetKeyArn,
    description: `Recovery point ${point.pointId} of ${point.memberId}, copy of ${sourceSnapshotId}`,
    tags: { ...snapshotTags(point), [Tag.COPY_OF]: sourceSnapshotId },
  };
}

/** CopySnapshot says "not found" also when the source Region does not answer it: only that Region's own word counts. */
async function isGone(volume: PointVolume, error: RefusedCall, ports: CyclePorts): Promise<boolean> {
  if (error.kind !== 'not-found') return false;
  const seen = await new SourceSide().ask(() => ports.source.withIds([volume.sourceSnapshotId ?? '']));
  return seen?.length === 0;
}
