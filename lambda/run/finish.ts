import { directionOf, siteOf } from '../core/direction';
import type { RunConfig } from '../core/config';
import { answerOf, buildEvidence, evidenceParts, type Evidence } from '../core/evidence';
import type { RunMember, RunRecord, RunRequest } from '../core/model';
import { StaleEpoch } from '../core/lease';
import { messageOf } from '../adapters/errors';
import type { PointStore, RunStore } from '../adapters/ports/catalogue';
import type { FenceStore, LeaseStore } from '../adapters/ports/lease';
import type { RecoveryMachines } from '../adapters/ports/recovery-machines';
import { describeCaught, type CaughtError } from '../cycle/finish';
import { eachOf } from '../runtime/pool';
import type { Tools } from '../runtime/tools';
import { PLAN_STEP } from './begin';
import { removeImages } from './launch';
import { confirmEpoch, releaseLease } from './lease';
import type { RunRef } from './run';

export interface FinishRunInput {
  readonly config: RunConfig;
  /** Absent when the run could not begin. */
  readonly run?: Pick<RunRef, 'runId'>;
  readonly request?: RunRequest;
  readonly executionName?: string;
  readonly error?: CaughtError;
}

type Images = Pick<RecoveryMachines, 'images' | 'deregisterImage'>;

export interface FinishRunPorts {
  readonly runs: RunStore;
  readonly points: PointStore;
  readonly machines: Images;
  /** Of the source Region. */
  readonly sourceMachines: Images;
  /** Of the way back. */
  readonly back: { readonly points: PointStore };
  readonly leases: LeaseStore;
  readonly fences: FenceStore;
}

/** What is known of a run that never began. */
export type RunOutcome = Evidence | { readonly runId: string; readonly status: 'FAILED'; readonly error: string };

/** Ends the run: removes images and pins, stores the outcome and the evidence, gives the lease back, and answers as much of the evidence as an answer holds. */
export async function finishRun(input: FinishRunInput, ports: FinishRunPorts, tools: Tools): Promise<RunOutcome> {
  const runId = input.run?.runId ?? input.request?.runId ?? input.executionName ?? '';
  const record = runId === '' ? undefined : await ports.runs.run(runId);
  const caught = input.error === undefined ? undefined : describeCaught(input.error);
  // Asked to resume a run that another execution is still busy with, or has ended: that run is not this execution's to end.
  if (record === undefined || (input.executionName !== undefined && !record.executionArn.endsWith(`:${input.executionName}`))) {
    const error = caught ?? `There is no run ${runId}.`;
    tools.log.error('Run could not begin', { run: runId, reason: error });
    await releaseUnbegun(runId, input.executionName, ports.leases, tools);
    return { runId, status: 'FAILED', error };
  }
  const [members, steps, fences] = await Promise.all([ports.runs.runMembers(runId), ports.runs.steps(runId), ports.fences.fences(runId)]);
  await removeImages(record, members.map((member) => ({ ...member, status: 'FAILED' as const })), siteOf(record.mode) === 'source' ? ports.sourceMachines : ports.machines);
  const { points } = directionOf(record.mode) === 'return' ? ports.back : ports;
  await eachOf(members, (member) => unpin(member, points));
  const leftOut = steps.find(({ name, outcome }) => name === PLAN_STEP && outcome === 'FAILED')?.detail;
  const stale = caught === undefined ? await staleness(record, ports.leases) : undefined;
  const ended = endedOf(record, caught ?? leftOut ?? stale ?? record.error, tools);
  const evidence = buildEvidence(ended, members, steps, tools.now(), input.config, fences);
  const parts = evidenceParts(evidence);
  // Before the run counts as ended: an ended run is not finished again.
  await ports.runs.saveEvidence(runId, evidence.endedAt, parts);
  if (ended !== record) await ports.runs.saveRun(ended, record);
  await releaseLease(record, ports.leases, tools);
  const details = { run: runId, mode: record.mode, achieved: evidence.achieved, error: ended.error };
  if (ended.status === 'SUCCEEDED') tools.log.info('Run succeeded', details);
  else tools.log.error('Run failed', details);
  return answerOf(evidence, parts.length);
}

/** A run that a newer one has taken over from has not succeeded, whatever its steps did before. */
async function staleness(record: RunRecord, leases: LeaseStore): Promise<string | undefined> {
  if (record.status !== 'RUNNING') return undefined;
  try {
    await confirmEpoch(record, leases);
    return undefined;
  } catch (error) {
    if (error instanceof StaleEpoch) return messageOf(error);
    throw error;
  }
}

/** A run that took the lease and failed before it had a record must not keep it. */
async function releaseUnbegun(runId: string, executionName: string | undefined, leases: LeaseStore, tools: Tools): Promise<void> {
  const { holder } = await leases.lease();
  if (executionName === undefined || holder?.runId !== runId || !holder.executionArn.endsWith(`:${executionName}`)) return;
  await releaseLease(holder, leases, tools);
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
