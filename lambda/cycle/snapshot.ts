import { randomUUID } from 'node:crypto';
import { DomainError } from '../core/errors';
import { pointId } from '../core/ids';
import type { EndpointMember, RecoveryPoint } from '../core/model';
import { isOpen, transition } from '../core/point-state';
import { Tag } from '../core/tags';
import { snapshotWait } from '../core/waits';
import { ConflictError, isRefused, messageOf, RefusedCall } from '../adapters/errors';
import type { StartedSnapshot } from '../adapters/ports/snapshots';
import { eachOf } from '../runtime/pool';
import { pace, type Tools } from '../runtime/tools';
import { ActiveSide } from './active-side';
import { legible, noteProblem, secondsSince, SETTLE_SECONDS, SourceSide, type CycleInput, type CyclePorts } from './cycle';
import { byPoint, setDescription, snapshotTags, wholeSet, withSet } from './sets';

export interface SnapshotResult {
  readonly done: boolean;
  readonly created: number;
  readonly adopted: number;
  readonly failed: number;
  readonly waitSeconds: number;
}

/** More would queue snapshots of the same disk in EC2 (5 at once per volume) without a newer recovery point for it. */
const OPEN_POINTS_PER_MEMBER = 2;

type Outcome = 'created' | 'adopted' | 'failed' | 'later' | 'nothing';

/**
 * One consistency set of every member. CreateSnapshots has no client token, so the intent is recorded first, and whoever
 * comes upon an intent looks for its snapshots by tag before making any.
 */
export async function snapshotMembers(input: CycleInput, ports: CyclePorts, tools: Tools): Promise<SnapshotResult> {
  const step = new SnapshotStep(input, ports, tools);
  return step.run();
}

class SnapshotStep {
  private readonly source = new SourceSide();
  private readonly counts: Record<Outcome, number> = { created: 0, adopted: 0, failed: 0, later: 0, nothing: 0 };
  private readonly side: ActiveSide;
  private interrupted = false;

  constructor(private readonly input: CycleInput, private readonly ports: CyclePorts, private readonly tools: Tools) {
    this.side = new ActiveSide(input.config.direction ?? 'forward', ports.leases, tools);
  }

  async run(): Promise<SnapshotResult> {
    const { cycle } = this.input;
    const [members, open, progress] = await Promise.all([
      this.ports.members.members(), this.ports.points.openPoints(), this.ports.cycles.cycleProgress(cycle.cycleId),
    ]);
    const absent = new Set(progress?.absent);
    const present = members.filter((member) => member.missingSince === undefined && !absent.has(member.endpoint) && member.settings.volumes.length > 0);
    const begun = this.ownIntents(present, open);
    await this.settle([...begun.resumed, ...open.filter((point) => isIntent(point) && point.cycleId !== cycle.cycleId)]);
    const turn = pace(this.input.config.snapshotsPerSecond, this.tools);
    await eachOf(begun.fresh, async (member) => {
      if (this.source.refused) return;
      await turn();
      if (this.tools.deadline.near()) this.interrupted = true;
      else if (await this.side.holds()) await this.begin(member);
    });
    if (this.source.refused) await noteProblem(this.ports.cycles, this.input, `Snapshots in ${this.input.config.sourceRegion} failed`, this.tools, this.source.reason);
    if (this.side.isLost) await noteProblem(this.ports.cycles, this.input, `No more snapshots in ${this.input.config.sourceRegion}: the other side has become the active one`, this.tools);
    return this.result();
  }

  /** Members to begin with, and what an interrupted attempt of this cycle began. */
  private ownIntents(members: readonly EndpointMember[], open: readonly RecoveryPoint[]) {
    const ofCycle = new Map(open.filter((point) => point.cycleId === this.input.cycle.cycleId).map((point) => [point.memberId, point]));
    const openCount = new Map<string, number>();
    for (const point of open.filter(isOpen)) openCount.set(point.memberId, (openCount.get(point.memberId) ?? 0) + 1);
    const fresh = members.filter(({ memberId }) => {
      if (ofCycle.has(memberId)) return false;
      const waiting = openCount.get(memberId) ?? 0;
      if (waiting < OPEN_POINTS_PER_MEMBER) return true;
      this.tools.log.warn(`No new snapshot: ${waiting} recovery points are still on their way`, { member: memberId });
      return false;
    });
    return { fresh, resumed: [...ofCycle.values()].filter(isIntent) };
  }

  private async begin(member: EndpointMember): Promise<void> {
    const intent = this.intentFor(member);
    if (await this.ports.points.createPoint(intent)) {
      await this.create(intent);
      return;
    }
    // The index did not show it yet: an earlier attempt of this cycle was here.
    const stored = await this.ports.points.point(intent.memberId, intent.createdAt, intent.pointId);
    if (stored !== undefined && isIntent(stored)) await this.settle([stored]);
  }

