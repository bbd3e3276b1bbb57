import type { RepairConfig } from '../../core/config';
import { needsBillingCode } from '../../core/launch-plan';
import { membersAt } from '../../core/members';
import type { EndpointMember, PointVolume, RecoveryPoint, RunMember, RunRecord } from '../../core/model';
import { selectPoints } from '../../core/selection';
import { memberWaves } from '../../core/waves';
import { isRefused } from '../../adapters/errors';
import { eachOf, mapOf } from '../../runtime/pool';
import type { Tools } from '../../runtime/tools';
import type { BeginRunInput, BeginRunPorts } from '../begin';
import { takeLease } from '../lease';
import type { ValidRequest } from '../request';
import { checkResumable } from '../resume';
import { revive } from '../revive';
import { InvalidRequest, listed, type RunRef } from '../run';
import { placeFor } from './place';

/** What is put in the place of a machine. */
interface Replacement {
  readonly member: EndpointMember;
  readonly point: RecoveryPoint;
  readonly subnetId: string;
  readonly notes: readonly string[];
}

/** Chooses the machines that a new one is to take the place of, and their newest recovery points in the source Region. */
export async function beginRepair(input: BeginRunInput, request: ValidRequest, ports: BeginRunPorts, tools: Tools): Promise<RunRef> {
  const { config, executionArn } = input;
  const { repair, project } = config;
  if (repair === undefined) throw new InvalidRequest(`Project ${project} declares no repair. Give it \`repair: Repair.inSource()\` and deploy its stack.`);
  const existing = await ports.runs.run(request.runId);
  if (existing !== undefined) await checkResumable(existing, request, executionArn, ports.executions);
  const { active, activeSince = '' } = await ports.leases.lease();
  if (active === 'recovery') {
    throw new InvalidRequest(`The recovery side is active since ${activeSince}, and a repair works in ${config.sourceRegion}. Recover the endpoint there again ("mode": "failover", "again": true), or fail back first.`);
  }
  if (existing !== undefined) return resume(existing, input, request, repair, ports, tools);
  const chosen = await replacements(input, request, repair, ports);
  const { runId, selection, requestedBy } = request;
  const epoch = await takeLease({ runId, executionArn, mode: 'repair' }, ports, tools);
  const record: RunRecord = {
    project, runId, executionArn, mode: 'repair', status: 'RUNNING', selection, ...(requestedBy === undefined ? {} : { requestedBy }), epoch, startedAt: tools.now(),
    waves: memberWaves(config.waves, chosen.map(({ member }) => member)),
  };
  if (!await ports.runs.createRun(record)) throw new InvalidRequest(`Run ${runId} was begun by another execution a moment ago; give this one another name.`);
  return plan(record, chosen, ports, tools);
}

async function resume(existing: RunRecord, input: BeginRunInput, request: ValidRequest, repair: RepairConfig, ports: BeginRunPorts, tools: Tools): Promise<RunRef> {
  const { executionArn } = input;
  const { endedAt: _ended, error: _error, ...rest } = existing;
  const epoch = await takeLease({ runId: existing.runId, executionArn, mode: 'repair', epoch: existing.epoch }, ports, tools);
  const record: RunRecord = { ...rest, executionArn, status: 'RUNNING', epoch };
  if (existing.executionArn !== executionArn) await revive(existing, { runs: ports.runs, machines: ports.sourceMachines }, tools);
  await ports.runs.saveRun(record, existing);
  const planned = new Set((await ports.runs.runMembers(record.runId)).map(({ memberId }) => memberId));
  const missing = record.waves.flat().filter((id) => !planned.has(id));
  if (missing.length === 0) return refOf(record);
  const endpoints = [...new Set(missing.map((id) => id.slice(0, id.lastIndexOf('/'))))];
  return plan(record, await replacements(input, { ...request, endpoints, members: missing }, repair, ports), ports, tools);
}

