import type { RunConfig } from '../../core/config';
import type { Activation, EndpointMember, RunRecord, RunRequest } from '../../core/model';
import { isRefused } from '../../adapters/errors';
import type { MemberStore, RunStore } from '../../adapters/ports/catalogue';
import type { LeaseStore } from '../../adapters/ports/lease';
import type { RecoveryMachines } from '../../adapters/ports/recovery-machines';
import type { OldMachine, SourceFence } from '../../adapters/ports/source-fence';
import { FENCE_STEP } from '../fence';
import { InvalidRequest, listed } from '../run';
import { isGone, newestOf, originalId, recoveredSide, startedFor } from './sides';
import { wayBack } from './way-back';

export interface AdmitPorts {
  readonly members: MemberStore;
  readonly runs: RunStore;
  readonly leases: LeaseStore;
  readonly machines: Pick<RecoveryMachines, 'machinesWithTags'>;
  readonly source: Pick<SourceFence, 'machines'>;
}

export interface Admitted {
  readonly ends: Activation;
  /** Those that come back. */
  readonly members: readonly EndpointMember[];
}

export const REOPEN_STEP = 'reopen';

/** Looks at both sides; refuses, with the reason and what to do, unless everything that was recovered can be brought back. */
export async function admitFailback(config: RunConfig, request: Pick<RunRequest, 'discardSource'>, ports: AdmitPorts): Promise<Admitted> {
  const lease = await ports.leases.lease();
  if (lease.active === 'source') {
    const since = lease.activeSince === undefined ? 'nothing has failed over yet' : `active since ${lease.activeSince}, by run ${lease.activeBy ?? '?'}`;
    throw new InvalidRequest(`The source side is the newer one: ${since}. There is nothing to fail back.`);
  }
  const epoch = lease.activeEpoch ?? 0;
  const runs = (await ports.runs.runs()).filter((run) => (run.epoch ?? 0) >= epoch).sort((a, b) => (a.epoch ?? 0) - (b.epoch ?? 0));
  const failovers = runs.filter(({ mode }) => mode === 'failover');
  const members = await recoveredMembers(config, epoch, ports);
  const ends = { epoch, since: lease.activeSince ?? lease.changedAt, failovers: failovers.map(({ runId }) => runId) };
  const machines = await sourceMachines(config, members, ports.source);
  checkWaysBack(members, machines);
  if (request.discardSource === undefined) {
    const failbacks = runs.filter(({ mode }) => mode === 'failback');
    await checkStopped(config, members, machines, failbacks, lease.epochOf, ports.runs);
    await checkUntouched(members, machines, failbacks, await fencedAt(failovers, ports.runs), ends, ports.runs);
  }
  return { ends, members };
}

async function recoveredMembers({ project, recoveryRegion }: RunConfig, epoch: number, { members, machines }: AdmitPorts): Promise<EndpointMember[]> {
  const recovered = new Set(newestOf(await recoveredSide(project, machines), epoch).map(({ memberId }) => memberId));
  if (recovered.size === 0) {
    throw new InvalidRequest(`No recovered machine of project ${project} is found in ${recoveryRegion}: there is nothing to bring back. If they were terminated, recover again with "mode": "failover" and "again": true.`);
  }
  const known = (await members.members()).filter(({ memberId }) => recovered.has(memberId));
  const unknown = [...recovered].filter((id) => !known.some(({ memberId }) => memberId === id));
  if (unknown.length > 0) {
    throw new InvalidRequest(`The catalogue has forgotten ${listed(unknown)}, which is missing for long: what its machine was like in the source Region is not known any more. Bring its data back by hand and terminate its recovered machine, then begin again.`);
  }
  return known;
}

async function sourceMachines({ sourceRegion }: RunConfig, members: readonly EndpointMember[], source: AdmitPorts['source']): Promise<ReadonlyMap<string, OldMachine>> {
  try {
    const found = await source.machines(members.map(({ memberId }) => originalId(memberId)));
    return new Map(found.map((machine) => [machine.instanceId, machine]));
  } catch (error) {
    if (isRefused(error, 'unreachable')) {
      throw new InvalidRequest(`The source Region ${sourceRegion} does not answer (${error.message}): nothing can be brought back there now. The recovered machines go on working; begin again once it answers.`);
    }
    if (isRefused(error, 'denied', 'invalid')) throw new InvalidRequest(`The source Region ${sourceRegion} does not show its machines (${error.message}). Restore the permission, then begin again.`);
    throw error;
  }
}

