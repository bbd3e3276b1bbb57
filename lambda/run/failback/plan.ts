import type { EndpointMember, RecoveryPoint, RunMember, RunRecord } from '../../core/model';
import type { MemberStore, RunStore } from '../../adapters/ports/catalogue';
import type { SourceFence } from '../../adapters/ports/source-fence';
import { eachOf } from '../../runtime/pool';
import type { Tools } from '../../runtime/tools';
import { listed, RunFailed } from '../run';
import { originalId } from './sides';
import type { ReturnCatalogue } from './sync';
import { wayBack } from './way-back';

export interface PlanPorts {
  readonly members: MemberStore;
  readonly runs: RunStore;
  readonly back: ReturnCatalogue;
  readonly source: Pick<SourceFence, 'machines'>;
}

/**
 * Writes what comes back: for each member the last copy of its recovered machine's disks, and where they go. Repeated, it
 * keeps what is written; a machine that was put back from an older copy than the last one is not gone on with.
 */
export async function planReturn(
  record: RunRecord, points: ReadonlyMap<string, RecoveryPoint>, ports: PlanPorts, tools: Tools, drainedAt: string,
): Promise<void> {
  const planned = new Map((await ports.runs.runMembers(record.runId)).map((member) => [member.memberId, member]));
  const stale = [...planned.values()].filter(({ status, consistentAt }) => status !== 'PLANNED' && consistentAt < drainedAt);
  if (stale.length > 0) {
    throw new RunFailed('SyncFailed', `The recovered machines ran after ${listed(stale.map(({ memberId }) => memberId))} had been put back: what they wrote then is missing there. Begin a new failback.`);
  }
  const places = record.waves.flatMap((ids, wave) => ids.map((memberId) => ({ memberId, wave })));
  const missing = places.filter(({ memberId }) => !planned.has(memberId));
  const fresh = missing.length === 0 ? new Map<string, RunMember>() : await newPlans(record, missing, points, ports);
  await eachOf(places, async ({ memberId }) => {
    const before = planned.get(memberId);
    const next = before === undefined ? fresh.get(memberId) : await replanned(before, points.get(memberId), record, drainedAt, ports);
    if (next === undefined) return;
    // The row names the point before it is pinned, so that every pin can be found and taken away again.
    if (before === undefined) await ports.runs.createRunMember(next);
    else if (next !== before) await ports.runs.saveRunMember(next, before);
    if (!await pinned(next, record, ports) && next.status === 'PLANNED') {
      throw new Error(`Recovery point ${next.pointId} of ${memberId} expired while the run was planned; the step is to be repeated`);
    }
  });
  tools.log.info('Failback planned', { run: record.runId, members: places.length });
}

/** What is planned stays as long as it shows the drained machine and is there. */
async function replanned(before: RunMember, point: RecoveryPoint | undefined, record: RunRecord, drainedAt: string, ports: PlanPorts): Promise<RunMember> {
  if (before.status !== 'PLANNED' || point === undefined || before.pointId === point.pointId) return before;
  if (before.consistentAt >= drainedAt && await pinned(before, record, ports)) return before;
  return { ...before, ...contentOf(point, before.settings) };
}

/** False when the point is gone. */
async function pinned({ memberId, pointId }: RunMember, { runId }: RunRecord, { back }: PlanPorts): Promise<boolean> {
  const point = (await back.points.completePoints(memberId)).find((each) => each.pointId === pointId);
  return point !== undefined && back.points.pin(point, runId);
}

async function newPlans(
  record: RunRecord, places: readonly { readonly memberId: string; readonly wave: number }[], points: ReadonlyMap<string, RecoveryPoint>, ports: PlanPorts,
): Promise<Map<string, RunMember>> {
  const [members, recovered, originals] = await Promise.all([
    ports.members.members(), ports.back.members.members(), ports.source.machines(places.map(({ memberId }) => originalId(memberId))),
  ]);
  const problems: string[] = [];
  const plans = new Map<string, RunMember>();
  for (const { memberId, wave } of places) {
    const member = members.find((each) => each.memberId === memberId);
    const point = points.get(memberId);
    if (member === undefined || point === undefined) {
      problems.push(`${memberId}: the catalogue has forgotten what its machine was like`);
      continue;
    }
    const way = wayBack(member, originals.find(({ instanceId }) => instanceId === originalId(memberId)));
    if ('problem' in way) problems.push(way.problem);
    else plans.set(memberId, { ...planOf(member, point), ...way, runId: record.runId, wave, replaces: recovered.find((each) => each.memberId === memberId)?.instanceId });
  }
  if (problems.length > 0) throw new RunFailed('SyncFailed', `Not everything can be brought back. ${problems.join('. ')}. Then begin again.`);
  return plans;
}

function planOf({ memberId, endpoint, settings }: EndpointMember, point: RecoveryPoint): Omit<RunMember, 'runId' | 'wave' | 'launchMethod' | 'subnetId'> {
  const { instanceType, privateIp } = settings;
  return { memberId, endpoint, settings, instanceType, ...(privateIp === undefined ? {} : { privateIp }), ...contentOf(point, settings), status: 'PLANNED', attempt: 1, notes: [] };
}

/** A base image may have another name for the root device than the machine that is put back. */
function contentOf({ pointId, consistentAt, createdAt, volumes }: RecoveryPoint, { rootDeviceName }: RunMember['settings']): Pick<RunMember, 'pointId' | 'consistentAt' | 'volumes'> {
  return { pointId, consistentAt: consistentAt ?? createdAt, volumes: volumes.map((volume) => (volume.isRoot ? { ...volume, deviceName: rootDeviceName } : volume)) };
}
