import {
  DescribeEndpointGroupCommand, GlobalAcceleratorClient, UpdateEndpointGroupCommand, type EndpointConfiguration, type EndpointGroup,
} from '@aws-sdk/client-global-accelerator';
import { resolveAddress, type AcceleratorCutoverConfig } from '../../core/cutover';
import { clientSettings } from '../../runtime/clients';
import { mapOf } from '../../runtime/pool';
import { RefusedCall, refusing } from '../errors';
import type { CutoverContext, CutoverKind, CutoverVerdict } from '../ports/cutover';

type Context = CutoverContext<AcceleratorCutoverConfig>;

interface GroupState {
  readonly trafficDial: number;
  readonly endpoints: readonly EndpointConfiguration[];
}

/** By ARN of the endpoint group. */
type States = Readonly<Record<string, GroupState>>;

/** Global Accelerator developer guide: its API is served by one Region, wherever the accelerator's endpoints are. */
const CONTROL_PLANE = 'us-west-2';
const FULL_DIAL = 100;

/** Weights and dials of Global Accelerator's endpoint groups. An update replaces a group's whole list, so what is not named is kept. */
export class AcceleratorCutover implements CutoverKind<AcceleratorCutoverConfig> {
  private readonly client = new GlobalAcceleratorClient(clientSettings(CONTROL_PLANE));

  async before({ config }: Context): Promise<States> {
    return this.read(config);
  }

  async apply(context: Context, before: unknown): Promise<undefined> {
    await this.write(wanted(context, before as States));
  }

  async verify(context: Context, before: unknown): Promise<CutoverVerdict> {
    return compared(await this.read(context.config), wanted(context, before as States));
  }

  async rollBack({ config }: Context, before: unknown): Promise<CutoverVerdict> {
    const states = before as States;
    const seen = compared(await this.read(config), states);
    if (seen.done) return seen;
    await this.write(states);
    return compared(await this.read(config), states);
  }

  private async write(states: States): Promise<void> {
    for (const [EndpointGroupArn, { trafficDial, endpoints }] of Object.entries(states)) {
      await refusing('UpdateEndpointGroup', () => this.client.send(new UpdateEndpointGroupCommand({
        EndpointGroupArn, TrafficDialPercentage: trafficDial, EndpointConfigurations: [...endpoints],
      })));
    }
  }

  private async read({ groups }: AcceleratorCutoverConfig): Promise<States> {
    const pairs = await mapOf(groups, async ({ endpointGroupArn }) => {
      const { EndpointGroup: group } = await refusing('DescribeEndpointGroup', () => this.client.send(new DescribeEndpointGroupCommand({ EndpointGroupArn: endpointGroupArn })));
      if (group === undefined) throw new RefusedCall('DescribeEndpointGroup', 'not-found', 'EndpointGroupNotFound', endpointGroupArn);
      return [endpointGroupArn, stateOf(group)] as const;
    });
    return Object.fromEntries(pairs);
  }
}

function stateOf({ TrafficDialPercentage, EndpointDescriptions = [] }: EndpointGroup): GroupState {
  return {
    trafficDial: TrafficDialPercentage ?? FULL_DIAL,
    endpoints: EndpointDescriptions.map(({ EndpointId, Weight, ClientIPPreservationEnabled }) => ({
      EndpointId,
      ...(Weight === undefined ? {} : { Weight }),
      ...(ClientIPPreservationEnabled === undefined ? {} : { ClientIPPreservationEnabled }),
    })),
  };
}

function wanted({ config, machines }: Context, before: States): States {
  return Object.fromEntries(config.groups.map(({ endpointGroupArn, trafficDial, endpoints }) => {
    const state = before[endpointGroupArn] ?? { trafficDial: FULL_DIAL, endpoints: [] };
    const weights = new Map(endpoints.flatMap(({ endpoint, weight }) => resolveAddress(endpoint, machines, 'instanceId').map((id): [string, number] => [id, weight])));
    const kept = state.endpoints.map((one) => ({ ...one, Weight: weights.get(one.EndpointId ?? '') ?? one.Weight }));
    const known = new Set(state.endpoints.map(({ EndpointId }) => EndpointId));
    const added = [...weights].filter(([id]) => !known.has(id)).map(([EndpointId, Weight]) => ({ EndpointId, Weight }));
    return [endpointGroupArn, { trafficDial: trafficDial ?? state.trafficDial, endpoints: [...kept, ...added] }];
  }));
}

function compared(actual: States, wantedStates: States): CutoverVerdict {
  const differing = Object.entries(wantedStates).filter(([arn, state]) => essence(actual[arn]) !== essence(state));
  const detail = (differing.length === 0 ? Object.entries(wantedStates) : differing).map(([arn]) => `${arn.slice(arn.lastIndexOf('/') + 1)}: ${essence(actual[arn])}`).join('; ');
  return { done: differing.length === 0, detail: `endpoint groups ${differing.length === 0 ? '' : 'not yet as wanted: '}${detail}` };
}

function essence(state: GroupState | undefined): string {
  if (state === undefined) return 'unknown';
  const weights = state.endpoints.map(({ EndpointId = '', Weight }) => `${EndpointId.slice(EndpointId.lastIndexOf(':') + 1)}=${Weight ?? 'default'}`).sort();
  return `dial ${state.trafficDial} %, ${weights.join(' ') || 'no endpoint'}`;
}
