import {
  DescribeInstanceAttributeCommand, DescribeInstancesCommand, DescribeVolumesCommand, GetInstanceUefiDataCommand,
  type EC2Client, type Instance, type Volume,
} from '@aws-sdk/client-ec2';
import { byFilterValues, isoOf, PAGE_SIZE, recordOf, tagFilters } from './ec2-common';
import { isRefused, refusing } from './errors';
import { allPages } from './paging';
import type { FoundInstance, SourceMachines, VolumeFacts } from './ports/source-machines';

const LIVE_STATES = ['pending', 'running', 'stopping', 'stopped'];
const VOLUME_PAGE = 500;

export class Ec2Source implements SourceMachines {
  constructor(private readonly client: EC2Client) {}

  withTags(tags: Readonly<Record<string, string>>): Promise<FoundInstance[]> {
    return allPages(async (token) => {
      const page = await refusing('DescribeInstances', () => this.client.send(new DescribeInstancesCommand({
        Filters: [...tagFilters(tags), { Name: 'instance-state-name', Values: LIVE_STATES }], MaxResults: PAGE_SIZE, NextToken: token,
      })));
      return { items: (page.Reservations ?? []).flatMap(({ Instances }) => Instances ?? []).map(foundOf), next: page.NextToken };
    });
  }

  volumes(ids: readonly string[]): Promise<VolumeFacts[]> {
    return byFilterValues(ids, async (some, token) => {
      const page = await refusing('DescribeVolumes', () => this.client.send(new DescribeVolumesCommand({
        Filters: [{ Name: 'volume-id', Values: some }], MaxResults: VOLUME_PAGE, NextToken: token,
      })));
      return { items: (page.Volumes ?? []).map(volumeOf), next: page.NextToken };
    });
  }

  async userData(instanceId: string): Promise<string | undefined> {
    const answer = await refusing('DescribeInstanceAttribute', () => this.client.send(new DescribeInstanceAttributeCommand({
      InstanceId: instanceId, Attribute: 'userData',
    })));
    return answer.UserData?.Value === '' ? undefined : answer.UserData?.Value;
  }

  async uefiData(instanceId: string): Promise<string | undefined> {
    try {
      const answer = await refusing('GetInstanceUefiData', () => this.client.send(new GetInstanceUefiDataCommand({ InstanceId: instanceId })));
      return answer.UefiData;
    } catch (error) {
      // An instance that boots by UEFI need not have stored variables.
      if (isRefused(error, 'not-found', 'invalid', 'not-ready')) return undefined;
      throw error;
    }
  }
}

function foundOf(instance: Instance): FoundInstance {
  return {
    instanceId: instance.InstanceId ?? '',
    instanceType: instance.InstanceType ?? '',
    architecture: instance.Architecture ?? 'x86_64',
    virtualizationType: instance.VirtualizationType ?? 'hvm',
    rootDeviceName: instance.RootDeviceName ?? '',
    // `uefi-preferred` is a property of the image; what counts is how the machine did boot.
    bootMode: instance.CurrentInstanceBootMode ?? instance.BootMode,
    enaSupport: instance.EnaSupport,
    sriovNetSupport: instance.SriovNetSupport,
    tpmSupport: instance.TpmSupport,
    platformDetails: instance.PlatformDetails ?? (instance.Platform === 'Windows' ? 'Windows' : 'Linux/UNIX'),
    productCodes: (instance.ProductCodes ?? []).map(({ ProductCodeId }) => ProductCodeId ?? '').filter((code) => code !== ''),
    privateIp: instance.PrivateIpAddress,
    subnetId: instance.SubnetId,
    availabilityZone: instance.Placement?.AvailabilityZone,
    securityGroupIds: instance.SecurityGroups?.flatMap(({ GroupId }) => GroupId ?? []),
    keyName: instance.KeyName,
    ebsOptimized: instance.EbsOptimized,
    instanceProfileArn: instance.IamInstanceProfile?.Arn,
    httpTokens: instance.MetadataOptions?.HttpTokens,
    httpPutResponseHopLimit: instance.MetadataOptions?.HttpPutResponseHopLimit,
    launchTime: isoOf(instance.LaunchTime),
    tags: recordOf(instance.Tags),
    volumes: (instance.BlockDeviceMappings ?? []).flatMap(({ DeviceName, Ebs }) => Ebs?.VolumeId === undefined ? [] : [{
      deviceName: DeviceName ?? '', volumeId: Ebs.VolumeId, deleteOnTermination: Ebs.DeleteOnTermination ?? false,
    }]),
  };
}

function volumeOf(volume: Volume): VolumeFacts {
  return {
    volumeId: volume.VolumeId ?? '',
    sizeGiB: volume.Size ?? 0,
    volumeType: volume.VolumeType ?? 'gp3',
    iops: volume.Iops,
    throughput: volume.Throughput,
    encrypted: volume.Encrypted ?? false,
    kmsKeyId: volume.KmsKeyId,
  };
}
