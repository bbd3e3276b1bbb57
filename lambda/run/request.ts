import type { PointSelection, RunMode, RunRequest } from '../core/model';
import { epochMs } from '../core/time';
import { InvalidRequest } from './run';

/** Part of image names, tags and keys. */
const RUN_ID = /^[A-Za-z0-9._-]{1,80}$/;

const MODES: readonly RunMode[] = ['drill', 'failover', 'failback', 'repair'];

export interface ValidRequest extends RunRequest {
  readonly runId: string;
  readonly selection: PointSelection;
}

/** The request comes from a person's hand: whatever is wrong with it is said before anything is done. */
export function validatedRequest(request: RunRequest | undefined, executionName: string): ValidRequest {
  const { mode, selection = { kind: 'newest' }, endpoints, runId = executionName, again } = request ?? {} as Partial<RunRequest>;
  if (mode === undefined || !MODES.includes(mode)) {
    throw new InvalidRequest(`"mode" must be one of ${MODES.map((each) => `"${each}"`).join(', ')}, is ${JSON.stringify(mode)}. Example: {"mode": "drill"}`);
  }
  if (!RUN_ID.test(runId)) throw new InvalidRequest(`"runId" must be 1 to 80 letters, digits, dots, hyphens or underscores, is ${JSON.stringify(runId)}`);
  if (endpoints !== undefined && (!Array.isArray(endpoints) || endpoints.length === 0)) {
    throw new InvalidRequest('"endpoints" must name at least one endpoint; leave it out to recover all');
  }
  for (const field of ['acceptUnreachable', 'discardSource'] as const) {
    const by = request?.[field];
    if (by !== undefined && (typeof by !== 'string' || by.trim() === '' || by.length > 200)) {
      throw new InvalidRequest(`"${field}" must name who accepts it, in 1 to 200 characters`);
    }
  }
  if (again !== undefined && typeof again !== 'boolean') throw new InvalidRequest('"again" must be true or false');
  checkSelection(selection);
  return { ...request, mode, selection, runId };
}

function checkSelection(selection: PointSelection): void {
  const kind: string = selection.kind;
  if (kind !== 'newest' && kind !== 'newest-common' && kind !== 'before') {
    throw new InvalidRequest(`"selection.kind" must be "newest", "newest-common" or "before", is ${JSON.stringify(kind)}`);
  }
  if (selection.kind === 'before') {
    try {
      epochMs(selection.time);
    } catch (error) {
      throw new InvalidRequest(`"selection.time": ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
