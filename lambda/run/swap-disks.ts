import type { RunConfig } from '../core/config';
import { clientToken } from '../core/ids';
import type { PointVolume, RunMember, RunRecord } from '../core/model';
import { Tag } from '../core/tags';
import type { MachineFacts, RecoveredVolume, RootReplacement } from '../adapters/ports/recovery-machines';
import { eachOf } from '../runtime/pool';
import type { Tools } from '../runtime/tools';
import { diskOf, epochOf } from './launch-spec';
import { runTags } from './run';

export interface SwapSetting {
  readonly record: RunRecord;
  readonly config: RunConfig;
  readonly roots: RootReplacement;
  /** Throws when the right to change anything is gone. */
  readonly confirm: () => Promise<void>;
  /** Stores what has to be known before the disks that were there are taken out. */
  readonly keep: (kept: NonNullable<RunMember['keptVolumes']>) => Promise<RunMember>;
  readonly tools: Tools;
}

export type SwapState =
  | { readonly kind: 'running' | 'waiting' }
  /** For good. */
  | { readonly kind: 'failed'; readonly reason: string };

interface Disk {
  readonly volume: PointVolume;
  /** As EC2 has it; undefined before it is made. */
  readonly made?: RecoveredVolume;
}

const WAITING: SwapState = { kind: 'waiting' };

/**
 * As many moves as EC2 allows now towards a machine that runs from the disks of its recovery point: make them, take out what
 * is there, put them in, start. Each call looks at where EC2 is, so it can be stopped anywhere. What is taken out is marked
 * and kept; nothing is written over.
 */
export async function swapDisks(member: RunMember, machine: MachineFacts, setting: SwapSetting): Promise<SwapState> {
  const { roots, record } = setting;
  const made = await roots.volumesWithTags({ [Tag.RUN]: record.runId, [Tag.MEMBER]: member.memberId });
  const disks = member.volumes.map((volume): Disk => ({ volume, made: made.find(({ snapshotId }) => snapshotId === volume.recoverySnapshotId) }));
  const isIn = ({ volume, made: own }: Disk): boolean => own !== undefined && machine.volumes.some(({ deviceName, volumeId }) => deviceName === volume.deviceName && volumeId === own.volumeId);
  const ours = new Set(disks.flatMap(({ made: own }) => own?.volumeId ?? []));
  const others = machine.volumes.filter(({ volumeId }) => !ours.has(volumeId));
  if (disks.every(isIn) && others.length === 0) return started(machine, disks, setting);
  if (machine.state === 'stopping') return WAITING;
  if (machine.state !== 'stopped') {
    return { kind: 'failed', reason: `${machine.instanceId} is ${machine.state} from other disks than those that came back. Stop it, and resume the run.` };
  }
  if (!await allMade(member, machine, disks, setting)) return WAITING;
  await keepOthers(member, others, setting);
  for (const { volumeId } of others) {
    await setting.confirm();
    await roots.detach(volumeId, machine.instanceId);
  }
  for (const { volume, made: own } of disks) {
    // A device is free once EC2 shows it so: the next call goes on.
    const taken = machine.volumes.some(({ deviceName }) => deviceName === volume.deviceName);
    if (own?.state !== 'available' || taken) continue;
    await setting.confirm();
    await roots.attach(own.volumeId, machine.instanceId, volume.deviceName);
  }
  return WAITING;
}

/** Begins those that are missing. True once all of them can be attached. */
async function allMade(member: RunMember, machine: MachineFacts, disks: readonly Disk[], { record, roots, confirm }: SwapSetting): Promise<boolean> {
  const missing = disks.filter(({ made }) => made === undefined);
  await eachOf(missing, async ({ volume }) => {
    await confirm();
    await roots.createVolume({
      clientToken: clientToken(record.project, record.runId, member.memberId, member.attempt, volume.deviceName, volume.recoverySnapshotId ?? '', ...epochOf(record)),
      availabilityZone: machine.availabilityZone ?? '',
      disk: diskOf(volume, record),
      tags: runTags(record, member),
    });
  });
  return missing.length === 0 && disks.every(({ made }) => made?.state === 'available' || made?.state === 'in-use');
}

/** On record and marked before the first of them is taken out: what is attached to nothing must say whose it is. */
async function keepOthers(member: RunMember, others: MachineFacts['volumes'], { record, config, roots, keep, confirm, tools }: SwapSetting): Promise<void> {
  const known = new Set((member.keptVolumes ?? []).map(({ volumeId }) => volumeId));
  const fresh = others.filter(({ volumeId }) => !known.has(volumeId));
  if (fresh.length === 0) return;
  await confirm();
  const expiresAt = Math.floor(Date.parse(tools.now()) / 1000) + (config.failback?.keepReplacedSeconds ?? 0);
  await roots.tag(fresh.map(({ volumeId }) => volumeId), { [Tag.PROJECT]: record.project, [Tag.REPLACED_BY]: record.runId, [Tag.EXPIRES_AT]: String(expiresAt) });
  await keep([...member.keptVolumes ?? [], ...fresh.map(({ deviceName, volumeId }) => ({ deviceName, volumeId }))]);
}

/** All disks are in. */
async function started(machine: MachineFacts, disks: readonly Disk[], { record, roots, confirm }: SwapSetting): Promise<SwapState> {
  if (machine.state === 'running') return { kind: 'running' };
  if (machine.state !== 'stopped') return WAITING;
  for (const { volume } of disks) {
    // An attached volume stays by default when its machine is terminated.
    if (!diskOf(volume, record).deleteOnTermination) continue;
    await confirm();
    await roots.setDeleteOnTermination(machine.instanceId, volume.deviceName, true);
  }
  await confirm();
  await roots.start(machine.instanceId);
  return WAITING;
}
