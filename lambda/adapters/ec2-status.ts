import { DescribeInstanceStatusCommand, EC2Client, type InstanceStatus } from '@aws-sdk/client-ec2';
import { clientSettings } from '../runtime/clients';
import { chunks } from '../runtime/pool';
import { isRefused, refusing } from './errors';
import type { InstanceHealth, InstanceStatuses } from './ports/detection';

/** A Region that is gone must cost seconds: the detector has a minute for everything. */
const SHORT = { requestTimeoutMs: 5_000, maxAttempts: 2 };
const IDS_PER_CALL = 100;

export class Ec2InstanceStatuses implements InstanceStatuses {
  private readonly client: EC2Client;

  constructor(region: string) {
    this.client = new EC2Client(clientSettings(region, SHORT));
  }

  async healthOf(instanceIds: readonly string[]): Promise<ReadonlyMap<string, InstanceHealth>> {
    const health = new Map<string, InstanceHealth>(instanceIds.map((id) => [id, 'not-running']));
    for (const some of chunks(instanceIds, IDS_PER_CALL)) {
      for (const status of await this.statuses(some)) if (status.InstanceId !== undefined) health.set(status.InstanceId, healthOf(status));
    }
    return health;
  }

  /** EC2 refuses the whole call for one id that does not exist, and names those. */
  private async statuses(ids: readonly string[]): Promise<InstanceStatus[]> {
    if (ids.length === 0) return [];
    try {
      const answer = await refusing('DescribeInstanceStatus', () => this.client.send(new DescribeInstanceStatusCommand({ InstanceIds: [...ids], IncludeAllInstances: true })));
      return answer.InstanceStatuses ?? [];
    } catch (error) {
      if (!isRefused(error, 'not-found')) throw error;
      const gone = new Set(error.message.match(/\bi-[0-9a-f]+/g));
      const left = ids.filter((id) => !gone.has(id));
      if (left.length === ids.length) throw error;
      return this.statuses(left);
    }
  }
}

function healthOf({ InstanceState, InstanceStatus: instance, SystemStatus: system, AttachedEbsStatus: ebs }: InstanceStatus): InstanceHealth {
  if (InstanceState?.Name === 'pending') return 'initializing';
  if (InstanceState?.Name !== 'running') return 'not-running';
  const checks = [instance?.Status, system?.Status, ebs?.Status];
  if (checks.includes('impaired')) return 'impaired';
  return instance?.Status === 'ok' && system?.Status === 'ok' ? 'healthy' : 'initializing';
}
