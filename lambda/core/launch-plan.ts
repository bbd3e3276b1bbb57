import { contains, isUsable, parseCidr, parseIp } from './cidr';
import type { LaunchConfig, NetworkConfig, RunConfig, SubnetConfig } from './config';
import { siteOf } from './direction';
import { DrillLimitExceeded, PlanError } from './errors';
import { groupBy } from './group';
import type { EndpointMember, LaunchMethod, MachineSettings, RecoveryPoint, RunMember, RunMode } from './model';
import { canRecover } from './point-state';

/** What a cycle and a run are told alike. */
export type LaunchBases = Pick<RunConfig, 'launch' | 'launchDefaults' | 'passableRoleArns'>;

export type LaunchPlan = Pick<RunMember, 'launchMethod' | 'instanceType' | 'subnetId' | 'privateIp' | 'notes'>;

/** The only platform whose snapshots RegisterImage makes a launchable image of; every other one needs its billing code. */
const PLAIN_LINUX = 'Linux/UNIX';

/** The endpoint's launch settings over the target's defaults. They are the recovery Region's: in the source Region a machine is as it was. */
export function launchConfigFor(config: Pick<RunConfig, 'launch' | 'launchDefaults'>, endpoint: string, mode: RunMode = 'failover'): LaunchConfig {
  if (siteOf(mode) === 'source') return {};
  const own = Object.hasOwn(config.launch, endpoint) ? config.launch[endpoint] : undefined;
  return { ...config.launchDefaults, ...own, tags: { ...config.launchDefaults.tags, ...own?.tags } };
}

/** The network of a mode. A drill knows only its own: nothing configured for production can lead it there. */
export function networkFor(config: Pick<RunConfig, 'production' | 'drill'>, mode: RunMode): NetworkConfig {
  return mode === 'drill' ? config.drill : config.production;
}

/** Security groups belong to a VPC, so those given for an endpoint hold in production only. */
export function securityGroupsFor(config: RunConfig, { endpoint, settings }: Pick<RunMember, 'endpoint' | 'settings'>, mode: RunMode): readonly string[] {
  if (siteOf(mode) === 'source') return settings.securityGroupIds ?? [];
  const own = mode === 'drill' ? undefined : launchConfigFor(config, endpoint).securityGroupIds;
  return own ?? networkFor(config, mode).securityGroupIds;
}

/** The instance profile that the recovered machine carries, or why it carries none. */
export function instanceProfileFor(config: LaunchBases, endpoint: string, settings: MachineSettings, mode: RunMode = 'failover'): { readonly arn?: string; readonly note?: string } {
  const configured = launchConfigFor(config, endpoint, mode).instanceProfileArn;
  if (configured !== undefined) return { arn: configured };
  if (settings.instanceProfileArn === undefined) return {};
  if (settings.instanceRoleArn !== undefined && config.passableRoleArns.includes(settings.instanceRoleArn)) return { arn: settings.instanceProfileArn };
  return {
    note:
      `no instance profile: the role ${settings.instanceRoleArn ?? `of ${settings.instanceProfileArn}`} is not among those that ` +
      'recovered machines may carry; name it in the recovery target to attach it',
  };
}

/** What a recovery of the machine would fail at or leave out, in words that say what to do: to be known long before it. */
export function launchFindings(endpoint: string, settings: MachineSettings, config: LaunchBases): string[] {
  const blocked = billingProblem(endpoint, settings, launchConfigFor(config, endpoint));
  const { note } = instanceProfileFor(config, endpoint, settings);
  return [...(blocked === undefined ? [] : [`it cannot be recovered: ${blocked}`]), ...(note === undefined ? [] : [`it would be recovered with ${note}`])];
}

/** How and where a member is launched. `index` is its position in the run: machines without a fixed place take turns over the zones. */
export function planLaunch(member: EndpointMember, point: RecoveryPoint, config: RunConfig, mode: RunMode, index: number): LaunchPlan {
  if (!canRecover(point)) throw new PlanError(member.memberId, `recovery point ${point.pointId} is ${point.state}; choose a complete one.`);
  if (!point.volumes.some((volume) => volume.isRoot)) {
    throw new PlanError(member.memberId, `recovery point ${point.pointId} has no root disk; machines are recovered from their root volume on EBS.`);
  }
  const launch = launchConfigFor(config, member.endpoint);
  const notes: string[] = [];
  const launchMethod = launchMethodFor(member, launch);
  const instanceType = plannedType(member.settings.instanceType, config, launch);
  if (instanceType !== member.settings.instanceType) notes.push(`instance type ${instanceType} in place of ${member.settings.instanceType}, as configured`);
  const place = placeOf(member, launch, config, mode, index, notes);
  const profile = instanceProfileFor(config, member.endpoint, member.settings);
  if (profile.note !== undefined) notes.push(profile.note);
  return { launchMethod, instanceType, ...place, notes };
}

