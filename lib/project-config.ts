import { Duration } from 'aws-cdk-lib';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import type { CycleConfig, LaunchBasis, LaunchConfig, RunConfig, UpkeepConfig } from '../lambda/core/config';
import type { DisasterRecoveryProps } from './disaster-recovery-props';
import { launchConfig } from './endpoint/launch-settings';
import type { Cutovers } from './cutover/cutovers';
import type { ProtectedEndpoint } from './endpoint/protected-endpoint';
import type { ProjectFailback } from './failback/project-failback';
import type { ProjectFencing } from './fencing/project-fencing';
import type { ProjectContext } from './functions/context';
import type { DrillNetwork, DrillPolicy } from './network/drill-policy';
import type { BoundTarget } from './network/recovery-target';
import { subnetConfig } from './network/vpc-facts';
import type { RecoveryPlan } from './plan/recovery-plan';
import { RetentionPolicy } from './policies/retention-policy';
import { DEFAULT_QUOTAS } from './quotas';
import type { ProjectRepair } from './repair/project-repair';

/**
 * Longest wait for a completion event before snapshots are polled. EventBridge delivers within seconds; a poll is two calls
 * per 200 snapshots, so a minute is cheap.
 */
export const POLL_SECONDS = 60;
const SOURCE_RETENTION = RetentionPolicy.keepLast(2);
const KEEP_MISSING = Duration.days(90);

/** All that the handlers are told about a project. */
export interface ProjectParts {
  readonly context: ProjectContext;
  readonly props: DisasterRecoveryProps;
  readonly endpoints: readonly ProtectedEndpoint[];
  readonly plan: RecoveryPlan;
  readonly target: BoundTarget;
  readonly drill: DrillNetwork;
  readonly drillPolicy: DrillPolicy;
  readonly cutovers: Cutovers;
  readonly fencing: ProjectFencing;
  readonly failback?: ProjectFailback;
  readonly repair?: ProjectRepair;
}

type Regions = Pick<CycleConfig, 'project' | 'sourceRegion' | 'recoveryRegion'>;

export function cycleConfig({ context, props, endpoints }: ProjectParts): CycleConfig {
  const quotas = { ...DEFAULT_QUOTAS, ...props.quotas };
  return {
    ...regions(context),
    endpoints: endpoints.map(({ endpoint }) => endpoint._toConfig(context.project)),
    retention: props.retention._toConfig(),
    sourceRetention: (props.sourceRetention ?? SOURCE_RETENTION)._toConfig(),
    keepMissingSeconds: (props.keepMissingFor ?? KEEP_MISSING).toSeconds(),
    rpoSeconds: props.objectives.rpo.toSeconds(),
    intervalSeconds: props.schedule.interval.toSeconds(),
    pollSeconds: POLL_SECONDS,
    targetKeyArn: context.key.keyArn,
    copyConcurrency: quotas.copyConcurrency,
    snapshotsPerSecond: quotas.snapshotsPerSecond,
    launch: launchConfigs(endpoints, launchBasis),
    launchDefaults: launchBasis(props.target._launchDefaults()),
    passableRoleArns: passableRoleArns(props, endpoints),
  };
}

export function runConfig({ context, props, endpoints, plan, target, drill, drillPolicy, cutovers, fencing, failback, repair }: ProjectParts): RunConfig {
  const capacity = props.target._capacity._bind();
  return {
    ...regions(context),
    rpoSeconds: props.objectives.rpo.toSeconds(),
    rtoSeconds: props.objectives.rto.toSeconds(),
    waves: plan.toConfig(),
    production: { subnets: target.subnets.map(subnetConfig), securityGroupIds: target.securityGroups.map((group) => group.securityGroupId) },
    drill: { subnets: drill.subnets.map(subnetConfig), securityGroupIds: [drill.securityGroup.securityGroupId] },
    drillInstanceLimit: drillPolicy.instanceLimit,
    drillKeepSeconds: drillPolicy.keepFor.toSeconds(),
    instanceTypes: props.target._instanceTypes._toConfig(),
    launch: launchConfigs(endpoints, (config) => config),
    launchDefaults: props.target._launchDefaults(),
    passableRoleArns: passableRoleArns(props, endpoints),
    capacityReservationId: capacity.reservationId,
    capacityReservationGroupArn: capacity.groupArn,
    targetKeyArn: context.key.keyArn,
    launchesPerSecond: props.quotas?.launchesPerSecond ?? DEFAULT_QUOTAS.launchesPerSecond,
    ...fencing.toConfig(),
    ...cutovers.toConfig(),
    ...failback?.toConfig(),
    ...repair?.toConfig(),
  };
}

export function upkeepConfig(context: ProjectContext, orphanAgeSeconds: number, replaces: boolean): UpkeepConfig {
  return { ...regions(context), orphanAgeSeconds, ...(replaces ? { replaces } : {}) };
}

export function passableRoleArns(props: DisasterRecoveryProps, endpoints: readonly ProtectedEndpoint[]): string[] {
  const ofTarget = (props.target._options.instanceRoles ?? []).map((role) => role.roleArn);
  const ofEndpoints = endpoints.flatMap(({ endpoint }) => endpoint.launch.instanceProfile?.role?.roleArn ?? []);
  return [...new Set([...ofTarget, ...ofEndpoints])];
}

/** Endpoints whose source role is known here and may not be given to recovered machines, with the construct that has it. */
export function rolesNotPassable(props: DisasterRecoveryProps, endpoints: readonly ProtectedEndpoint[]): [string, string][] {
  const passable = new Set<unknown>(props.target._options.instanceRoles ?? []);
  return endpoints.filter(({ endpoint }) => endpoint.launch.instanceProfile === undefined).flatMap(({ name, endpoint }) => {
    const constructs: readonly (IConstruct & { readonly role?: IRole })[] = endpoint._selector.constructs;
    return constructs.filter(({ role }) => role !== undefined && !passable.has(role)).map(({ node }): [string, string] => [name, node.path]);
  });
}

function regions({ project, sourceRegion, recoveryRegion }: ProjectContext): Regions {
  return { project, sourceRegion, recoveryRegion };
}

/** By endpoint; those that say nothing are left out, since a state machine's definition has little room. */
function launchConfigs<T extends LaunchConfig>(endpoints: readonly ProtectedEndpoint[], part: (config: LaunchConfig) => T): Record<string, T> {
  const configs = endpoints.map(({ name, endpoint }): [string, T] => [name, part(launchConfig(endpoint.launch))]);
  return Object.fromEntries(configs.filter(([, config]) => hasContent(config)));
}

function launchBasis({ baseImageId, instanceProfileArn }: LaunchConfig): LaunchBasis {
  return { baseImageId, instanceProfileArn };
}

function hasContent(config: LaunchConfig): boolean {
  return Object.values(config).some((value) => value !== undefined);
}
