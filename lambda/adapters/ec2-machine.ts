import type { BlockDeviceMapping, Instance, VolumeType } from '@aws-sdk/client-ec2';
import { isoOf, recordOf } from './ec2-common';
import type { DiskMapping, MachineFacts } from './ports/recovery-machines';

/** Types whose IOPS can be set; EC2 reports IOPS for others too and refuses them in a request. */
const WITH_IOPS = new Set(['gp3', 'io1', 'io2']);

export function mappingOf(disk: DiskMapping): BlockDeviceMapping {
  return {
    DeviceName: disk.deviceName,
    Ebs: {
      SnapshotId: disk.snapshotId,
      VolumeSize: disk.sizeGiB,
      VolumeType: disk.volumeType as VolumeType,
      Iops: WITH_IOPS.has(disk.volumeType) ? disk.iops : undefined,
      Throughput: disk.volumeType === 'gp3' ? disk.throughput : undefined,
      DeleteOnTermination: disk.deleteOnTermination,
    },
  };
}

export function machineOf(instance: Instance): MachineFacts {
  return {
    instanceId: instance.InstanceId ?? '',
    state: instance.State?.Name ?? 'pending',
    stateReason: instance.StateReason?.Message,
    stateReasonCode: instance.StateReason?.Code,
    privateIp: instance.PrivateIpAddress,
    availabilityZone: instance.Placement?.AvailabilityZone,
    rootDeviceName: instance.RootDeviceName,
    launchTime: instance.LaunchTime === undefined ? undefined : isoOf(instance.LaunchTime),
    volumes: (instance.BlockDeviceMappings ?? []).flatMap(({ DeviceName, Ebs }) => Ebs?.VolumeId === undefined ? [] : [{
      deviceName: DeviceName ?? '', volumeId: Ebs.VolumeId,
    }]),
    tags: recordOf(instance.Tags),
  };
}
