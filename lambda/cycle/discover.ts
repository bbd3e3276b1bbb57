import { launchFindings } from '../core/launch-plan';
import { departedMembers, reconcileMembers, memberIdOf, type FoundMember } from '../core/members';
import type { EndpointConfig } from '../core/config';
import type { EndpointMember } from '../core/model';
import { Tag } from '../core/tags';
import { isRefused } from '../adapters/errors';
import type { CycleStore, MemberStore } from '../adapters/ports/catalogue';
import type { LeaseStore } from '../adapters/ports/lease';
import type { FoundInstance, InstanceProfiles, SourceMachines } from '../adapters/ports/source-machines';
import { eachOf, mapOf } from '../runtime/pool';
import type { Tools } from '../runtime/tools';
import { noteProblem, type CycleInput } from './cycle';
import { findRecovered, reconcileRecovered } from './discover-return';
import { findingsOf, settingsOf, type MachineDetails } from './settings';

export interface DiscoverPorts {
  readonly members: MemberStore;
  readonly cycles: CycleStore;
  readonly machines: SourceMachines;
  readonly profiles: InstanceProfiles;
  readonly leases: LeaseStore;
}

export interface Discovery {
  /** Members that were found. */
  readonly members: number;
  /** What stands in the way of protection; the first of them, since a state's payload is limited. */
  readonly findings: readonly string[];
}

const REPORTED_FINDINGS = 50;
/** Members that one cycle forgets; the others wait for the next ones. They are noted in one row. */
const DEPARTED_IN_A_CYCLE = 100;

interface Match {
  readonly endpoint: EndpointConfig;
  readonly instance: FoundInstance;
}

/**
 * Finds the machines of all endpoints and writes what has changed. A source Region that refuses is noted and not thrown:
 * the sets on their way must still be committed.
 */
export async function discover(input: CycleInput, ports: DiscoverPorts, tools: Tools): Promise<Discovery> {
  const { config, cycle } = input;
  const known = await ports.members.members();
  let found: FoundMember[];
  try {
    found = config.direction === 'return' ? await findRecovered(config, ports) : await findMembers(input, known, ports, tools);
  } catch (error) {
    // No configuration names the endpoints of recovered machines. Those on record may have been replaced since: a set of one would be new by its time only.
    const unseen = config.direction === 'return' ? known.map(({ endpoint }) => endpoint) : config.endpoints.map(({ name }) => name);
    await ports.cycles.noteProgress(cycle.cycleId, { absent: [...new Set(unseen)] });
    await noteProblem(ports.cycles, input, `Discovery in ${config.sourceRegion} failed`, tools, error);
    return { members: 0, findings: [] };
  }
  const { upserts, unchanged, added, gone } = config.direction === 'return' ? reconcileRecovered(known, found, tools.now(), config.project)
    : reconcileMembers(known, found, tools.now(), config.project, config.endpoints.map(({ name }) => name));
  await eachOf(upserts, (member) => ports.members.saveMember(member));
  const present = new Set(found.map(({ endpoint }) => endpoint));
  const absent = config.endpoints.map(({ name }) => name).filter((name) => !present.has(name));
  const departed = departedMembers([...unchanged, ...upserts], absent, config.keepMissingSeconds, tools.now()).slice(0, DEPARTED_IN_A_CYCLE);
  await ports.cycles.noteProgress(cycle.cycleId, { absent, departed });
  const findings = [
    ...absent.map((name) => `${name}: no instance in ${config.sourceRegion} carries its tags`),
    ...found.flatMap(({ endpoint, instanceId, memberId = memberIdOf(endpoint, instanceId), findings: own }) => own.map((finding) => `${memberId}: ${finding}`)),
  ];
  tools.log.info('Discovered', { members: found.length, added, gone, written: upserts.length, findings });
  return { members: found.length, findings: findings.slice(0, REPORTED_FINDINGS) };
}

