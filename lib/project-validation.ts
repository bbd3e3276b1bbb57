import { Duration, Stack, Token, type IResource } from 'aws-cdk-lib';
import type { ISubnet, IVpc } from 'aws-cdk-lib/aws-ec2';
import type { IConstruct } from 'constructs';
import { feasibility } from '../lambda/core/prediction';
import type { DisasterRecoveryProps } from './disaster-recovery-props';
import type { ProtectedEndpoint } from './endpoint/protected-endpoint';
import { knownToOverlap } from './network/cidr';
import { subnetConfig } from './network/vpc-facts';
import { DEFAULT_QUOTAS } from './quotas';

/** Somebody must have the time to notice that a machine is gone. */
const SHORTEST_KEEP_MISSING = Duration.days(1);

/** What can be said about the properties alone. Each text names the value, the limit and what to do. */
export function propsProblems(props: DisasterRecoveryProps, recovery: Stack): string[] {
  return [...regionProblems(props, recovery), ...objectiveProblems(props), ...quotaProblems(props), ...missingProblems(props)];
}

function missingProblems({ keepMissingFor }: DisasterRecoveryProps): string[] {
  if (keepMissingFor === undefined || keepMissingFor.toSeconds() >= SHORTEST_KEEP_MISSING.toSeconds()) return [];
  return [`keepMissingFor (${keepMissingFor.toHumanString()}) must be at least ${SHORTEST_KEEP_MISSING.toHumanString()}: afterwards the last recovery points of a machine that is gone are deleted.`];
}

function regionProblems({ source, target, notifications }: DisasterRecoveryProps, recovery: Stack): string[] {
  const region = recovery.region;
  if (Token.isUnresolved(region)) {
    return [`The Region of stack ${recovery.node.path} is not known at synthesis, yet names and ARNs are computed from it. Give the stack env: { region: '…' }.`];
  }
  const problems: string[] = [];
  if (source.region === region) problems.push(`The source Region and the recovery Region are both '${region}'. Put the construct into a stack of another Region.`);
  if (source.stack && source.stack.region !== source.region) {
    problems.push(`source.stack (${source.stack.node.path}) is in Region '${source.stack.region}', not in the source Region '${source.region}'.`);
  }
  for (const arn of (source.volumeKeys ?? []).flatMap((key) => key._bind().arn ?? [])) {
    const keyRegion = arn.split(':')[3];
    if (!Token.isUnresolved(arn) && keyRegion !== source.region) problems.push(`source.volumeKeys: ${arn} is no key of the source Region '${source.region}'.`);
  }
  problems.push(...elsewhere('The VPC of the recovery target', target.vpc, region), ...elsewhere('The key of the recovery target', target._options.key, region));
  problems.push(...elsewhere('The notifications topic', notifications, region));
  return problems;
}

function elsewhere(what: string, resource: IResource | undefined, region: string): string[] {
  const place = resource?.env.region;
  if (place === undefined || Token.isUnresolved(place) || Token.isUnresolved(region) || place === region) return [];
  return [`${what} is in Region '${place}', not in the recovery Region '${region}'. Recovery must not need another Region.`];
}

function objectiveProblems({ objectives, schedule }: DisasterRecoveryProps): string[] {
  const [rpo, interval] = [objectives.rpo.toSeconds(), schedule.interval.toSeconds()];
  const problems: string[] = [];
  if (rpo <= interval) {
    problems.push(`objectives.rpo (${objectives.rpo.toHumanString()}) must be longer than the interval of the schedule (${schedule.interval.toHumanString()}): a recovery point is as old as the interval before the next one is complete. Shorten the interval or allow a longer RPO.`);
  }
  if (objectives.rto.toSeconds() < 60) problems.push(`objectives.rto (${objectives.rto.toHumanString()}) must be at least 1 minute; launching a machine takes longer.`);
  return problems;
}

