import { AttachNetworkInterfaceCommand, DescribeNetworkInterfacesCommand, DetachNetworkInterfaceCommand, type EC2Client } from '@aws-sdk/client-ec2';
import type { SwapInConfig } from '../../core/config';
import { RefusedCall, refusing } from '../errors';
import type { SwapContext, SwapInKind, SwapVerdict } from '../ports/repair';

type Config = Extract<SwapInConfig, { kind: 'network-interface' }>;

/** A second interface moves with its addresses; the first one cannot leave its machine. */
export class NetworkInterfaceSwap implements SwapInKind<Config> {
  constructor(private readonly client: EC2Client) {}

  async advance({ config: { networkInterfaceId, deviceIndex }, old, fresh, confirm }: SwapContext<Config>): Promise<SwapVerdict> {
    const { NetworkInterfaces = [] } = await refusing('DescribeNetworkInterfaces', () => this.client.send(new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [networkInterfaceId] })));
    const [found] = NetworkInterfaces;
    const attachment = found?.Attachment?.Status === 'detached' ? undefined : found?.Attachment;
    const holder = attachment?.InstanceId;
    if (holder === fresh.instanceId) return { done: attachment?.Status === 'attached', detail: `${networkInterfaceId} is ${attachment?.Status ?? ''} to ${fresh.instanceId}` };
    if (attachment === undefined) {
      await confirm();
      await refusing('AttachNetworkInterface', () => this.client.send(new AttachNetworkInterfaceCommand({ NetworkInterfaceId: networkInterfaceId, InstanceId: fresh.instanceId, DeviceIndex: deviceIndex })));
      return { done: false, detail: `${networkInterfaceId} is being attached` };
    }
    if (holder !== old.instanceId) throw new RefusedCall('DetachNetworkInterface', 'invalid', 'InUseByOthers', `${networkInterfaceId} is attached to ${holder ?? 'something else'}, not to the failed machine`);
    if (attachment.Status !== 'detaching') {
      await confirm();
      await refusing('DetachNetworkInterface', () => this.client.send(new DetachNetworkInterfaceCommand({ AttachmentId: attachment.AttachmentId })));
    }
    return { done: false, detail: `${networkInterfaceId} is being detached from ${old.instanceId}` };
  }
}
