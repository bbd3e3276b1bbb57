import { ec2Client } from '../ec2-common';
import type { SwapInKinds } from '../ports/repair';
import { ElasticIpSwap } from './elastic-ip';
import { NetworkInterfaceSwap } from './network-interface';
import { RecordSwap } from './record';
import { TargetGroupSwap } from './target-group';

/** In the source Region. */
export function swapInKinds(region: string): SwapInKinds {
  const ec2 = ec2Client(region);
  return { 'target-group': new TargetGroupSwap(region), 'elastic-ip': new ElasticIpSwap(ec2), 'network-interface': new NetworkInterfaceSwap(ec2), 'record': new RecordSwap(region) };
}
