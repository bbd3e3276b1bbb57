import type { RecoveryPoint } from '../core/model';
import { isOpen, transition } from '../core/point-state';
import { retain } from '../core/retention';
import { ConflictError } from '../adapters/errors';
import type { MemberProgress } from '../adapters/ports/catalogue';
import { eachOf } from '../runtime/pool';
import type { Tools } from '../runtime/tools';
import { cleanEnded } from './clean';
import { noteProblem, secondsSince, SourceSide, type CycleInput, type CyclePorts } from './cycle';
import { removeAll } from './removal';

export interface PruneResult {
  readonly done: boolean;
  readonly expired: number;
  /** Snapshots, on both sides. */
  readonly deleted: number;
}

/** A policy by age lets points expire without any new one; to look once an hour is enough for that. */
const REVIEW_SECONDS = 3600;

/** Applies retention to the members whose points may have changed, then deletes the snapshots of ended points on both sides. */
export async function prune(input: CycleInput, ports: CyclePorts, tools: Tools): Promise<PruneResult> {
  const step = new PruneStep(input, ports, tools);
  return step.run();
}

class PruneStep {
  private readonly source = new SourceSide();
  private readonly ended: RecoveryPoint[] = [];
  private interrupted = false;
  private deleted = 0;

  constructor(private readonly input: CycleInput, private readonly ports: CyclePorts, private readonly tools: Tools) {}

  async run(): Promise<PruneResult> {
    const departed = (await this.ports.cycles.cycleProgress(this.input.cycle.cycleId))?.departed ?? [];
    await eachOf(departed, async (memberId) => {
      if (this.tools.deadline.near()) this.interrupted = true;
      else await this.forget(memberId);
    });
    const progress = await this.ports.members.progress();
    const due = [...progress].filter(([memberId, each]) => this.isDue(each) && !departed.includes(memberId));
    await eachOf(due, async ([memberId, each]) => {
      if (this.tools.deadline.near()) this.interrupted = true;
      else await this.review(memberId, each);
    });
    const expired = this.ended.length;
    const cleaned = await cleanEnded(this.ended, this.source, this.ports, this.tools);
    if (this.source.refused) {
      await noteProblem(this.ports.cycles, this.input, `Snapshots in ${this.input.config.sourceRegion} could not be deleted`, this.tools, this.source.reason);
    }
    return { done: !this.interrupted && cleaned.done, expired, deleted: this.deleted + cleaned.deleted };
  }

  private isDue({ newestPointAt, prunedAt, prunedNewest }: MemberProgress): boolean {
    if (newestPointAt === undefined) return false;
    return newestPointAt !== prunedNewest || prunedAt === undefined || secondsSince(prunedAt, this.tools) >= REVIEW_SECONDS;
  }

  private async review(memberId: string, { newestPointAt = '' }: MemberProgress): Promise<void> {
    const { config } = this.input;
    const points = (await this.ports.points.completePoints(memberId)).filter(({ consistentAt }) => consistentAt !== undefined);
    const newest = points.map(instantOf).sort().at(-1) ?? newestPointAt;
    // A step killed between the two writes of a commit left it behind.
    if (newest > newestPointAt) await this.ports.members.noteNewestPoint(memberId, newest);
    const now = this.tools.now();
    const { keep } = retain(points.map(retained), config.retention, now);
    for (const point of points) {
      if (!keep.has(point.pointId)) await this.expire(point, now);
    }
    const kept = points.filter(({ pointId }) => keep.has(pointId));
    const withSource = kept.filter(({ volumes }) => volumes.some(({ sourceSnapshotId }) => sourceSnapshotId !== undefined));
    const inSource = retain(withSource.map(retained), config.sourceRetention, now).keep;
    let complete = true;
    for (const point of withSource) {
      if (!inSource.has(point.pointId) && !await this.removeSource(point)) complete = false;
    }
    if (complete) await this.ports.members.notePruned(memberId, now, newest);
  }

  /** Retention keeps the newest point of every machine; one that has been gone for long is not worth that. What a run uses stays. */
  private async forget(memberId: string): Promise<void> {
    const points = (await this.ports.points.allPoints(memberId)).filter((point) => isOpen(point) || point.state === 'COMPLETE');
    const now = this.tools.now();
    let ended = 0;
    for (const point of points) {
      if (point.state !== 'COMPLETE' || (point.pinnedBy?.length ?? 0) > 0) continue;
      if (await this.expire(point, now, 'its machine has been missing for longer than it is kept')) ended += 1;
    }
    if (ended < points.length) return;
    await this.ports.members.removeMember(memberId);
    this.tools.log.warn('Forgot a machine that has been missing for long, with its recovery points', { member: memberId, expired: ended });
  }

  private async expire(point: RecoveryPoint, now: string, reason = 'not kept by the retention policy'): Promise<boolean> {
    const next = transition(point, { type: 'expired', reason, at: now });
    if (!await this.saved(next, point)) return false;
    this.ended.push(next);
    this.tools.log.info('Recovery point expired', { member: point.memberId, recoveryPoint: point.pointId, reason });
    return true;
  }

  /** False when it has to be tried again. */
  private async removeSource(point: RecoveryPoint): Promise<boolean> {
    const ids = point.volumes.flatMap(({ sourceSnapshotId }) => sourceSnapshotId ?? []);
    const removal = await this.source.ask(() => removeAll(ids, this.ports.source));
    if (removal === undefined) return false;
    this.deleted += removal.removed;
    if (removal.left.length > 0) return false;
    await this.saved(transition(point, { type: 'source-removed' }), point);
    return true;
  }

  private async saved(next: RecoveryPoint, read: RecoveryPoint): Promise<boolean> {
    try {
      await this.ports.points.savePoint(next, read.version);
      return true;
    } catch (error) {
      // Perhaps a recovery run has just pinned it: then it stays.
      if (error instanceof ConflictError) return false;
      throw error;
    }
  }
}

function instantOf({ consistentAt, createdAt }: RecoveryPoint): string {
  return consistentAt ?? createdAt;
}

function retained(point: RecoveryPoint) {
  return { pointId: point.pointId, at: instantOf(point), pinned: (point.pinnedBy?.length ?? 0) > 0 };
}
