import {
  AttachVolumeCommand, CreateTagsCommand, CreateVolumeCommand, DeleteVolumeCommand, DescribeVolumesCommand, DetachVolumeCommand,
  ModifyInstanceAttributeCommand, StartInstancesCommand, StopInstancesCommand, type EC2Client,
} from '@aws-sdk/client-ec2';
import { recordOf, tagFilters, tagSpecifications } from './ec2-common';
import { mappingOf } from './ec2-machine';
import { isRefused, refusing } from './errors';
import { allPages } from './paging';
import type { RecoveredVolume, RootReplacement, VolumeSpec } from './ports/recovery-machines';

const PAGE = 500;

export class Ec2RootReplacement implements RootReplacement {
  constructor(private readonly client: EC2Client) {}

  async stop(instanceId: string, force = false): Promise<void> {
    await refusing('StopInstances', () => this.client.send(new StopInstancesCommand({ InstanceIds: [instanceId], ...(force ? { Force: true } : {}) })));
  }

  async start(instanceId: string): Promise<void> {
    await refusing('StartInstances', () => this.client.send(new StartInstancesCommand({ InstanceIds: [instanceId] })));
  }

  volumesWithTags(tags: Readonly<Record<string, string>>): Promise<RecoveredVolume[]> {
    return allPages(async (NextToken) => {
      const page = await refusing('DescribeVolumes', () => this.client.send(new DescribeVolumesCommand({
        Filters: tagFilters(tags), MaxResults: PAGE, NextToken,
      })));
      return {
        items: (page.Volumes ?? []).map((volume) => ({
          volumeId: volume.VolumeId ?? '', snapshotId: volume.SnapshotId, state: volume.State ?? '', tags: recordOf(volume.Tags),
        })),
        next: page.NextToken,
      };
    });
  }

  async createVolume({ clientToken, availabilityZone, disk, tags }: VolumeSpec): Promise<string> {
    const { Ebs } = mappingOf(disk);
    const answer = await refusing('CreateVolume', () => this.client.send(new CreateVolumeCommand({
      ClientToken: clientToken,
      AvailabilityZone: availabilityZone,
      SnapshotId: disk.snapshotId,
      Size: disk.sizeGiB,
      VolumeType: Ebs?.VolumeType,
      Iops: Ebs?.Iops,
      Throughput: Ebs?.Throughput,
      TagSpecifications: tagSpecifications(tags, 'volume'),
    })));
    return answer.VolumeId ?? '';
  }

  async detach(volumeId: string, instanceId: string): Promise<void> {
    await refusing('DetachVolume', () => this.client.send(new DetachVolumeCommand({ VolumeId: volumeId, InstanceId: instanceId })));
  }

  async attach(volumeId: string, instanceId: string, deviceName: string): Promise<void> {
    await refusing('AttachVolume', () => this.client.send(new AttachVolumeCommand({
      VolumeId: volumeId, InstanceId: instanceId, Device: deviceName,
    })));
  }

  async setDeleteOnTermination(instanceId: string, deviceName: string, value: boolean): Promise<void> {
    await refusing('ModifyInstanceAttribute', () => this.client.send(new ModifyInstanceAttributeCommand({
      InstanceId: instanceId, BlockDeviceMappings: [{ DeviceName: deviceName, Ebs: { DeleteOnTermination: value } }],
    })));
  }

  async setUserData(instanceId: string, userData: string): Promise<void> {
    await refusing('ModifyInstanceAttribute', () => this.client.send(new ModifyInstanceAttributeCommand({
      InstanceId: instanceId, UserData: { Value: Buffer.from(userData, 'base64') },
    })));
  }

  async deleteVolume(volumeId: string): Promise<'removed' | 'absent' | 'in-use'> {
    try {
      await refusing('DeleteVolume', () => this.client.send(new DeleteVolumeCommand({ VolumeId: volumeId })));
      return 'removed';
    } catch (error) {
      if (isRefused(error, 'not-found')) return 'absent';
      if (isRefused(error, 'in-use')) return 'in-use';
      throw error;
    }
  }

  async tag(resourceIds: readonly string[], tags: Readonly<Record<string, string>>): Promise<void> {
    if (resourceIds.length === 0) return;
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    await refusing('CreateTags', () => this.client.send(new CreateTagsCommand({ Resources: [...resourceIds], Tags })));
  }
}
