import {
  GetRoutingControlStateCommand, Route53RecoveryClusterClient, UpdateRoutingControlStatesCommand, type RoutingControlState,
} from '@aws-sdk/client-route53-recovery-cluster';
import type { ArcCutoverConfig } from '../../core/cutover';
import { clientSettings } from '../../runtime/clients';
import { mapOf } from '../../runtime/pool';
import { isRefused, messageOf, RefusedCall, refusing, type RefusalKind } from '../errors';
import type { CutoverContext, CutoverKind, CutoverVerdict } from '../ports/cutover';

type Endpoint = ArcCutoverConfig['clusterEndpoints'][number];
type States = Readonly<Record<string, string>>;

/** An endpoint of a lost Region must cost seconds: four others hold the same states. */
const ENDPOINT_TIMEOUT_MS = 4_000;
/** What another endpoint of the cluster may answer differently. */
const TRY_ANOTHER: readonly RefusalKind[] = ['unreachable', 'throttled', 'quota', 'other'];

/**
 * Routing controls of ARC through the cluster's five Regional data-plane endpoints, tried in random order. The control plane
 * (us-west-2) is never called. AWS advises exactly this: ARC developer guide, "Get and update routing control states".
 */
export class ArcCutover implements CutoverKind<ArcCutoverConfig> {
  constructor(private readonly clientOf = dataPlane, private readonly random: () => number = Math.random) {}

  async before(context: CutoverContext<ArcCutoverConfig>): Promise<States> {
    return this.read(context);
  }

  async apply({ config }: CutoverContext<ArcCutoverConfig>): Promise<undefined> {
    await this.write(config, desired(config));
  }

  async verify(context: CutoverContext<ArcCutoverConfig>): Promise<CutoverVerdict> {
    return compared(await this.read(context), desired(context.config));
  }

  async rollBack(context: CutoverContext<ArcCutoverConfig>, before: unknown): Promise<CutoverVerdict> {
    const states = before as States;
    const seen = compared(await this.read(context), states);
    if (seen.done) return seen;
    await this.write(context.config, states);
    return compared(await this.read(context), states);
  }

  /** All states in one call: safety rules look at the whole of it, and there is no moment with every cell off. */
  private async write(config: ArcCutoverConfig, states: States): Promise<void> {
    await this.anyEndpoint('UpdateRoutingControlStates', config, (client) => client.send(new UpdateRoutingControlStatesCommand({
      UpdateRoutingControlStateEntries: Object.entries(states).map(([RoutingControlArn, state]) => ({ RoutingControlArn, RoutingControlState: state as RoutingControlState })),
      SafetyRulesToOverride: config.safetyRulesToOverride === undefined ? undefined : [...config.safetyRulesToOverride],
    })));
  }

  private async read({ config }: CutoverContext<ArcCutoverConfig>): Promise<States> {
    const pairs = await mapOf(Object.keys(desired(config)), async (RoutingControlArn) => {
      const answer = await this.anyEndpoint('GetRoutingControlState', config, (client) => client.send(new GetRoutingControlStateCommand({ RoutingControlArn })));
      return [RoutingControlArn, answer.RoutingControlState ?? 'unknown'] as const;
    });
    return Object.fromEntries(pairs);
  }

  private async anyEndpoint<T>(operation: string, config: ArcCutoverConfig, call: (client: Route53RecoveryClusterClient) => Promise<T>): Promise<T> {
    const failures: string[] = [];
    for (const endpoint of shuffled(config.clusterEndpoints, this.random)) {
      const client = this.clientOf(endpoint);
      try {
        return await refusing(operation, () => call(client));
      } catch (error) {
        if (!isRefused(error, ...TRY_ANOTHER)) throw error;
        failures.push(`${endpoint.region}: ${messageOf(error)}`);
      } finally {
        client.destroy();
      }
    }
    throw new RefusedCall(operation, 'unreachable', 'NoClusterEndpoint', `no endpoint of the cluster did it: ${failures.join('; ')}`);
  }
}

function dataPlane({ region, endpoint }: Endpoint): Route53RecoveryClusterClient {
  return new Route53RecoveryClusterClient({ ...clientSettings(region, { requestTimeoutMs: ENDPOINT_TIMEOUT_MS, maxAttempts: 1 }), endpoint });
}

function desired({ on, off }: ArcCutoverConfig): States {
  return Object.fromEntries([...on.map((arn) => [arn, 'On'] as const), ...off.map((arn) => [arn, 'Off'] as const)]);
}

function compared(actual: States, wanted: States): CutoverVerdict {
  const differing = Object.entries(wanted).filter(([arn, state]) => actual[arn] !== state);
  const shown = (pairs: readonly (readonly [string, string])[]): string => pairs.map(([arn, state]) => `${arn.slice(arn.lastIndexOf('/') + 1)} ${state}`).join(', ');
  return differing.length === 0
    ? { done: true, detail: `routing controls: ${shown(Object.entries(wanted))}` }
    : { done: false, detail: `routing controls not yet: ${shown(differing)}` };
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other] as T, result[last] as T];
  }
  return result;
}
