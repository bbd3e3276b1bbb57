import { Token } from 'aws-cdk-lib';
import type { ArcCutoverConfig } from '../../lambda/core/cutover';
import type { Permission } from '../functions/permissions/permission';
import { commonConfig, type BoundCutover, type TrafficCutoverOptions } from './cutover-options';
import { known } from './recovered-address';

/** One of the five Regional endpoints of an ARC cluster, as `aws route53-recovery-control-config describe-cluster` lists them. */
export interface ArcClusterEndpoint {
  readonly region: string;
  /** e.g. `https://0123456789abcdef.route53-recovery-cluster.us-east-1.amazonaws.com/v1`. */
  readonly endpoint: string;
}

/** Options of a cutover by routing controls. */
export interface ArcRoutingControlOptions extends TrafficCutoverOptions {
  /** All five of the cluster: any of them may be in the Region that is lost. */
  readonly clusterEndpoints: ArcClusterEndpoint[];
  /** ARNs of the routing controls that are turned on, at least one. */
  readonly on: string[];
  /** ARNs of those that are turned off in the same call. @default - none */
  readonly off?: string[];
  /** ARNs of safety rules that a failover may override. A rule that is not named here can stop a cutover. @default - none */
  readonly safetyRulesToOverride?: string[];
}

/** Every cluster has as many (ARC developer guide, "Routing control components"). */
const CLUSTER_ENDPOINTS = 5;
const ROUTING_CONTROL = /^arn:[\w-]+:route53-recovery-control::\d{12}:controlpanel\/[^/]+\/routingcontrol\/[^/]+$/;
const SAFETY_RULE = /^arn:[\w-]+:route53-recovery-control::\d{12}:controlpanel\/[^/]+\/safetyrule\/[^/]+$/;

export function bindArc(options: ArcRoutingControlOptions): BoundCutover {
  const { clusterEndpoints, on, off = [], safetyRulesToOverride: rules } = options;
  const config: ArcCutoverConfig = { kind: 'arc', ...commonConfig(options, 'arc-routing-control'), clusterEndpoints, on, off, ...(rules === undefined ? {} : { safetyRulesToOverride: rules }) };
  return { config, permissions: [permission(config)], problems: problems(config), endpoints: options.requires ?? [] };
}

function permission({ on, off, safetyRulesToOverride: rules }: ArcCutoverConfig): Permission {
  return {
    actions: ['route53-recovery-cluster:GetRoutingControlState', 'route53-recovery-cluster:UpdateRoutingControlStates'],
    resources: [...on, ...off],
    ...(rules === undefined ? { conditions: { BoolIfExists: { 'route53-recovery-cluster:AllowSafetyRulesOverrides': 'false' } } } : {}),
  };
}

function problems({ clusterEndpoints, on, off, safetyRulesToOverride = [] }: ArcCutoverConfig): string[] {
  const regions = new Set(clusterEndpoints.map(({ region }) => region));
  const found: string[] = [];
  if (clusterEndpoints.length !== CLUSTER_ENDPOINTS || regions.size !== CLUSTER_ENDPOINTS) {
    found.push(`clusterEndpoints must be the ${CLUSTER_ENDPOINTS} endpoints of the cluster, each of another Region, got ${clusterEndpoints.length} of ${regions.size} Regions: with fewer, losing a Region can take the way to move traffic with it.`);
  }
  for (const { region, endpoint } of clusterEndpoints) {
    if (Token.isUnresolved(region)) found.push('The Region of a cluster endpoint must be known at synthesis. Give a literal string.');
    if (!Token.isUnresolved(endpoint) && !endpoint.startsWith('https://')) found.push(`The cluster endpoint '${endpoint}' must start with https://.`);
  }
  if (on.length === 0) found.push('It turns no routing control on. Name at least one in `on`.');
  for (const arn of known([...on, ...off]).filter((one) => !ROUTING_CONTROL.test(one))) found.push(`'${arn}' is no ARN of a routing control.`);
  for (const arn of known(safetyRulesToOverride).filter((one) => !SAFETY_RULE.test(one))) found.push(`'${arn}' is no ARN of a safety rule.`);
  for (const arn of on.filter((one) => off.includes(one))) found.push(`Routing control ${arn} is to be on and off. Name it once.`);
  return found;
}
