import type { CycleConfig } from '../core/config';
import { newestOf } from '../core/fencing';
import { reconcileMembers, type FoundMember, type Reconciled } from '../core/members';
import type { EndpointMember } from '../core/model';
import { Tag } from '../core/tags';
import type { LeaseStore } from '../adapters/ports/lease';
import type { FoundInstance, SourceMachines } from '../adapters/ports/source-machines';
import { findingsOf, settingsOf } from './settings';

/**
 * The members of the way back: what failovers have launched since the recovery side became active and nothing has taken the
 * place of, each under the id of the member that it was recovered for. How it is launched is not asked: it comes back into the
 * machine that it came from. What is left of an earlier time there is older than the source, marked as replaced or not.
 */
export async function findRecovered(
  { project }: Pick<CycleConfig, 'project'>, { machines, leases }: { machines: SourceMachines; leases: LeaseStore },
): Promise<FoundMember[]> {
  const instances = await machines.withTags({ [Tag.PROJECT]: project, [Tag.MODE]: 'failover' });
  const { activeEpoch = 0 } = await leases.lease();
  const recovered = instances.filter(({ tags }) => tags[Tag.MEMBER] !== undefined && tags[Tag.REPLACED_BY] === undefined).map((instance) => ({
    instance, memberId: instance.tags[Tag.MEMBER] ?? '', epoch: Number(instance.tags[Tag.EPOCH] ?? 0) || 0,
  }));
  const newest = newestOf(recovered.filter(({ epoch }) => epoch >= activeEpoch));
  const volumes = await machines.volumes(newest.flatMap(({ instance }) => instance.volumes.map(({ volumeId }) => volumeId)));
  const byId = new Map(volumes.map((volume) => [volume.volumeId, volume]));
  return newest.map(({ instance, memberId }) => {
    const settings = settingsOf(instance, byId, {});
    return { memberId, endpoint: endpointOf(instance, memberId), instanceId: instance.instanceId, settings, findings: findingsOf(settings, instance) };
  });
}

/** Unlike a source machine one that is gone was removed by somebody: it is missing at once, whatever else was found. */
export function reconcileRecovered(known: readonly EndpointMember[], found: readonly FoundMember[], now: string, project: string): Reconciled {
  const endpoints = [...new Set([...known, ...found].map(({ endpoint }) => endpoint))];
  const there = new Set(found.map(({ memberId }) => memberId));
  const isLost = (member: EndpointMember): boolean => member.missingSince === undefined && !there.has(member.memberId);
  const lost = known.filter(isLost).map((member) => ({ ...member, missingSince: now }));
  const rest = reconcileMembers(known.filter((member) => !isLost(member)), found, now, project, endpoints);
  return { ...rest, upserts: [...rest.upserts, ...lost], gone: [...rest.gone, ...lost.map(({ memberId }) => memberId)], emptyEndpoints: [] };
}

function endpointOf({ tags }: FoundInstance, memberId: string): string {
  return tags[Tag.ENDPOINT] ?? memberId.slice(0, memberId.lastIndexOf('/'));
}