/** Refuses a drill of more machines than the target allows. */
export function checkDrillLimit(mode: RunMode, machines: number, config: Pick<RunConfig, 'drillInstanceLimit'>): void {
  if (mode === 'drill' && machines > config.drillInstanceLimit) throw new DrillLimitExceeded(machines, config.drillInstanceLimit);
}

/** The recovery type that is tried first. */
export function plannedType(sourceType: string, config: Pick<RunConfig, 'instanceTypes'>, launch: LaunchConfig, mode: RunMode = 'failover'): string {
  if (siteOf(mode) === 'source') return sourceType;
  const { map } = config.instanceTypes;
  return launch.instanceType ?? (Object.hasOwn(map, sourceType) ? map[sourceType] : undefined) ?? sourceType;
}

/** The subnets in turn over their zones: a, b, c, a, b, … */
export function inTurnOverZones(subnets: readonly SubnetConfig[]): SubnetConfig[] {
  const zones = [...groupBy(subnets, (subnet) => subnet.availabilityZone ?? subnet.subnetId).values()];
  const rounds = Math.max(0, ...zones.map((zone) => zone.length));
  return Array.from({ length: rounds }, (_, round) => zones.flatMap((zone) => zone[round] ?? [])).flat();
}

function launchMethodFor({ memberId, endpoint, settings }: EndpointMember, launch: LaunchConfig): LaunchMethod {
  if (!needsBillingCode(settings)) return 'registered-image';
  const problem = billingProblem(endpoint, settings, launch);
  if (problem !== undefined) throw new PlanError(memberId, problem);
  return 'replaced-root';
}

export function needsBillingCode({ platformDetails, productCodes }: MachineSettings): boolean {
  return platformDetails !== PLAIN_LINUX || productCodes.length > 0;
}

function billingProblem(endpoint: string, settings: MachineSettings, launch: LaunchConfig): string | undefined {
  if (!needsBillingCode(settings) || launch.baseImageId !== undefined) return undefined;
  const { platformDetails, productCodes } = settings;
  const codes = productCodes.length > 0 ? ` with product code ${productCodes.join(', ')}` : '';
  return `its platform "${platformDetails}"${codes} needs its billing code, which an image made from a snapshot does not have. ` +
    `Give endpoint "${endpoint}" a base image: an AMI of the same platform in the recovery Region, whose root disk is then replaced.`;
}

function placeOf(
  member: EndpointMember,
  launch: LaunchConfig,
  config: RunConfig,
  mode: RunMode,
  index: number,
  notes: string[],
): Pick<LaunchPlan, 'subnetId' | 'privateIp'> {
  const { subnets } = networkFor(config, mode);
  const fixed = fixedSubnet(launch, subnets, mode, notes);
  const candidates = fixed === undefined ? inTurnOverZones(subnets) : [fixed];
  const ip = launch.keepPrivateIp === false ? undefined : member.settings.privateIp;
  if (ip !== undefined) {
    const address = parseIp(ip);
    const blocks = candidates.flatMap((subnet) => (subnet.cidr === undefined ? [] : [{ subnet, block: parseCidr(subnet.cidr) }]));
    const home = blocks.find(({ block }) => isUsable(block, address));
    if (home !== undefined) return { subnetId: home.subnet.subnetId, privateIp: ip };
    const reserved = blocks.find(({ block }) => contains(block, address));
    notes.push(
      reserved === undefined
        ? `a new private address: ${ip} lies in no ${mode} subnet that the machine may use`
        : `a new private address: AWS keeps ${ip} for itself in ${reserved.subnet.subnetId}`,
    );
  }
  const subnet = candidates[index % candidates.length];
  if (subnet === undefined) throw new PlanError(member.memberId, `the recovery target has no ${mode} subnet; give it at least one.`);
  return { subnetId: subnet.subnetId };
}

function fixedSubnet(launch: LaunchConfig, subnets: readonly SubnetConfig[], mode: RunMode, notes: string[]): SubnetConfig | undefined {
  if (launch.subnetId === undefined) return undefined;
  const known = subnets.find((subnet) => subnet.subnetId === launch.subnetId);
  if (known !== undefined) return known;
  if (mode !== 'drill') return { subnetId: launch.subnetId };
  notes.push(`not in ${launch.subnetId}, which belongs to production: a drill stays in its own network`);
  return undefined;
}