/** The row names the point before it is pinned, so that every pin can be found and taken away again. */
async function plan(record: RunRecord, chosen: readonly Replacement[], ports: BeginRunPorts, tools: Tools): Promise<RunRef> {
  await eachOf(chosen, async ({ member, point, subnetId, notes }) => {
    const { memberId, endpoint, instanceId, settings } = member;
    const planned: RunMember = {
      runId: record.runId, memberId, endpoint, wave: record.waves.findIndex((ids) => ids.includes(memberId)), status: 'PLANNED', pointId: point.pointId, consistentAt: point.consistentAt ?? point.createdAt,
      volumes: point.volumes.map(inSource), settings, launchMethod: 'registered-image', replaces: instanceId, attempt: 1, instanceType: settings.instanceType, subnetId,
      notes: [...notes, `a new private address: ${settings.privateIp ?? 'that of before'} stays with ${instanceId} as long as it is kept`],
    };
    await ports.runs.createRunMember(planned);
    if (!await ports.points.pin(point, record.runId)) throw new Error(`Recovery point ${point.pointId} of ${memberId} expired while the run was planned; the step is to be repeated`);
  });
  tools.log.info('Repair planned', { run: record.runId, members: chosen.map(({ member }) => member.memberId) });
  return refOf(record);
}

/** It is launched where its snapshots were taken: no copy is needed. */
function inSource(volume: PointVolume): PointVolume {
  return { ...volume, recoverySnapshotId: volume.sourceSnapshotId };
}

async function replacements({ config }: BeginRunInput, request: ValidRequest, repair: RepairConfig, ports: BeginRunPorts): Promise<Replacement[]> {
  const { endpoints, members: asked, selection, avoidZones = [] } = request;
  const all = await ports.members.members();
  const known = new Set([...config.waves.flatMap((wave) => wave.endpoints), ...all.map(({ endpoint }) => endpoint)]);
  if (endpoints === undefined) throw new InvalidRequest(`A repair needs "endpoints": those that have failed. The project has ${listed([...known].sort())}.`);
  const unknown = endpoints.filter((name) => !known.has(name));
  if (unknown.length > 0) throw new InvalidRequest(`No endpoint is called ${unknown.join(', ')}; the project has ${listed([...known].sort())}.`);
  const present = membersAt(all, undefined, endpoints).filter(({ endpoint }) => endpoints.includes(endpoint));
  const strange = asked?.filter((id) => !present.some(({ memberId }) => memberId === id)) ?? [];
  if (strange.length > 0) throw new InvalidRequest(`${listed(strange)} ${strange.length === 1 ? 'is' : 'are'} no machine of ${endpoints.join(', ')}; there ${present.length === 1 ? 'is' : 'are'} ${listed(present.map(({ memberId }) => memberId)) || 'none'}.`);
  const wanted = present.filter(({ memberId }) => asked === undefined || asked.includes(memberId));
  const states = await zones(ports, config.sourceRegion);
  const points = new Map(await mapOf(wanted, async ({ memberId }) => [memberId, (await ports.points.completePoints(memberId)).filter(isInSource)] as const));
  const { chosen, missing } = selectPoints(wanted, points, selection);
  const problems = missing.map(({ memberId, reason }) => `${memberId}: ${reason}, of those whose snapshots are still in ${config.sourceRegion} (sourceRetention). Recover it in the recovery Region instead`);
  const replaced: Replacement[] = [];
  for (const member of wanted) {
    const point = chosen.get(member.memberId);
    if (point === undefined) continue;
    const place = placeFor(member.settings, repair, states, avoidZones);
    if (needsBillingCode(member.settings)) {
      problems.push(`${member.memberId}: its platform "${member.settings.platformDetails}" needs its billing code, which a machine made of snapshots does not have. Replace its root volume in EC2 from snapshot ${point.volumes.find(({ isRoot }) => isRoot)?.sourceSnapshotId ?? ''}`);
    } else if ('problem' in place) problems.push(`${member.memberId}: ${place.problem}`);
    else replaced.push({ member, point, subnetId: place.subnetId, notes: place.note === undefined ? [] : [place.note] });
  }
  if (problems.length > 0 || replaced.length === 0) throw new InvalidRequest(`Nothing was changed. ${listed(problems) || `${endpoints.join(', ')} has no machine`}.`);
  return replaced;
}

/** Asked first: a Region that does not answer cannot be repaired in. */
async function zones({ zones: source }: BeginRunPorts, region: string): Promise<ReadonlyMap<string, string>> {
  try {
    return await source.states();
  } catch (error) {
    if (!isRefused(error)) throw error;
    throw new InvalidRequest(`${region} does not answer (${error.message}), and a repair works there. If the Region is lost, fail over.`);
  }
}

function isInSource({ volumes }: RecoveryPoint): boolean {
  return volumes.every(({ sourceSnapshotId }) => sourceSnapshotId !== undefined);
}

function refOf({ runId, mode, epoch = 0, waves }: RunRecord): RunRef {
  return { runId, mode, epoch, waves: waves.flatMap((ids, wave) => (ids.length > 0 ? [wave] : [])) };
}
