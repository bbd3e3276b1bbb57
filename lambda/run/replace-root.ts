import type { RunConfig } from '../core/config';
import { clientToken } from '../core/ids';
import { launchConfigFor } from '../core/launch-plan';
import type { RunMember, RunRecord } from '../core/model';
import { Tag } from '../core/tags';
import type { MachineFacts, RecoveredVolume, RootReplacement } from '../adapters/ports/recovery-machines';
import { diskOf, epochOf, machineTags } from './launch-spec';

/**
 * One move towards the machine running from its own root disk instead of the base image's: stop, create the volume, detach,
 * attach, start, delete the base's. Each call looks at where EC2 is and makes the next move, so it can be stopped anywhere.
 * True once the machine runs from its own root.
 */
export async function replaceRoot(
  member: RunMember, machine: MachineFacts, record: RunRecord, config: RunConfig, roots: RootReplacement,
): Promise<boolean> {
  const own = member.volumes.find(({ isRoot }) => isRoot);
  if (own === undefined) return machine.state === 'running';
  const device = machine.rootDeviceName ?? member.settings.rootDeviceName;
  const volumes = await roots.volumesWithTags({ [Tag.RUN]: record.runId, [Tag.MEMBER]: member.memberId });
  const target = volumes.find(({ snapshotId }) => snapshotId === own.recoverySnapshotId);
  const attached = machine.volumes.find(({ deviceName }) => deviceName === device)?.volumeId;

  if (target !== undefined && attached === target.volumeId) return settled(member, machine, device, target, volumes, { record, config, roots });
  if (machine.state === 'running') await roots.stop(machine.instanceId);
  if (machine.state !== 'stopped') return false;
  if (target === undefined) {
    await roots.createVolume({
      clientToken: clientToken(record.project, record.runId, member.memberId, member.attempt, 'root', ...epochOf(record)),
      availabilityZone: machine.availabilityZone ?? '',
      disk: { ...diskOf(own, record), deviceName: device },
      tags: machineTags(member, record, config),
    });
  } else if (target.state === 'available') {
    if (attached !== undefined) await roots.detach(attached, machine.instanceId);
    else await roots.attach(target.volumeId, machine.instanceId, device);
  }
  return false;
}

interface Setting {
  readonly record: RunRecord;
  readonly config: RunConfig;
  readonly roots: RootReplacement;
}

/** The right root is attached: what remains is to give the machine its settings, to start it and to remove the base's root. */
async function settled(
  member: RunMember, machine: MachineFacts, device: string, target: RecoveredVolume, volumes: readonly RecoveredVolume[], { record, config, roots }: Setting,
): Promise<boolean> {
  if (machine.state === 'stopped') {
    const own = member.volumes.find(({ isRoot }) => isRoot);
    // An attached volume stays by default when its machine is terminated.
    if (own !== undefined && diskOf(own, record).deleteOnTermination) await roots.setDeleteOnTermination(machine.instanceId, device, true);
    const { userData } = member.settings;
    if (userData !== undefined && launchConfigFor(config, member.endpoint).keepUserData !== false) await roots.setUserData(machine.instanceId, userData);
    await roots.start(machine.instanceId);
    return false;
  }
  if (machine.state !== 'running') return false;
  const recovered = new Set(member.volumes.map(({ recoverySnapshotId }) => recoverySnapshotId));
  const leftovers = volumes.filter(({ volumeId, snapshotId, state }) => volumeId !== target.volumeId && state === 'available' && !recovered.has(snapshotId));
  for (const { volumeId } of leftovers) await roots.deleteVolume(volumeId);
  return true;
}