  private intentFor({ memberId, instanceId, settings }: EndpointMember): RecoveryPoint {
    const { config, cycle } = this.input;
    return {
      project: config.project,
      memberId,
      ...(instanceId === ownInstance(memberId) ? {} : { instanceId }),
      pointId: pointId(config.project, memberId, cycle.cycleId),
      cycleId: cycle.cycleId,
      state: 'CREATING',
      createdAt: cycle.startedAt,
      attemptedAt: this.tools.now(),
      volumes: settings.volumes.map(({ encrypted: _encrypted, kmsKeyId: _key, ...volume }) => volume),
      version: 1,
    };
  }

  /** Intents whose snapshots may exist: adopt them, make them, or give the intent up. */
  private async settle(intents: readonly RecoveryPoint[]): Promise<void> {
    if (intents.length === 0) return;
    const found = await this.source.ask(() => this.ports.source.withTag(Tag.POINT, intents.map((point) => point.pointId)));
    if (found === undefined) return;
    const snapshots = byPoint(found);
    await eachOf(intents, async (intent) => {
      const own = snapshots.get(intent.pointId) ?? [];
      const set = wholeSet(intent, own);
      if (set !== undefined) await this.record(intent, () => withSet(intent, set), 'adopted');
      else if (secondsSince(intent.attemptedAt ?? intent.createdAt, this.tools) < SETTLE_SECONDS) this.count('later', intent);
      else if (own.length > 0) await this.fail(intent, `only ${own.length} of ${intent.volumes.length} disks have a snapshot`);
      else if (intent.cycleId !== this.input.cycle.cycleId) await this.fail(intent, 'its cycle ended before its snapshots were made');
      else await this.repeat(intent);
    });
  }

  /** Not on a side that is no longer the active one: the next cycle of this direction gives the intent up. */
  private async repeat(intent: RecoveryPoint): Promise<void> {
    if (!await this.side.holds()) return;
    const again = { ...intent, attemptedAt: this.tools.now(), version: intent.version + 1 };
    await this.ports.points.savePoint(again, intent.version);
    await this.create(again);
  }

  private async create(intent: RecoveryPoint): Promise<void> {
    const { instanceId = ownInstance(intent.memberId) } = intent;
    let set: StartedSnapshot[] | undefined;
    try {
      set = await this.ports.source.createSet({ instanceId, description: setDescription(intent, randomUUID()), tags: snapshotTags(intent) });
    } catch (error) {
      if (isRefused(error, 'denied')) await noteProblem(this.ports.cycles, this.input, `Snapshots in ${this.input.config.sourceRegion} are not allowed`, this.tools, error);
      if (isRefused(error, 'not-found', 'invalid', 'denied', 'not-ready', 'other')) await this.fail(intent, legible(messageOf(error)));
      else if (isRefused(error, 'quota', 'throttled')) this.count('later', intent);
      else if (error instanceof RefusedCall) await this.source.ask(() => Promise.reject(error));
      else throw error;
      return;
    }
    const made = set;
    await this.record(intent, () => withSet(intent, made), 'created');
  }

  private async fail(point: RecoveryPoint, reason: string): Promise<void> {
    await this.record(point, () => transition(point, { type: 'failed', reason }), 'failed');
  }

  private async record(point: RecoveryPoint, change: () => RecoveryPoint, outcome: Outcome): Promise<void> {
    let next: RecoveryPoint;
    try {
      next = change();
    } catch (error) {
      if (!(error instanceof DomainError) || outcome === 'failed') throw error;
      await this.fail(point, error.message);
      return;
    }
    try {
      if (next !== point) await this.ports.points.savePoint(next, point.version);
      this.count(outcome, next);
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      this.count('nothing', point);
    }
    if (outcome === 'failed') await this.ports.cycles.noteProgress(this.input.cycle.cycleId, { failed: 1 });
  }

  private count(outcome: Outcome, point: RecoveryPoint): void {
    this.counts[outcome] += 1;
    const context = { member: point.memberId, recoveryPoint: point.pointId };
    if (outcome === 'failed') this.tools.log.error('Recovery point failed', { ...context, reason: point.reason });
    else if (outcome !== 'nothing') this.tools.log.info(`Snapshots: ${outcome}`, context);
  }

  private result(): SnapshotResult {
    const { created, adopted, failed, later } = this.counts;
    const overdue = Date.parse(this.tools.now()) >= Date.parse(this.input.cycle.deadline);
    const done = !this.interrupted && (later === 0 || this.source.refused || this.side.isLost || overdue);
    const wait = snapshotWait(secondsSince(this.input.cycle.startedAt, this.tools), this.input.config.pollSeconds);
    return { done, created, adopted, failed, waitSeconds: done ? 0 : this.interrupted ? 1 : wait };
  }
}

/** Recorded, and without snapshots as far as the catalogue knows. */
function isIntent(point: RecoveryPoint): boolean {
  return point.state === 'CREATING' && point.consistentAt === undefined;
}

function ownInstance(memberId: string): string {
  return memberId.slice(memberId.lastIndexOf('/') + 1);
}
