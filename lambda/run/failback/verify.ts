import { createHash } from 'node:crypto';
import { chooseBlocks } from '../../core/block-choice';
import { BlockSet, inChunks } from '../../core/block-set';
import type { RunConfig } from '../../core/config';
import type { PointVolume, RunMember } from '../../core/model';
import { isRefused, messageOf } from '../../adapters/errors';
import type { PointStore, RunStore } from '../../adapters/ports/catalogue';
import type { LeaseStore } from '../../adapters/ports/lease';
import type { SnapshotBlocks, VerificationRecord, VerificationStore } from '../../adapters/ports/snapshot-blocks';
import type { Tools } from '../../runtime/tools';
import { confirmEpoch } from '../lease';
import { DONE, listed, RunFailed, saved, timed, type RunRef, type StepResult } from '../run';
import { failbackOf, hasSwitched } from './sides';

export interface VerifyInput {
  readonly config: RunConfig;
  readonly run: RunRef;
}

export interface VerifyPorts {
  readonly runs: RunStore;
  readonly leases: LeaseStore;
  readonly back: { readonly points: Pick<PointStore, 'completePoints'> };
  readonly verifications: VerificationStore;
  /** Of the recovery Region: where the disks come from. */
  readonly recovery: SnapshotBlocks;
  /** Of the source Region: what has arrived. */
  readonly source: SnapshotBlocks;
}

const STEP = 'verify';
/** Progress is written so often: what a killed step has compared since is compared again. */
const BATCH = 256;
const WAIT_SECONDS = 5;
/** Nobody is served meanwhile: a Region that does not let a single batch be read for so long ends the failback. */
const PATIENCE_SECONDS = 1800;

/** Compares the disks that come back: their snapshot in the recovery Region and its copy in the source Region, block by block. */
export function verifyDisks(input: VerifyInput, ports: VerifyPorts, tools: Tools): Promise<StepResult> {
  return timed(STEP, input, ports.runs, tools, async () => {
    await confirmEpoch(input.run, ports.leases);
    if (hasSwitched(await ports.leases.lease(), input.run.runId)) return DONE;
    const { runId } = input.run;
    const members = await ports.runs.runMembers(runId);
    const known = new Map((await ports.verifications.verifications(runId)).map((record) => [keyOf(record), record]));
    try {
      const records: VerificationRecord[] = [];
      for (const member of members) {
        for (const volume of member.volumes) {
          const record = await new DiskCheck(member, volume, input, ports, tools).run(known.get(keyOf({ memberId: member.memberId, deviceName: volume.deviceName })));
          if (record.equal < record.blocks) return { done: false, waitSeconds: 1 };
          records.push(record);
        }
        await noted(member, records, ports.runs);
      }
      return { ...DONE, detail: `${sum(records, 'equal')} of ${sum(records, 'of')} blocks of ${records.length} disks equal` };
    } catch (error) {
      if (!isRefused(error)) throw error;
      if (await stuckSeconds(runId, ports, tools) > PATIENCE_SECONDS || !isRefused(error, 'throttled', 'unreachable', 'quota', 'not-ready')) throw new RunFailed('VerifyFailed', `What came back cannot be compared: ${messageOf(error)}`);
      tools.log.warn('Verification delayed', { run: runId, reason: error.message });
      return { done: false, waitSeconds: WAIT_SECONDS };
    }
  });
}

/** Since anything was compared: all blocks of large disks take hours, in which the APIs throttle more than once. */
async function stuckSeconds(runId: string, { runs, verifications }: VerifyPorts, tools: Tools): Promise<number> {
  const begun = (await runs.steps(runId)).find(({ name }) => name === STEP)?.startedAt ?? tools.now();
  const last = (await verifications.verifications(runId)).reduce((newest, { at }) => (at > newest ? at : newest), begun);
  return (Date.parse(tools.now()) - Date.parse(last)) / 1000;
}

class DiskCheck {
  constructor(
    private readonly member: RunMember, private readonly volume: PointVolume, private readonly input: VerifyInput,
    private readonly ports: VerifyPorts, private readonly tools: Tools,
  ) {}

