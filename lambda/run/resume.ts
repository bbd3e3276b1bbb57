import type { RunRecord } from '../core/model';
import type { Executions } from '../adapters/ports/services';
import type { ValidRequest } from './request';
import { InvalidRequest } from './run';

/** Refuses to resume what is over, what runs still, and what is a run of another mode. */
export async function checkResumable(existing: RunRecord, request: ValidRequest, executionArn: string, executions: Executions): Promise<void> {
  if (existing.mode !== request.mode) throw new InvalidRequest(`Run ${existing.runId} is a ${existing.mode}, not a ${request.mode}; resume it in its own mode.`);
  if (existing.executionArn === executionArn) return;
  if (existing.status === 'SUCCEEDED') throw new InvalidRequest(`Run ${existing.runId} has succeeded; begin a new one under another id.`);
  if (await executions.isRunning(existing.executionArn)) throw new InvalidRequest(`Run ${existing.runId} is still running as ${existing.executionArn}.`);
}
