import type { RunConfig } from '../core/config';
import { judgeFencing, type FenceRecord } from '../core/fencing';
import type { RunMember, RunRecord } from '../core/model';
import { isRefused } from '../adapters/errors';
import type { RunStore } from '../adapters/ports/catalogue';
import type { LeaseStore } from '../adapters/ports/lease';
import type { RootReplacement } from '../adapters/ports/recovery-machines';
import type { FencePorts } from '../fencing/actions';
import type { FenceTarget } from '../fencing/book';
import { fenceOldSide } from '../fencing/fence';
import { recoveredMachines, stopMachinesOf, type SupersededPorts } from '../fencing/superseded';
import type { Tools } from '../runtime/tools';
import { confirmEpoch, switchActive } from './lease';
import { listed, RunFailed, runRecord, timed, type RunRef, type StepResult } from './run';

export interface FenceRunInput {
  readonly config: RunConfig;
  readonly run: RunRef;
}

export interface FenceRunPorts extends FencePorts, SupersededPorts {
  /** In the source Region. */
  readonly sourceTags: Pick<RootReplacement, 'tag'>;
  readonly runs: RunStore;
  readonly leases: LeaseStore;
}

export const FENCE_STEP = 'fence';
const WAIT_SECONDS = 5;

/**
 * Between the plan and the first launch of a failover: nothing else may write when the recovered machines begin to. First
 * what earlier failovers have launched for the same members, then the old side in the source Region; then the recovery side
 * becomes the active one.
 */
export async function fenceRun(input: FenceRunInput, ports: FenceRunPorts, tools: Tools): Promise<StepResult> {
  return timed(FENCE_STEP, input, ports.runs, tools, async () => {
    const confirm = (): Promise<void> => confirmEpoch(input.run, ports.leases);
    await confirm();
    const record = await runRecord(ports.runs, input.run.runId);
    const members = await ports.runs.runMembers(record.runId);
    const stopping = await stopEarlier(record, members, ports, confirm);
    const old = await fenceOld(input, record, members, ports, tools, confirm);
    if (stopping > 0 || old.pending > 0) return { done: false, waitSeconds: WAIT_SECONDS };
    const verdict = judgeFencing(input.config.fencing, old.records, record.acceptUnreachable);
    if (!verdict.goOn) throw new RunFailed('FenceFailed', verdict.reason);
    const { oldSide, acceptedBy } = verdict;
    await switchActive(input.run, { active: 'recovery', oldSide, acceptedBy }, ports.leases, tools);
    await ports.runs.saveRun({ ...record, oldSide, ...(acceptedBy === undefined ? {} : { acceptedBy }) }, record);
    const detail = `old side ${oldSide}${acceptedBy === undefined ? '' : `, accepted by ${acceptedBy}`}; recovery side active under epoch ${record.epoch ?? 0}`;
    tools.log.info('Recovery side active', { run: record.runId, epoch: record.epoch, oldSide, acceptedBy });
    return { done: true, waitSeconds: 0, detail };
  });
}

/** Machines of an earlier failover, for the members of this run. The recovery Region answers, or nothing can be recovered anyway. */
async function stopEarlier(record: RunRecord, members: readonly RunMember[], ports: FenceRunPorts, confirm: () => Promise<void>): Promise<number> {
  const mine = new Set(members.map(({ memberId }) => memberId));
  const earlier = (await recoveredMachines(record.project, ports))
    .filter(({ memberId, runId, epoch }) => mine.has(memberId) && runId !== record.runId && epoch < (record.epoch ?? 0));
  try {
    return (await stopMachinesOf(earlier, ports, confirm)).length;
  } catch (error) {
    if (!isRefused(error, 'invalid', 'denied')) throw error;
    throw new RunFailed('FenceFailed', `Machines of an earlier failover run still (${listed(earlier.map(({ instanceId }) => instanceId))}): ${error.message}`);
  }
}

async function fenceOld(
  { config, run }: FenceRunInput, record: RunRecord, members: readonly RunMember[], ports: FenceRunPorts, tools: Tools, confirm: () => Promise<void>,
): Promise<{ readonly pending: number; readonly records: readonly FenceRecord[] }> {
  const { fencing } = config;
  if (fencing === undefined || fencing.actions.length === 0) return { pending: 0, records: [] };
  const step = (await ports.runs.steps(run.runId)).find(({ name }) => name === FENCE_STEP);
  return fenceOldSide({
    fencing, project: config.project, sourceRegion: config.sourceRegion, runId: run.runId, epoch: record.epoch ?? 0,
    targets: members.map(targetOf), since: step?.startedAt ?? tools.now(), confirm,
  }, ports, tools);
}

export function targetOf({ memberId, endpoint, settings }: RunMember): FenceTarget {
  const { instanceRoleArn } = settings;
  return { memberId, endpoint, instanceId: memberId.slice(memberId.lastIndexOf('/') + 1), ...(instanceRoleArn === undefined ? {} : { roleArn: instanceRoleArn }) };
}
