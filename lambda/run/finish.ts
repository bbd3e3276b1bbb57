import type { RunConfig } from '../core/config';
import { answerOf, buildEvidence, evidenceParts, type Evidence } from '../core/evidence';
import type { RunMember, RunRecord, RunRequest } from '../core/model';
import type { PointStore, RunStore } from '../adapters/ports/catalogue';
import type { RecoveryMachines } from '../adapters/ports/recovery-machines';
import { describeCaught, type CaughtError } from '../cycle/finish';
import { eachOf } from '../runtime/pool';
import type { Tools } from '../runtime/tools';
import { PLAN_STEP } from './begin';
import { removeImages } from './launch';
import type { RunRef } from './run';

export interface FinishRunInput {
  readonly config: RunConfig;
  /** Absent when the run could not begin. */
  readonly run?: Pick<RunRef, 'runId'>;
  readonly request?: RunRequest;
  readonly executionName?: string;
  readonly error?: CaughtError;
}

export interface FinishRunPorts {
  readonly runs: RunStore;
  readonly points: PointStore;
  readonly machines: RecoveryMachines;
}

/** What is known of a run that never began. */
export type RunOutcome = Evidence | { readonly runId: string; readonly status: 'FAILED'; readonly error: string };

/** Ends the run: removes images and pins, stores the outcome and the evidence, and answers as much of this as an answer holds. */
export async function finishRun(input: FinishRunInput, ports: FinishRunPorts, tools: Tools): Promise<RunOutcome> {
  const runId = input.run?.runId ?? input.request?.runId ?? input.executionName ?? '';
  const record = runId === '' ? undefined : await ports.runs.run(runId);
  const caught = input.error === undefined ? undefined : describeCaught(input.error);
  // Asked to resume a run that another execution is still busy with, or has ended: that run is not this execution's to end.
  if (record === undefined || (input.executionName !== undefined && !record.executionArn.endsWith(`:${input.executionName}`))) {
    const error = caught ?? `There is no run ${runId}.`;
    tools.log.error('Run could not begin', { run: runId, reason: error });
    return { runId, status: 'FAILED', error };
  }
  const [members, steps] = await Promise.all([ports.runs.runMembers(runId), ports.runs.steps(runId)]);
  await removeImages(record, members.map((member) => ({ ...member, status: 'FAILED' as const })), ports.machines);
  await eachOf(members, (member) => unpin(member, ports.points));
  const leftOut = steps.find(({ name, outcome }) => name === PLAN_STEP && outcome === 'FAILED')?.detail;
  const ended = endedOf(record, caught ?? leftOut ?? record.error, tools);
  const evidence = buildEvidence(ended, members, steps, tools.now(), input.config);
  const parts = evidenceParts(evidence);
  // Before the run counts as ended: an ended run is not finished again.
  await ports.runs.saveEvidence(runId, evidence.endedAt, parts);
  if (ended !== record) await ports.runs.saveRun(ended, record);
  const details = { run: runId, mode: record.mode, achieved: evidence.achieved, error: ended.error };
  if (ended.status === 'SUCCEEDED') tools.log.info('Run succeeded', details);
  else tools.log.error('Run failed', details);
  return answerOf(evidence, parts.length);
}

/** Any point of the member that this run holds, also one that a former plan had chosen. */
async function unpin({ memberId, runId }: RunMember, points: PointStore): Promise<void> {
  for (const point of await points.completePoints(memberId)) {
    if (point.pinnedBy?.includes(runId) === true) await points.unpin(point, runId);
  }
}

function endedOf(record: RunRecord, error: string | undefined, tools: Tools): RunRecord {
  if (record.status !== 'RUNNING') return record;
  return { ...record, endedAt: tools.now(), status: error === undefined ? 'SUCCEEDED' : 'FAILED', ...(error === undefined ? {} : { error }) };
}