async function findMembers(input: CycleInput, known: readonly EndpointMember[], ports: DiscoverPorts, tools: Tools): Promise<FoundMember[]> {
  const { config } = input;
  const matches = await matchEndpoints(config.endpoints, config.project, ports.machines);
  const volumes = await ports.machines.volumes(matches.flatMap(({ instance }) => instance.volumes.map(({ volumeId }) => volumeId)));
  const byId = new Map(volumes.map((volume) => [volume.volumeId, volume]));
  const knownById = new Map(known.map((member) => [member.memberId, member]));
  const endpointsOf = grouped(matches);
  const roles = await rolesOf(matches, input, ports, tools);
  return mapOf(matches, async ({ endpoint, instance }): Promise<FoundMember> => {
    const before = knownById.get(memberIdOf(endpoint.name, instance.instanceId));
    const settings = settingsOf(instance, byId, await detailsOf(instance, before, roles, ports));
    const findings = [...findingsOf(settings, instance), ...launchFindings(endpoint.name, settings, config)];
    const others = endpointsOf.instances.get(instance.instanceId) ?? [];
    if (others.length > 1) findings.push(`the instance belongs to ${others.length} endpoints (${others.join(', ')}) and is protected for each; let one match`);
    const count = endpointsOf.counts.get(endpoint.name) ?? 1;
    if (endpoint.single && count > 1) findings.push(`${count} instances carry the tags of an endpoint that is one machine; use Endpoint.instances or remove the tags of the others`);
    return { endpoint: endpoint.name, instanceId: instance.instanceId, settings, findings };
  });
}

/** One call for all endpoints that carry the project's tag, one for each endpoint chosen by the user's own tags. */
async function matchEndpoints(endpoints: readonly EndpointConfig[], project: string, machines: SourceMachines): Promise<Match[]> {
  const tagged = endpoints.filter(({ tags }) => tags[Tag.PROJECT] === project);
  const others = endpoints.filter((endpoint) => !tagged.includes(endpoint));
  const ofProject = tagged.length === 0 ? [] : await machines.withTags({ [Tag.PROJECT]: project });
  const matches = tagged.flatMap((endpoint) => ofProject.filter((instance) => carries(instance, endpoint.tags)).map((instance) => ({ endpoint, instance })));
  const lists = await mapOf(others, async (endpoint) => (
    await machines.withTags(endpoint.tags)).filter((instance) => carries(instance, endpoint.tags)).map((instance) => ({ endpoint, instance })));
  return [...matches, ...lists.flat()].filter(({ instance }) => isSource(instance));
}

/** What a drill or a failover has launched is no source, even when it runs in this Region, nor is what was replaced. */
function isSource({ tags }: FoundInstance): boolean {
  return tags[Tag.REPLACED_BY] === undefined && (tags[Tag.RUN] === undefined || tags[Tag.MODE] === 'repair' || tags[Tag.MODE] === 'failback');
}

function carries(instance: FoundInstance, tags: Readonly<Record<string, string>>): boolean {
  return Object.entries(tags).every(([key, value]) => instance.tags[key] === value);
}

/**
 * Another role can be put into a profile at any time, and a profile of the same ARN made anew: each is read once in a cycle.
 * One that IAM refuses to tell is not in the answer, and costs no machine its protection.
 */
async function rolesOf(matches: readonly Match[], input: CycleInput, ports: DiscoverPorts, tools: Tools): Promise<ReadonlyMap<string, string | undefined>> {
  const arns = [...new Set(matches.flatMap(({ instance }) => instance.instanceProfileArn ?? []))];
  const roles = new Map<string, string | undefined>();
  await eachOf(arns, async (arn) => {
    try {
      roles.set(arn, await ports.profiles.roleOf(arn));
    } catch (error) {
      if (!isRefused(error)) throw error;
      await noteProblem(ports.cycles, input, 'Roles in instance profiles cannot be read', tools, error);
    }
  });
  return roles;
}

/** What costs a call per machine is read again only when it can have changed: user data and UEFI variables with a start. */
async function detailsOf(
  instance: FoundInstance, member: EndpointMember | undefined, roles: ReadonlyMap<string, string | undefined>, ports: DiscoverPorts,
): Promise<MachineDetails> {
  const settings = member?.settings;
  const restarted = settings?.launchTime !== instance.launchTime;
  const details = restarted
    ? {
        userData: await ports.machines.userData(instance.instanceId),
        uefiData: instance.bootMode?.startsWith('uefi') === true ? await ports.machines.uefiData(instance.instanceId) : undefined,
      }
    : { userData: settings?.userData, uefiData: settings?.uefiData };
  const arn = instance.instanceProfileArn;
  if (arn === undefined) return details;
  const before = settings?.instanceProfileArn === arn ? settings.instanceRoleArn : undefined;
  return { ...details, instanceRoleArn: roles.has(arn) ? roles.get(arn) : before };
}

function grouped(matches: readonly Match[]): { instances: Map<string, string[]>; counts: Map<string, number> } {
  const instances = new Map<string, string[]>();
  const counts = new Map<string, number>();
  for (const { endpoint, instance } of matches) {
    instances.set(instance.instanceId, [...(instances.get(instance.instanceId) ?? []), endpoint.name]);
    counts.set(endpoint.name, (counts.get(endpoint.name) ?? 0) + 1);
  }
  return { instances, counts };
}