function checkWaysBack(members: readonly EndpointMember[], machines: ReadonlyMap<string, OldMachine>): void {
  const problems = members.flatMap((member) => {
    const way = wayBack(member, machines.get(originalId(member.memberId)));
    return 'problem' in way ? [way.problem] : [];
  });
  if (problems.length > 0) throw new InvalidRequest(`Not everything can be brought back. ${problems.join('. ')}. Then begin again.`);
}

/** A machine that runs may write: what it writes would be lost with its disks. */
async function checkStopped(
  { sourceRegion }: RunConfig, members: readonly EndpointMember[], machines: ReadonlyMap<string, OldMachine>, failbacks: readonly RunRecord[],
  newest: string | undefined, runs: RunStore,
): Promise<void> {
  const running = members.map(({ memberId }) => machines.get(originalId(memberId))).filter((machine) => machine !== undefined && machine.state !== 'stopped' && machine.state !== 'terminated');
  if (running.length === 0) return;
  const names = listed(running.map((machine) => `${machine?.instanceId ?? ''} (${machine?.state ?? ''})`));
  const left = failbacks.find(({ runId, status }) => runId === newest && status !== 'SUCCEEDED');
  const resumable = left !== undefined && !(await runs.steps(left.runId)).some(({ name }) => name === REOPEN_STEP);
  const advice = resumable
    ? `Run ${left.runId} left ${running.length === 1 ? 'it' : 'them'} so: resume it with "runId": "${left.runId}"`
    : 'Stop them and begin again, or give "discardSource": "<who accepts that what they have written since the failover is lost>", which stops them';
  throw new InvalidRequest(`The source side is not known to be fenced: ${names} in ${sourceRegion}, which may be writing. ${advice}.`);
}

/** Since when nothing of a member's source side should have run: the first failover that recovered it. */
async function fencedAt(failovers: readonly RunRecord[], runs: RunStore): Promise<ReadonlyMap<string, string>> {
  const since = new Map<string, string>();
  for (const { runId, waves } of failovers) {
    const at = (await runs.steps(runId)).find(({ name, outcome }) => name === FENCE_STEP && outcome === 'SUCCEEDED')?.endedAt;
    if (at !== undefined) for (const id of waves.flat()) if (!since.has(id)) since.set(id, at);
  }
  return since;
}

async function checkUntouched(
  members: readonly EndpointMember[], machines: ReadonlyMap<string, OldMachine>, failbacks: readonly RunRecord[], since: ReadonlyMap<string, string>,
  ends: Activation, runs: RunStore,
): Promise<void> {
  const started = members.flatMap(({ memberId }) => {
    const { instanceId, launchTime = '', state } = machines.get(originalId(memberId)) ?? { instanceId: '', state: 'terminated' };
    return !isGone({ state }) && launchTime > (since.get(memberId) ?? ends.since) ? [{ memberId, instanceId, launchTime }] : [];
  });
  const touched: string[] = [];
  for (const { memberId, instanceId, launchTime } of started) {
    if (!await startedByFailback(memberId, instanceId, launchTime, failbacks, runs)) touched.push(`${instanceId} of ${memberId} (started ${launchTime})`);
  }
  if (touched.length === 0) return;
  throw new InvalidRequest(
    `Machines of the source side were started after the failover and may hold newer data than the recovery side: ${listed(touched)}. `
    + 'Look at what was written there. To go on without it, give "discardSource": "<who accepts it>"; their disks are kept for some time all the same.',
  );
}

/** A failback that did not come through had started the machine: with the disks that it had brought back, and with no traffic. */
async function startedByFailback(memberId: string, instanceId: string, launchTime: string, failbacks: readonly RunRecord[], runs: RunStore): Promise<boolean> {
  for (const { runId, startedAt, endedAt } of failbacks) {
    if (endedAt === undefined || launchTime < startedAt || launchTime > endedAt) continue;
    const [members, steps] = await Promise.all([runs.runMembers(runId), runs.steps(runId)]);
    if (members.some((member) => member.memberId === memberId && startedFor(member, steps) === instanceId)) return true;
  }
  return false;
}