function quotaProblems({ quotas, expectedFleet, schedule, objectives }: DisasterRecoveryProps): string[] {
  const { copyConcurrency, snapshotsPerSecond, launchesPerSecond } = { ...DEFAULT_QUOTAS, ...quotas };
  const problems: string[] = [];
  if (!Number.isSafeInteger(copyConcurrency) || copyConcurrency < 1) problems.push(`quotas.copyConcurrency must be a whole number of at least 1, got ${copyConcurrency}.`);
  for (const [name, rate] of Object.entries({ snapshotsPerSecond, launchesPerSecond })) {
    if (!(rate > 0)) problems.push(`quotas.${name} must be above 0, got ${rate}.`);
  }
  if (problems.length > 0 || !expectedFleet) return problems;
  const { machines, volumesPerMachine = 2, averageCopy } = expectedFleet;
  if (!(machines >= 1) || !(volumesPerMachine >= 1)) return [`expectedFleet needs at least 1 machine and 1 volume each, got ${machines} and ${volumesPerMachine}.`];
  const load = {
    members: machines, volumesPerMember: volumesPerMachine, intervalSeconds: schedule.interval.toSeconds(),
    copySeconds: averageCopy.toSeconds(), copyConcurrency, snapshotsPerSecond,
  };
  const { message } = feasibility(load, objectives.rpo.toSeconds());
  return message === undefined ? [] : [`expectedFleet: ${message}.`];
}

/** What can be said about the endpoints, once all are known. */
/** What endpoints say of a repair is never done where the project declares none. */
export function repairProblems(endpoints: readonly ProtectedEndpoint[], isDeclared: boolean): string[] {
  const given = isDeclared ? [] : endpoints.filter(({ endpoint: { repair } }) => repair.redeploy !== undefined || repair.swapIn !== undefined);
  return given.map(({ name }) => `Endpoint '${name}' says how it is repaired, and the project declares no repair. Give it repair: Repair.inSource(), or leave it out.`);
}

