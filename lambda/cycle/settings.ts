import type { MachineSettings, SourceVolume } from '../core/model';
import { TAG_PREFIX } from '../core/tags';
import type { FoundInstance, VolumeFacts } from '../adapters/ports/source-machines';

/** What EC2's list of instances does not say. */
export interface MachineDetails {
  readonly userData?: string;
  readonly uefiData?: string;
  readonly instanceRoleArn?: string;
}

/** What a machine like this one is launched with. */
export function settingsOf(instance: FoundInstance, volumes: ReadonlyMap<string, VolumeFacts>, details: MachineDetails): MachineSettings {
  const { instanceId: _id, tags, volumes: attached, ...rest } = instance;
  return { ...rest, ...details, tags: ownTags(tags), volumes: attached.flatMap((each) => volumeOf(instance, each, volumes.get(each.volumeId))) };
}

/** In words that say what to do. */
export function findingsOf(settings: MachineSettings, instance: FoundInstance): string[] {
  const findings: string[] = [];
  if (settings.volumes.length === 0) findings.push('it has no EBS volume, so there is nothing to snapshot; instance-store disks cannot be protected');
  else if (!settings.volumes.some(({ isRoot }) => isRoot)) findings.push('its root disk is no EBS volume, so it cannot be launched from a recovery point; use an EBS-backed image');
  const unseen = instance.volumes.length - settings.volumes.length;
  if (unseen > 0) findings.push(`${unseen} of its volumes could not be described; they are protected once EC2 shows them`);
  return findings;
}

function volumeOf(instance: FoundInstance, attached: FoundInstance['volumes'][number], facts: VolumeFacts | undefined): SourceVolume[] {
  if (facts === undefined) return [];
  const { volumeId, ...rest } = facts;
  return [{
    ...rest,
    sourceVolumeId: volumeId,
    deviceName: attached.deviceName,
    isRoot: attached.deviceName === instance.rootDeviceName,
    deleteOnTermination: attached.deleteOnTermination,
  }];
}

function ownTags(tags: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !key.startsWith('aws:') && !key.startsWith(TAG_PREFIX)));
}
