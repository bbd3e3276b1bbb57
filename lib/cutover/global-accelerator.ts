import { Token } from 'aws-cdk-lib';
import type { AcceleratorCutoverConfig } from '../../lambda/core/cutover';
import type { ProjectContext } from '../functions/context';
import { commonConfig, type BoundCutover, type TrafficCutoverOptions } from './cutover-options';
import { addressConfig, endpointsOf, known, type RecoveredAddress } from './recovered-address';

/** An endpoint of an endpoint group, and how much of the group's traffic it gets. */
export interface AcceleratorEndpointWeight {
  /** ARN of a load balancer, allocation id of an Elastic IP address, id of an instance, or what is recovered. Added to the group when it is not in it. */
  readonly endpoint: string | RecoveredAddress;
  /** From 0 (none) to 255. */
  readonly weight: number;
}

/** What becomes of one endpoint group. */
export interface AcceleratorGroupChange {
  readonly endpointGroupArn: string;
  /** Percent of the group's traffic that it lets in, from 0 to 100. @default - unchanged */
  readonly trafficDial?: number;
  /** Endpoints that are not named keep their weights. @default - none is changed */
  readonly endpoints?: AcceleratorEndpointWeight[];
}

/** Options of a cutover by Global Accelerator. */
export interface GlobalAcceleratorOptions extends TrafficCutoverOptions {
  /** In this order. Name the recovery Region's group first, so that traffic has somewhere to go. */
  readonly endpointGroups: AcceleratorGroupChange[];
}

/** Global Accelerator's API is served by this Region alone. */
const CONTROL_PLANE = 'us-west-2';
const GROUP = /^arn:[\w-]+:globalaccelerator::\d{12}:accelerator\/[^/]+\/listener\/[^/]+\/endpoint-group\/[^/]+$/;

export function bindAccelerator({ sourceRegion }: ProjectContext, options: GlobalAcceleratorOptions): BoundCutover {
  const groups = options.endpointGroups;
  const config: AcceleratorCutoverConfig = {
    kind: 'accelerator',
    ...commonConfig(options, 'global-accelerator'),
    groups: groups.map(({ endpointGroupArn, trafficDial, endpoints = [] }) => ({
      endpointGroupArn, ...(trafficDial === undefined ? {} : { trafficDial }), endpoints: endpoints.map(({ endpoint, weight }) => ({ endpoint: addressConfig(endpoint), weight })),
    })),
  };
  return {
    config,
    permissions: [{ actions: ['globalaccelerator:DescribeEndpointGroup', 'globalaccelerator:UpdateEndpointGroup'], resources: groups.map(({ endpointGroupArn }) => endpointGroupArn) }],
    problems: problems(groups),
    endpoints: [...options.requires ?? [], ...groups.flatMap(({ endpoints = [] }) => endpointsOf(endpoints.map(({ endpoint }) => endpoint)))],
    ...(sourceRegion === CONTROL_PLANE ? { warning: ['cutoverNeedsUsWest2', `Cutover '${config.name}' changes Global Accelerator through its control plane, which is in ${CONTROL_PLANE}, the source Region: this traffic cannot be moved while that Region is lost. Let endpoint health move it, or use ARC or a health check.`] } : {}),
  };
}

function problems(groups: readonly AcceleratorGroupChange[]): string[] {
  const found: string[] = [];
  if (groups.length === 0) found.push('It changes no endpoint group. Name at least one.');
  const arns = groups.map(({ endpointGroupArn }) => endpointGroupArn);
  for (const arn of known(arns).filter((one) => !GROUP.test(one))) found.push(`'${arn}' is no ARN of an endpoint group.`);
  for (const arn of new Set(arns.filter((one, index) => arns.indexOf(one) !== index))) found.push(`Endpoint group ${arn} is named twice. Put its changes together.`);
  for (const { endpointGroupArn, trafficDial, endpoints = [] } of groups) {
    if (trafficDial === undefined && endpoints.length === 0) found.push(`Endpoint group ${endpointGroupArn} is not changed. Give a trafficDial or endpoints.`);
    if (trafficDial !== undefined && !between(trafficDial, 100)) found.push(`trafficDial must be from 0 to 100 percent, got ${trafficDial}.`);
    for (const { weight } of endpoints) if (!between(weight, 255) || !Number.isInteger(weight)) found.push(`The weight of an endpoint must be a whole number from 0 to 255, got ${weight}.`);
  }
  return found;
}

function between(value: number, most: number): boolean {
  return !Token.isUnresolved(value) && value >= 0 && value <= most;
}