export function endpointProblems(endpoints: readonly ProtectedEndpoint[], sourceRegion: string): string[] {
  if (endpoints.length === 0) return ['The project protects nothing. Call protect() at least once.'];
  const names = endpoints.map(({ name }) => name);
  const doubled = [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
  return [
    ...endpoints.flatMap(({ endpoint }) => endpoint._problems()),
    ...doubled.map((name) => `Two endpoints are named '${name}'. Give one of them another name.`),
    ...constructsTwice(endpoints),
    ...constructsElsewhere(endpoints, sourceRegion),
    ...tagsTwice(endpoints),
  ];
}

/** Discovery looks in the source Region only. */
function constructsElsewhere(endpoints: readonly ProtectedEndpoint[], sourceRegion: string): string[] {
  return endpoints.flatMap(({ name, endpoint }) => endpoint._selector.constructs.flatMap((construct) => {
    const { region } = Stack.of(construct);
    if (Token.isUnresolved(region) || region === sourceRegion) return [];
    return [`Endpoint '${name}': ${construct.node.path} is in Region '${region}', not in the source Region '${sourceRegion}', so it would never be found. Protect it in a project of its own.`];
  }));
}

/** The same tags find the same machines: each would be protected twice. */
function tagsTwice(endpoints: readonly ProtectedEndpoint[]): string[] {
  const owner = new Map<string, string>();
  return endpoints.flatMap(({ name, endpoint }) => {
    const { tag } = endpoint._selector;
    if (tag === undefined) return [];
    const key = JSON.stringify(Object.entries(tag).sort(([a], [b]) => (a < b ? -1 : 1)));
    const earlier = owner.get(key);
    owner.set(key, name);
    return earlier === undefined ? [] : [`Endpoints '${earlier}' and '${name}' have the same tags, so each machine would be protected twice. Keep one of them.`];
  });
}

/** A function of another Region cannot be called from here, and one of the source Region is gone when it is needed. */
export function functionProblems(functionArns: readonly string[], recoveryRegion: string): string[] {
  return functionArns.flatMap((arn) => {
    const region = Token.isUnresolved(arn) ? recoveryRegion : arn.split(':')[3] ?? recoveryRegion;
    return region === recoveryRegion ? [] : [`Hooks and checks run in the recovery Region '${recoveryRegion}', but ${arn} is in '${region}'. Deploy the function there.`];
  });
}

/** An instance carries one endpoint's tags; two would overwrite each other. */
function constructsTwice(endpoints: readonly ProtectedEndpoint[]): string[] {
  const owner = new Map<string, string>();
  return endpoints.flatMap(({ name, endpoint }) => endpoint._selector.constructs.flatMap(({ node }) => {
    const earlier = owner.get(node.path);
    owner.set(node.path, name);
    return earlier === undefined ? [] : [`${node.path} is in endpoint '${earlier}' and in endpoint '${name}'. Protect it once.`];
  }));
}

/** Step Functions passes at most 256 KiB from state to state; what steps answer needs room beside the configuration. */
const LARGEST_CONFIG_BYTES = 200 * 1024;

/** A configuration that a state machine could not carry. */
export function sizeProblems(owner: IConstruct, configs: Readonly<Record<string, object>>): string[] {
  return Object.entries(configs).flatMap(([name, config]) => {
    const bytes = Buffer.byteLength(JSON.stringify(Stack.of(owner).resolve(config)));
    if (bytes <= LARGEST_CONFIG_BYTES) return [];
    return [`The configuration of the ${name} takes ${bytes} bytes; a state machine can carry ${LARGEST_CONFIG_BYTES}. Select more machines by tag in fewer endpoints, or split the project.`];
  });
}

export interface Networks {
  readonly region: string;
  readonly target: { readonly vpc: IVpc; readonly cidr?: string; readonly subnets: readonly ISubnet[] };
  readonly drill: { readonly vpc: IVpc; readonly cidr?: string; readonly subnets: readonly ISubnet[] };
  readonly staging?: { readonly vpc: IVpc; readonly cidr?: string };
}

/** A drill must not look like production to the machines in it, nor be able to reach it. */
export function networkProblems({ region, target, drill, staging }: Networks): string[] {
  const stagingCidr = staging?.cidr;
  const problems = [...elsewhere('The VPC of drills', drill.vpc, region), ...elsewhere('The VPC of the staging area', staging?.vpc, region)];
  if (drill.vpc.vpcId === target.vpc.vpcId) problems.push('The drill runs in the VPC of the recovery target, where it can reach production. Give it a VPC of its own: DrillPolicy.isolated().');
  const isolated = new Set(drill.vpc.isolatedSubnets.map(({ node }) => node.path));
  for (const subnet of drill.subnets.filter(({ node }) => !isolated.has(node.path))) {
    problems.push(`Drill subnet ${subnet.node.path} is not isolated. Choose subnets without a route to the internet.`);
  }
  for (const subnet of target.subnets) {
    const { cidr } = subnetConfig(subnet);
    if (target.cidr === undefined && knownToOverlap(drill.cidr, cidr)) problems.push(`The drill network ${drill.cidr ?? ''} overlaps subnet ${cidr ?? ''} of the recovery target. ${ANOTHER_BLOCK}`);
  }
  if (knownToOverlap(drill.cidr, target.cidr)) problems.push(`The drill network ${drill.cidr ?? ''} overlaps the VPC of the recovery target, ${target.cidr ?? ''}. ${ANOTHER_BLOCK}`);
  if (knownToOverlap(drill.cidr, stagingCidr)) problems.push(`The drill network ${drill.cidr ?? ''} overlaps the staging area ${stagingCidr ?? ''}. ${ANOTHER_BLOCK}`);
  if (knownToOverlap(stagingCidr, target.cidr)) problems.push(`The staging area ${stagingCidr ?? ''} overlaps the VPC of the recovery target, ${target.cidr ?? ''}. Give StagingArea another block.`);
  return problems;
}

const ANOTHER_BLOCK = 'Give DrillPolicy another block.';
