import type { RunConfig, SubnetConfig } from './config';
import { siteOf } from './direction';
import { inTurnOverZones, launchConfigFor, plannedType } from './launch-plan';
import type { RunMember, RunMode } from './model';

/** Why EC2 refused a launch: no machine of the type free in the zone, the private address taken, or no address free in the subnet. */
export type LaunchFailure = 'capacity' | 'address-in-use' | 'subnet-full';

export type LaunchAttempt = Pick<RunMember, 'attempt' | 'instanceType' | 'subnetId' | 'privateIp' | 'tried' | 'notes'>;

/**
 * What to try after a refused launch; undefined when there is nothing left. The attempt's number is part of the client
 * token, since EC2 refuses a known token with other parameters.
 *
 * Without capacity, a machine that has its private address first tries the fallback types in the same subnet, because
 * others know it by that address; without one (or after that) each type is tried in every zone, the best type first. A full
 * subnet says nothing of its zone: the other subnets there come first, with the type that was to be launched.
 */
export function nextAttempt(member: RunMember, failure: LaunchFailure, config: RunConfig, mode: RunMode = 'failover'): LaunchAttempt | undefined {
  if (failure === 'address-in-use') {
    if (member.privateIp === undefined) return undefined;
    return attempt(member, { note: `a new private address: ${member.privateIp} is in use` });
  }
  const subnets = subnetsOf(member, config, mode);
  const here = subnets.find((subnet) => subnet.subnetId === member.subnetId) ?? { subnetId: member.subnetId };
  const isFull = failure === 'subnet-full';
  const tried = [...new Set([...(member.tried ?? []), isFull ? fullKey(here) : attemptKey(member.instanceType, here)])];
  const first = plannedType(member.settings.instanceType, config, launchConfigFor(config, member.endpoint, mode), mode);
  const types = [...new Set([...(isFull ? [member.instanceType] : []), first, ...config.instanceTypes.fallbacks])];
  const untried = (type: string, subnet: SubnetConfig) => !tried.includes(attemptKey(type, subnet)) && !tried.includes(fullKey(subnet));
  const refused = isFull ? `no free address in ${here.subnetId}` : `no capacity for ${attemptKey(member.instanceType, here)}`;

  if (member.privateIp !== undefined) {
    const type = types.find((candidate) => untried(candidate, here));
    if (type !== undefined) return attempt(member, { type, privateIp: member.privateIp, tried, note: `${refused}: ${type} instead` });
  }
  const near = (subnet: SubnetConfig) => subnet.availabilityZone !== undefined && subnet.availabilityZone === here.availabilityZone;
  const others = subnets.filter((subnet) => subnet !== here);
  const elsewhere = [here, ...others.filter(near), ...others.filter((subnet) => !near(subnet))];
  for (const type of types) {
    const subnet = elsewhere.find((candidate) => untried(type, candidate));
    if (subnet === undefined) continue;
    const address = member.privateIp === undefined ? '' : ' with a new private address';
    const place = isFull ? `${type} in ${subnet.subnetId}` : attemptKey(type, subnet);
    return attempt(member, { type, subnet, tried, note: `${refused}: ${place} instead${address}` });
  }
  return undefined;
}

/**
 * The same again without the reservation: it may be of another type, platform or zone, used up or over, and on demand there
 * may be a machine all the same.
 */
export function withoutReservation(member: RunMember, code: string): Pick<RunMember, 'attempt' | 'unreserved' | 'notes'> {
  return { attempt: member.attempt + 1, unreserved: true, notes: [...member.notes, `not in the reserved capacity (${code})`] };
}

function attempt(
  member: RunMember,
  change: { type?: string; subnet?: SubnetConfig; privateIp?: string; tried?: readonly string[]; note: string },
): LaunchAttempt {
  return {
    attempt: member.attempt + 1,
    instanceType: change.type ?? member.instanceType,
    subnetId: change.subnet?.subnetId ?? member.subnetId,
    privateIp: change.privateIp,
    tried: change.tried ?? member.tried ?? [],
    notes: [...member.notes, change.note],
  };
}

function fullKey({ subnetId }: SubnetConfig): string {
  return `full@${subnetId}`;
}

/** Capacity is a zone's, not a subnet's. */
function attemptKey(type: string, subnet: SubnetConfig): string {
  return `${type}@${subnet.availabilityZone ?? subnet.subnetId}`;
}

/** The subnets that the machine may go to: those of the network that it is in, or the one configured for it. */
function subnetsOf(member: RunMember, config: RunConfig, mode: RunMode): SubnetConfig[] {
  if (siteOf(mode) === 'source') {
    const { subnetId = member.subnetId, availabilityZone } = member.settings;
    const others = config.repair?.subnets.filter((subnet) => subnet.subnetId !== subnetId) ?? [];
    return [{ subnetId, availabilityZone }, ...inTurnOverZones(others)];
  }
  const isHere = (subnet: SubnetConfig) => subnet.subnetId === member.subnetId;
  const network = config.drill.subnets.some(isHere) ? config.drill.subnets : config.production.subnets;
  const isFixed = launchConfigFor(config, member.endpoint).subnetId === member.subnetId;
  return isFixed ? network.filter(isHere) : inTurnOverZones(network);
}
