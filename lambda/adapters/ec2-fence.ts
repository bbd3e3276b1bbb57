import { DescribeInstancesCommand, EC2Client, ModifyInstanceAttributeCommand, StopInstancesCommand, type Filter, type Instance } from '@aws-sdk/client-ec2';
import { clientSettings } from '../runtime/clients';
import { byFilterValues, isoOf, PAGE_SIZE, recordOf, tagFilters } from './ec2-common';
import { refusing } from './errors';
import { allPages, type Page } from './paging';
import type { OldMachine, SourceFence } from './ports/source-fence';

/** A failover waits for the answer of a Region that may be gone: two tries of five seconds each. */
export const IMPATIENT = { requestTimeoutMs: 5_000, maxAttempts: 2 };
const LIVE_STATES = ['pending', 'running', 'stopping', 'stopped'];

export class Ec2Fence implements SourceFence {
  private readonly client: EC2Client;

  constructor(region: string) {
    this.client = new EC2Client(clientSettings(region, IMPATIENT));
  }

  /** By a filter, since an id that does not exist any more would fail the call. */
  machines(ids: readonly string[]): Promise<OldMachine[]> {
    return byFilterValues(ids, (some, token) => this.page([{ Name: 'instance-id', Values: some }], token));
  }

  machinesWithTags(tags: Readonly<Record<string, string>>): Promise<OldMachine[]> {
    return allPages((token) => this.page([...tagFilters(tags), { Name: 'instance-state-name', Values: LIVE_STATES }], token));
  }

  async stop(ids: readonly string[], force: boolean): Promise<void> {
    await refusing('StopInstances', () => this.client.send(new StopInstancesCommand({ InstanceIds: [...ids], ...(force ? { Force: true } : {}) })));
  }

  async setSecurityGroups(instanceId: string, groupIds: readonly string[]): Promise<void> {
    await refusing('ModifyInstanceAttribute', () => this.client.send(new ModifyInstanceAttributeCommand({ InstanceId: instanceId, Groups: [...groupIds] })));
  }

  private async page(Filters: Filter[], NextToken: string | undefined): Promise<Page<OldMachine>> {
    const page = await refusing('DescribeInstances', () => this.client.send(new DescribeInstancesCommand({ Filters, MaxResults: PAGE_SIZE, NextToken })));
    return { items: (page.Reservations ?? []).flatMap(({ Instances }) => Instances ?? []).map(oldMachineOf), next: page.NextToken };
  }
}

/** The groups of all interfaces: a machine with a second one that is open is not isolated. */
function oldMachineOf(instance: Instance): OldMachine {
  const ofInterfaces = (instance.NetworkInterfaces ?? []).flatMap(({ Groups }) => Groups ?? []);
  const groups = [...instance.SecurityGroups ?? [], ...ofInterfaces].flatMap(({ GroupId }) => GroupId ?? []);
  return {
    instanceId: instance.InstanceId ?? '',
    state: instance.State?.Name ?? 'pending',
    securityGroupIds: [...new Set(groups)].sort(),
    ...(instance.LaunchTime === undefined ? {} : { launchTime: isoOf(instance.LaunchTime) }),
    tags: recordOf(instance.Tags),
  };
}
