import {
  DeregisterImageCommand, DescribeImagesCommand, DescribeInstancesCommand, DescribeInstanceStatusCommand, RegisterImageCommand,
  RunInstancesCommand, TerminateInstancesCommand,
  type EC2Client, type Filter, type RegisterImageRequest, type RunInstancesRequest,
} from '@aws-sdk/client-ec2';
import { chunks } from '../runtime/pool';
import { byFilterValues, PAGE_SIZE, recordOf, tagFilters, tagSpecifications } from './ec2-common';
import { machineOf, mappingOf } from './ec2-machine';
import { isRefused, RefusedCall, refusing } from './errors';
import { allPages } from './paging';
import type { ImageFacts, ImageSpec, LaunchSpec, MachineFacts, MachineStatus, RecoveryMachines } from './ports/recovery-machines';

/** DescribeInstanceStatus and TerminateInstances by id. */
const IDS_PER_CALL = 100;

const USABLE_IMAGE: ReadonlySet<string> = new Set(['available', 'pending']);

export class Ec2Recovery implements RecoveryMachines {
  constructor(private readonly client: EC2Client) {}

  async registerImage(spec: ImageSpec): Promise<string> {
    try {
      const answer = await refusing('RegisterImage', () => this.client.send(new RegisterImageCommand(registration(spec))));
      return answer.ImageId ?? '';
    } catch (error) {
      if (!isRefused(error, 'duplicate')) throw error;
      // One that is being deregistered is shown for a while, and its name can be taken again soon.
      const image = (await this.describeImages([{ Name: 'name', Values: [spec.name] }])).find(({ state }) => USABLE_IMAGE.has(state));
      if (image !== undefined) return image.imageId;
      throw new RefusedCall('RegisterImage', 'not-ready', error.code, `image ${spec.name} exists and is not visible yet`, error);
    }
  }

  async images(tagKey: string, values: readonly string[]): Promise<ImageFacts[]> {
    const images: ImageFacts[] = [];
    for (const some of chunks(values, 200)) images.push(...await this.describeImages([{ Name: `tag:${tagKey}`, Values: some }]));
    return images;
  }

  async deregisterImage(imageId: string): Promise<'removed' | 'absent'> {
    try {
      await refusing('DeregisterImage', () => this.client.send(new DeregisterImageCommand({ ImageId: imageId })));
      return 'removed';
    } catch (error) {
      if (isRefused(error, 'not-found') || (isRefused(error) && error.code === 'InvalidAMIID.Unavailable')) return 'absent';
      throw error;
    }
  }

  async launch(spec: LaunchSpec): Promise<MachineFacts> {
    const answer = await refusing('RunInstances', () => this.client.send(new RunInstancesCommand(launchRequest(spec))));
    const [instance] = answer.Instances ?? [];
    if (instance === undefined) throw new RefusedCall('RunInstances', 'other', 'EmptyAnswer', 'EC2 answered without an instance');
    return machineOf(instance);
  }

  machines(ids: readonly string[]): Promise<MachineFacts[]> {
    return byFilterValues(ids, (some, token) => this.describeInstances([{ Name: 'instance-id', Values: some }], token));
  }

  machinesWithTags(tags: Readonly<Record<string, string>>): Promise<MachineFacts[]> {
    const filters = [...tagFilters(tags), { Name: 'instance-state-name', Values: ['pending', 'running', 'stopping', 'stopped'] }];
    return allPages((token) => this.describeInstances(filters, token));
  }

  async statuses(ids: readonly string[]): Promise<MachineStatus[]> {
    const statuses: MachineStatus[] = [];
    for (const InstanceIds of chunks(ids, IDS_PER_CALL)) {
      const answer = await refusing('DescribeInstanceStatus', () => this.client.send(new DescribeInstanceStatusCommand({
        InstanceIds, IncludeAllInstances: true,
      })));
      for (const { InstanceId, InstanceState, InstanceStatus, SystemStatus } of answer.InstanceStatuses ?? []) {
        statuses.push({
          instanceId: InstanceId ?? '',
          ok: InstanceState?.Name === 'running' && InstanceStatus?.Status === 'ok' && SystemStatus?.Status === 'ok',
          detail: `instance ${InstanceStatus?.Status ?? 'unknown'}, system ${SystemStatus?.Status ?? 'unknown'}, ${InstanceState?.Name ?? 'unknown'}`,
        });
      }
    }
    return statuses;
  }

