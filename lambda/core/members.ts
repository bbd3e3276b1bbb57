import { isDeepStrictEqual } from 'node:util';
import { groupBy } from './group';
import type { EndpointMember, MachineSettings } from './model';
import { epochMs } from './time';

/** A machine as discovery found it. */
export interface FoundMember {
  readonly endpoint: string;
  readonly instanceId: string;
  readonly settings: MachineSettings;
  readonly findings: readonly string[];
  /** Of a recovered machine: the member that it was recovered for. @default - follows from endpoint and instance */
  readonly memberId?: string;
}

export interface Reconciled {
  /** To be written: new, changed, back again or gone. */
  readonly upserts: readonly EndpointMember[];
  /** As stored; nothing to write. That they were seen is one note for all of them, not a write for each. */
  readonly unchanged: readonly EndpointMember[];
  /** Of `upserts`: seen for the first time. */
  readonly added: readonly string[];
  /** Of `upserts`: went missing with this discovery. */
  readonly gone: readonly string[];
  /** Endpoints that have members and of which discovery found none. */
  readonly emptyEndpoints: readonly string[];
}

export function memberIdOf(endpoint: string, instanceId: string): string {
  return `${endpoint}/${instanceId}`;
}

/**
 * The catalogue's members after a discovery.
 *
 * A member that was not found is missing only if the endpoint's other machines were found: then the fleet has changed.
 * Finding nothing of an endpoint at all looks like an outage, lost tags or an attack, which is what recovery is for, so
 * its members stay to be recovered. An endpoint that is not among those `declared` was taken out of the project on purpose:
 * its members are missing, and their points stay as retention says.
 */
export function reconcileMembers(
  known: readonly EndpointMember[], found: readonly FoundMember[], now: string, project: string, declared: readonly string[],
): Reconciled {
  const foundById = new Map(found.map((each) => [each.memberId ?? memberIdOf(each.endpoint, each.instanceId), each]));
  const foundEndpoints = new Set(found.map((each) => each.endpoint));
  const declaredEndpoints = new Set(declared);
  const upserts: EndpointMember[] = [];
  const unchanged: EndpointMember[] = [];
  const gone: string[] = [];
  for (const member of known) {
    const seen = foundById.get(member.memberId);
    if (seen !== undefined) {
      if (isCurrent(member, seen)) unchanged.push(member);
      else upserts.push(refreshed(member, seen, now));
    } else if (!declaredEndpoints.has(member.endpoint)) {
      if (member.withdrawn === true) unchanged.push(member);
      else upserts.push({ ...member, withdrawn: true, missingSince: member.missingSince ?? now });
      if (member.missingSince === undefined) gone.push(member.memberId);
    } else if (member.withdrawn === true) {
      const { withdrawn: _declaredAgain, ...rest } = member;
      upserts.push(rest);
    } else if (member.missingSince === undefined && foundEndpoints.has(member.endpoint)) {
      upserts.push({ ...member, missingSince: now });
      gone.push(member.memberId);
    } else unchanged.push(member);
  }
  const knownIds = new Set(known.map((member) => member.memberId));
  const added = [...foundById].filter(([memberId]) => !knownIds.has(memberId));
  for (const [memberId, { endpoint, instanceId, settings, findings }] of added) {
    upserts.push({ memberId, project, endpoint, instanceId, firstSeenAt: now, lastSeenAt: now, settings, findings });
  }
  const emptyEndpoints = [...new Set(known.map((member) => member.endpoint))].filter((endpoint) => !foundEndpoints.has(endpoint));
  return { upserts, unchanged, added: added.map(([memberId]) => memberId), gone, emptyEndpoints };
}

/**
 * The members that a run recovers. `time` is that of a `before` selection, undefined for the newest state.
 *
 * At a past time these are the members that were there then: instances that an attacker (or a mistake) has deleted
 * since are recovered, and what was put in their place later is not. Now these are the members not missing; but where
 * none of an endpoint's present members has a recovery point yet (the machine was just replaced, perhaps by somebody
 * who means harm), the ones that went missing last and have a point stand in. Members of an endpoint that was taken out of
 * the project count only where it is among the `named`.
 */
export function membersAt(members: readonly EndpointMember[], time: string | undefined, named: readonly string[] = []): EndpointMember[] {
  const eligible = members.filter((member) => member.withdrawn !== true || named.includes(member.endpoint));
  const endpoints = [...groupBy(eligible, (member) => member.endpoint).values()];
  return endpoints.flatMap((group) => (time === undefined ? presentNow(group) : group.filter((member) => wasPresent(member, time))));
}

/**
 * Members that have been missing for longer than they are kept. Not those of an endpoint of which nothing was found: that
 * may be an outage, and what is missing then may be all that can be recovered.
 */
export function departedMembers(members: readonly EndpointMember[], absent: readonly string[], keepSeconds: number, now: string): string[] {
  return members
    .filter(({ missingSince, endpoint }) => missingSince !== undefined && !absent.includes(endpoint) && epochMs(now) - epochMs(missingSince) > keepSeconds * 1000)
    .map(({ memberId }) => memberId);
}

function presentNow(group: readonly EndpointMember[]): EndpointMember[] {
  const present = group.filter((member) => member.missingSince === undefined);
  if (present.some((member) => member.newestPointAt !== undefined)) return present;
  const departed = group.flatMap((member) =>
    member.missingSince !== undefined && member.newestPointAt !== undefined ? [{ member, since: epochMs(member.missingSince) }] : [],
  );
  const last = Math.max(...departed.map(({ since }) => since));
  return departed.length === 0 ? present : departed.filter(({ since }) => since === last).map(({ member }) => member);
}

function wasPresent(member: EndpointMember, time: string): boolean {
  const at = epochMs(time);
  return epochMs(member.firstSeenAt) <= at && (member.missingSince === undefined || epochMs(member.missingSince) > at);
}

function isCurrent(member: EndpointMember, seen: FoundMember): boolean {
  return (
    member.missingSince === undefined &&
    member.instanceId === seen.instanceId &&
    isDeepStrictEqual(plain(member.settings), plain(seen.settings)) &&
    isDeepStrictEqual(plain(member.findings), plain(seen.findings))
  );
}

/** Without properties that are undefined: the catalogue does not store them. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function refreshed({ missingSince: _back, withdrawn: _declared, ...rest }: EndpointMember, seen: FoundMember, now: string): EndpointMember {
  return { ...rest, instanceId: seen.instanceId, settings: seen.settings, findings: seen.findings, lastSeenAt: now };
}