  async run(known: VerificationRecord | undefined): Promise<VerificationRecord> {
    const before = known?.pointId === this.member.pointId ? known : undefined;
    if (before !== undefined && before.equal >= before.blocks) return before;
    const { from, to } = this.snapshots();
    const [there, here] = await Promise.all([this.ports.recovery.list(from), this.ports.source.list(to)]);
    if (there.blockSize !== here.blockSize || there.volumeSizeGiB !== here.volumeSizeGiB) {
      throw this.failed(`the disk has ${here.volumeSizeGiB} GiB in blocks of ${here.blockSize} bytes, not ${there.volumeSizeGiB} GiB in blocks of ${there.blockSize}`);
    }
    const all = there.indexes.union(here.indexes);
    const chosen = chooseBlocks({ all, always: await this.changed(), sample: failbackOf(this.input.config).verifyBlocks, seed: `${this.member.runId}/${this.member.memberId}/${this.volume.deviceName}` });
    // Progress counts only over the same choice.
    let record: VerificationRecord = before?.blocks === chosen.size ? before : {
      runId: this.member.runId, memberId: this.member.memberId, deviceName: this.volume.deviceName, pointId: this.member.pointId, blocks: chosen.size, of: all.size, equal: 0, at: this.tools.now(),
    };
    // A disk of which nothing was ever written is equal at once, and on record.
    if (chosen.size === 0) await this.ports.verifications.saveVerification(record);
    for (const some of inChunks(chosen, BATCH, record.equal)) {
      if (this.tools.deadline.near()) return record;
      await this.compare(some, here.blockSize);
      record = { ...record, blocks: chosen.size, of: all.size, equal: record.equal + some.length, at: this.tools.now() };
      await this.ports.verifications.saveVerification(record);
    }
    return record;
  }

  /** EBS does not promise that a copy lists the same blocks: one that is listed on one side only must hold zeros there. */
  private async compare(indexes: readonly number[], blockSize: number): Promise<void> {
    const { from, to } = this.snapshots();
    const [there, here] = await Promise.all([this.ports.recovery.hashes(from, indexes), this.ports.source.hashes(to, indexes)]);
    const zeros = zeroHash(blockSize);
    const differing = indexes.filter((index) => (there.get(index) ?? zeros) !== (here.get(index) ?? zeros));
    if (differing.length > 0) throw this.failed(`blocks ${listed(differing.map(String))} differ`);
  }

  /** What was written between the two synchronisations, as far as EBS can tell: most likely to have gone wrong. */
  private async changed(): Promise<BlockSet> {
    const points = (await this.ports.back.points.completePoints(this.member.memberId)).filter(({ consistentAt }) => consistentAt !== undefined && consistentAt < this.member.consistentAt);
    const [earlier] = points.sort((a, b) => ((a.consistentAt ?? '') < (b.consistentAt ?? '') ? 1 : -1));
    const first = earlier?.volumes.find(({ sourceVolumeId }) => sourceVolumeId === this.volume.sourceVolumeId)?.sourceSnapshotId;
    return (first === undefined ? undefined : await this.ports.recovery.changed(first, this.snapshots().from)) ?? new BlockSet();
  }

  private snapshots(): { readonly from: string; readonly to: string } {
    const { sourceSnapshotId, recoverySnapshotId } = this.volume;
    if (sourceSnapshotId === undefined || recoverySnapshotId === undefined) throw this.failed('its snapshots are not on record');
    return { from: sourceSnapshotId, to: recoverySnapshotId };
  }

  private failed(reason: string): RunFailed {
    return new RunFailed('VerifyFailed', `${this.member.memberId}, ${this.volume.deviceName}: what came back to ${this.input.config.sourceRegion} is not what the recovered machine holds: ${reason}.`);
  }
}

async function noted(member: RunMember, records: readonly VerificationRecord[], runs: RunStore): Promise<void> {
  const own = records.filter(({ memberId }) => memberId === member.memberId);
  const verified = { blocks: sum(own, 'equal'), of: sum(own, 'of') };
  if (member.verified?.blocks !== verified.blocks || member.verified.of !== verified.of) await saved(runs, member, { verified });
}

function sum(records: readonly VerificationRecord[], field: 'equal' | 'of'): number {
  return records.reduce((total, record) => total + record[field], 0);
}

function keyOf({ memberId, deviceName }: Pick<VerificationRecord, 'memberId' | 'deviceName'>): string {
  return `${memberId}|${deviceName}`;
}

function zeroHash(blockSize: number): string {
  return createHash('sha256').update(Buffer.alloc(blockSize)).digest('hex');
}
