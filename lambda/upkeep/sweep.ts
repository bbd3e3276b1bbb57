import type { UpkeepConfig } from '../core/config';
import type { RecoveryPoint, RunRecord } from '../core/model';
import { findOrphans, sweepScope, type TaggedResource } from '../core/sweep';
import { Tag } from '../core/tags';
import { ConflictError, messageOf } from '../adapters/errors';
import type { MemberStore, PointStore, RunStore } from '../adapters/ports/catalogue';
import type { LeaseStore } from '../adapters/ports/lease';
import type { RecoveryMachines } from '../adapters/ports/recovery-machines';
import type { Executions } from '../adapters/ports/services';
import type { SnapshotFacts, Snapshots } from '../adapters/ports/snapshots';
import type { CyclePorts } from '../cycle/cycle';
import { removeAll } from '../cycle/removal';
import { eachOf, mapOf } from '../runtime/pool';
import type { Tools } from '../runtime/tools';
import { removeOrphanVolumes, type OrphanVolumePorts } from './orphan-volumes';
import { endReturnPoints, returnPoints } from './return-points';

export interface SweepPorts {
  readonly members: MemberStore;
  readonly points: PointStore;
  readonly runs: RunStore;
  readonly source: Snapshots;
  readonly recovery: Snapshots;
  /** Those of the way back, whose Regions are exchanged. */
  readonly returns: CyclePorts;
  readonly leases: LeaseStore;
  readonly disks: OrphanVolumePorts['disks'];
  readonly machines: Pick<RecoveryMachines, 'images' | 'deregisterImage'>;
  readonly executions: Pick<Executions, 'ending'>;
}

export interface SweepResult {
  readonly snapshots: number;
  readonly images: number;
  /** Disks that a failback made and did not use. */
  readonly volumes: number;
  /** Runs whose execution was stopped or timed out, now recorded as failed. */
  readonly runs: number;
  /** Pins of runs that have ended without taking them away. */
  readonly pins: number;
  readonly problems: readonly string[];
}

/** Removes what the project's steps made and no record refers to. A Region that refuses is reported and left for the next time. */
export async function sweep(input: { readonly config: UpkeepConfig }, ports: SweepPorts, tools: Tools): Promise<SweepResult> {
  return new Sweeper(input.config, ports, tools).run();
}

class Sweeper {
  private readonly problems: string[] = [];
  private failedRuns = 0;

  constructor(private readonly config: UpkeepConfig, private readonly ports: SweepPorts, private readonly tools: Tools) {}

  async run(): Promise<SweepResult> {
    const { config, ports } = this;
    // What exists is listed before what is recorded: a record is never younger than the list it is compared with.
    const found = await this.resources();
    const images = (await this.attempt(config.recoveryRegion, () => ports.machines.images(Tag.PROJECT, [config.project])) ?? [])
      .map(({ imageId, createdAt, tags }) => ({ id: imageId, region: config.recoveryRegion, createdAt, tags }));
    const [points, liveRuns] = await Promise.all([this.recordedPoints(), this.liveRuns()]);
    const returned = await returnPoints(ports.returns);
    const pins = await this.unpin(points, liveRuns, ports.points) + await this.unpin(returned, liveRuns, ports.returns.points);
    const base = { project: config.project, liveRuns, now: this.tools.now(), orphanAgeSeconds: config.orphanAgeSeconds };
    const suspects = findOrphans({ ...sweepScope([...points, ...returned]), ...base, snapshots: found, images });
    const orphans = await this.confirmed(suspects.snapshots, base);
    const removedImages = await this.removeImages(suspects.images);
    const ended = returned.length === 0 ? 0 : await this.attempt('way back', () => endReturnPoints(ports.returns, ports.leases, config.orphanAgeSeconds, this.tools)) ?? 0;
    const volumes = config.replaces !== true ? 0 : await this.attempt(config.sourceRegion, () => removeOrphanVolumes(config, ports, this.tools)) ?? 0;
    const snapshots = await this.removeSnapshots(orphans);
    const result = { snapshots, images: removedImages, volumes, runs: this.failedRuns, pins, problems: this.problems };
    this.tools.metrics([{ name: 'OrphansRemoved', value: snapshots + removedImages + volumes, unit: 'Count' }]);
    this.tools.log.info('Sweep', { project: config.project, ...result, snapshotsOfTheWayBack: ended });
    return result;
  }

  private async resources(): Promise<TaggedResource[]> {
    const { project, sourceRegion, recoveryRegion } = this.config;
    const of = (region: string) => ({ snapshotId, startTime, tags }: SnapshotFacts): TaggedResource => ({ id: snapshotId, region, createdAt: startTime, tags });
    const source = await this.attempt(sourceRegion, () => this.ports.source.withTag(Tag.PROJECT, [project]));
    const recovery = await this.attempt(recoveryRegion, () => this.ports.recovery.withTag(Tag.PROJECT, [project]));
    return [...(source ?? []).map(of(sourceRegion)), ...(recovery ?? []).map(of(recoveryRegion))];
  }

