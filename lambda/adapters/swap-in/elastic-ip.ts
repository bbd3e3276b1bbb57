import { AssociateAddressCommand, DescribeAddressesCommand, type EC2Client } from '@aws-sdk/client-ec2';
import type { SwapInConfig } from '../../core/config';
import { RefusedCall, refusing } from '../errors';
import type { SwapContext, SwapInKind, SwapVerdict } from '../ports/repair';

type Config = Extract<SwapInConfig, { kind: 'elastic-ip' }>;

export class ElasticIpSwap implements SwapInKind<Config> {
  constructor(private readonly client: EC2Client) {}

  async advance({ config: { allocationId }, old, fresh, confirm }: SwapContext<Config>): Promise<SwapVerdict> {
    const { Addresses = [] } = await refusing('DescribeAddresses', () => this.client.send(new DescribeAddressesCommand({ AllocationIds: [allocationId] })));
    const [address] = Addresses;
    // The client answers a missing instance as an empty text.
    const holder = address?.InstanceId === '' ? undefined : address?.InstanceId;
    if (holder === fresh.instanceId) return { done: true, detail: `${address?.PublicIp ?? allocationId} is ${fresh.instanceId}'s` };
    if (holder !== undefined && holder !== old.instanceId) {
      throw new RefusedCall('AssociateAddress', 'invalid', 'InUseByOthers', `${address?.PublicIp ?? allocationId} is ${holder}'s, neither the failed machine's nor free`);
    }
    await confirm();
    await refusing('AssociateAddress', () => this.client.send(new AssociateAddressCommand({ AllocationId: allocationId, InstanceId: fresh.instanceId, AllowReassociation: true })));
    return { done: false, detail: `${address?.PublicIp ?? allocationId} is being moved` };
  }
}
