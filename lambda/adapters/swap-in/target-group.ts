import {
  DeregisterTargetsCommand, DescribeTargetHealthCommand, ElasticLoadBalancingV2Client, RegisterTargetsCommand, type TargetHealthDescription,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { SwapInConfig } from '../../core/config';
import { clientSettings } from '../../runtime/clients';
import { refusing } from '../errors';
import type { SwapContext, SwapInKind, SwapVerdict } from '../ports/repair';

type Config = Extract<SwapInConfig, { kind: 'target-group' }>;

/** `unused`: no load balancer sends to the group, so that nobody looks. */
const GOOD = new Set(['healthy', 'unused']);

/** Registers the new machine where the old one is, waits until it is healthy, and takes the old one out. */
export class TargetGroupSwap implements SwapInKind<Config> {
  private readonly client: ElasticLoadBalancingV2Client;

  constructor(region: string) {
    this.client = new ElasticLoadBalancingV2Client(clientSettings(region));
  }

  async advance({ config, old, fresh, confirm }: SwapContext<Config>): Promise<SwapVerdict> {
    const { targetGroupArn } = config;
    const { TargetHealthDescriptions = [] } = await refusing('DescribeTargetHealth', () => this.client.send(new DescribeTargetHealthCommand({ TargetGroupArn: targetGroupArn })));
    const of = (id: string): TargetHealthDescription | undefined => TargetHealthDescriptions.find(({ Target, TargetHealth }) => Target?.Id === id && TargetHealth?.State !== 'draining');
    const [before, now] = [of(old.instanceId), of(fresh.instanceId)];
    if (now === undefined) {
      const Port = config.port ?? before?.Target?.Port;
      await confirm();
      await refusing('RegisterTargets', () => this.client.send(new RegisterTargetsCommand({ TargetGroupArn: targetGroupArn, Targets: [{ Id: fresh.instanceId, Port }] })));
      return { done: false, detail: `${fresh.instanceId} registered` };
    }
    const state = now.TargetHealth?.State ?? 'initial';
    if (!GOOD.has(state)) return { done: false, detail: `${fresh.instanceId} is ${state}${now.TargetHealth?.Description === undefined ? '' : `: ${now.TargetHealth.Description}`}` };
    if (before === undefined) return { done: true, detail: `${fresh.instanceId} is ${state}${state === 'unused' ? ', no load balancer uses the group' : ''}` };
    await confirm();
    await refusing('DeregisterTargets', () => this.client.send(new DeregisterTargetsCommand({ TargetGroupArn: targetGroupArn, Targets: [{ Id: old.instanceId, Port: before.Target?.Port }] })));
    return { done: false, detail: `${old.instanceId} is being taken out` };
  }
}