  private async recordedPoints(): Promise<RecoveryPoint[]> {
    const members = await this.ports.members.members();
    const complete = await mapOf(members, ({ memberId }) => this.ports.points.completePoints(memberId));
    return [...await this.ports.points.openPoints(), ...complete.flat()];
  }

  private async liveRuns(): Promise<Set<string>> {
    const running = (await this.ports.runs.runs()).filter(({ status }) => status === 'RUNNING');
    const live = await mapOf(running, async ({ runId }) => await this.isOver(runId) ? [] : [runId]);
    return new Set(live.flat());
  }

  /**
   * An execution that was stopped or timed out writes no end, and would hold its points and images for ever. Its run is
   * recorded as failed, which can be resumed; whoever stopped it to do so at once has until orphans are removed.
   */
  private async isOver(runId: string): Promise<boolean> {
    const run = await this.ports.runs.run(runId);
    if (run?.status !== 'RUNNING') return true;
    const ending = await this.attempt(this.config.recoveryRegion, async () => ({ of: await this.ports.executions.ending(run.executionArn) }));
    if (ending?.of === undefined) return false;
    const endedAt = ending.of.at ?? run.startedAt;
    if (Date.parse(endedAt) > Date.parse(this.tools.now()) - this.config.orphanAgeSeconds * 1000) return false;
    return this.fail(run, endedAt);
  }

  /** False when another execution has just resumed it. */
  private async fail(run: RunRecord, endedAt: string): Promise<boolean> {
    try {
      await this.ports.runs.saveRun({ ...run, status: 'FAILED', endedAt, error: 'Its execution was stopped, or ran out of time. Start one with this run\'s id to resume it.' }, run);
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      return false;
    }
    this.failedRuns += 1;
    this.tools.log.error('A run whose execution had ended was still recorded as running', { run: run.runId, execution: run.executionArn });
    return true;
  }

  /**
   * The index may lag, and a row that is missing from it must not cost a recovery point its snapshots: before anything is
   * deleted, the points of the members concerned are read again, consistently.
   */
  private async confirmed(suspects: readonly TaggedResource[], base: { project: string; liveRuns: Set<string>; now: string; orphanAgeSeconds: number }) {
    const members = [...new Set(suspects.flatMap(({ tags }) => tags[Tag.MEMBER] ?? []))];
    const stores = [this.ports.points, this.ports.returns.points];
    const points = (await mapOf(members, async (memberId) => (await mapOf(stores, (store) => store.allPoints(memberId))).flat())).flat();
    const known = suspects.filter(({ tags }) => tags[Tag.MEMBER] !== undefined);
    return findOrphans({ ...sweepScope(points), ...base, snapshots: known, images: [] }).snapshots;
  }

  private async removeImages(images: readonly TaggedResource[]): Promise<number> {
    let removed = 0;
    await eachOf(images, async (image) => {
      if (await this.attempt(image.region, () => this.ports.machines.deregisterImage(image.id)) === 'removed') removed += 1;
    });
    return removed;
  }

  private async removeSnapshots(orphans: readonly TaggedResource[]): Promise<number> {
    let removed = 0;
    await eachOf(orphans, async ({ id, region, tags }) => {
      if (this.tools.deadline.near()) return;
      const side = region === this.config.sourceRegion ? this.ports.source : this.ports.recovery;
      const outcome = await this.attempt(region, () => removeAll([id], side));
      removed += outcome?.removed ?? 0;
      this.tools.log.warn('Orphan removed', { snapshot: id, region, member: tags[Tag.MEMBER], recoveryPoint: tags[Tag.POINT], left: outcome?.left });
    });
    return removed;
  }

  /** A run that died between its end and its last write would keep its points for ever. */
  private async unpin(points: readonly RecoveryPoint[], liveRuns: ReadonlySet<string>, store: PointStore): Promise<number> {
    let pins = 0;
    const suspects = points.flatMap((point) => (point.pinnedBy ?? []).filter((runId) => !liveRuns.has(runId)).map((runId) => ({ point, runId })));
    await eachOf(suspects, async ({ point, runId }) => {
      if ((await this.ports.runs.run(runId))?.status === 'RUNNING') return;
      await store.unpin(point, runId);
      pins += 1;
    });
    return pins;
  }

  private async attempt<T>(region: string, call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call();
    } catch (error) {
      const problem = `${region}: ${messageOf(error)}`;
      this.tools.log.error('Sweep could not do all', { problem });
      if (!this.problems.includes(problem)) this.problems.push(problem);
      return undefined;
    }
  }
}