  async terminate(ids: readonly string[]): Promise<void> {
    for (const InstanceIds of chunks(ids, IDS_PER_CALL)) {
      await refusing('TerminateInstances', () => this.client.send(new TerminateInstancesCommand({ InstanceIds })));
    }
  }

  private async describeImages(Filters: Filter[]): Promise<ImageFacts[]> {
    return allPages(async (NextToken) => {
      const page = await refusing('DescribeImages', () => this.client.send(new DescribeImagesCommand({
        Owners: ['self'], Filters, MaxResults: PAGE_SIZE, NextToken,
      })));
      return {
        items: (page.Images ?? []).map((image) => ({
          imageId: image.ImageId ?? '', name: image.Name ?? '', state: image.State ?? '', createdAt: image.CreationDate ?? '', tags: recordOf(image.Tags),
        })),
        next: page.NextToken,
      };
    });
  }

  private async describeInstances(Filters: Filter[], NextToken: string | undefined) {
    const page = await refusing('DescribeInstances', () => this.client.send(new DescribeInstancesCommand({
      Filters, MaxResults: PAGE_SIZE, NextToken,
    })));
    return { items: (page.Reservations ?? []).flatMap(({ Instances }) => Instances ?? []).map(machineOf), next: page.NextToken };
  }
}

function registration(spec: ImageSpec): RegisterImageRequest {
  return {
    Name: spec.name,
    Description: spec.description,
    Architecture: spec.architecture as RegisterImageRequest['Architecture'],
    VirtualizationType: spec.virtualizationType,
    RootDeviceName: spec.rootDeviceName,
    BootMode: spec.bootMode as RegisterImageRequest['BootMode'],
    EnaSupport: spec.enaSupport,
    SriovNetSupport: spec.sriovNetSupport,
    TpmSupport: spec.tpmSupport as RegisterImageRequest['TpmSupport'],
    UefiData: spec.uefiData,
    BlockDeviceMappings: spec.disks.map(mappingOf),
    TagSpecifications: tagSpecifications(spec.tags, 'image'),
  };
}

function launchRequest(spec: LaunchSpec): RunInstancesRequest {
  return {
    ClientToken: spec.clientToken,
    MinCount: 1,
    MaxCount: 1,
    ImageId: spec.imageId,
    InstanceType: spec.instanceType as RunInstancesRequest['InstanceType'],
    SubnetId: spec.subnetId,
    PrivateIpAddress: spec.privateIp,
    SecurityGroupIds: spec.securityGroupIds.length === 0 ? undefined : [...spec.securityGroupIds],
    IamInstanceProfile: spec.instanceProfileArn === undefined ? undefined : { Arn: spec.instanceProfileArn },
    KeyName: spec.keyName,
    UserData: spec.userData,
    EbsOptimized: spec.ebsOptimized,
    MetadataOptions: spec.httpTokens === undefined && spec.httpPutResponseHopLimit === undefined ? undefined : {
      HttpTokens: spec.httpTokens as 'optional' | 'required' | undefined,
      HttpPutResponseHopLimit: spec.httpPutResponseHopLimit,
    },
    CapacityReservationSpecification: reservation(spec),
    BlockDeviceMappings: spec.disks.length === 0 ? undefined : spec.disks.map(mappingOf),
    TagSpecifications: tagSpecifications(spec.tags, 'instance', 'volume', 'network-interface'),
  };
}

function reservation(spec: LaunchSpec): RunInstancesRequest['CapacityReservationSpecification'] {
  if (spec.capacityReservationId === undefined && spec.capacityReservationGroupArn === undefined) return undefined;
  return {
    CapacityReservationTarget: spec.capacityReservationId === undefined
      ? { CapacityReservationResourceGroupArn: spec.capacityReservationGroupArn }
      : { CapacityReservationId: spec.capacityReservationId },
  };
}
