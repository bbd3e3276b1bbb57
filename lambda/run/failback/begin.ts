import type { RunRecord, RunRequest } from '../../core/model';
import { memberWaves } from '../../core/waves';
import type { BeginRunInput, BeginRunPorts } from '../begin';
import { takeLease } from '../lease';
import { checkResumable } from '../resume';
import { revive } from '../revive';
import { InvalidRequest, type RunRef } from '../run';
import type { ValidRequest } from '../request';
import type { Tools } from '../../runtime/tools';
import { admitFailback, REOPEN_STEP, type Admitted } from './admit';

/** A failback takes all that was recovered, as it is: these choose a part, or another state. */
const NOT_FOR_FAILBACK: readonly (keyof RunRequest)[] = ['endpoints', 'selection', 'again', 'members', 'avoidZones', 'acceptUnreachable'];

/** Refuses where the recovery side is not the newer one or the source side may hold more, and takes the lease. */
export async function beginFailback(input: BeginRunInput, request: ValidRequest, ports: BeginRunPorts, tools: Tools): Promise<RunRef> {
  const { config } = input;
  if (config.failback === undefined) {
    throw new InvalidRequest(`Project ${config.project} declares no failback. Give it \`failback: Failback.toSource()\` and deploy its stack.`);
  }
  const given = NOT_FOR_FAILBACK.filter((field) => input.request[field] !== undefined);
  if (given.length > 0) throw new InvalidRequest(`A failback brings everything that was recovered back, as it is: leave out ${given.map((field) => `"${field}"`).join(', ')}.`);
  const existing = await ports.runs.run(request.runId);
  return existing === undefined ? begin(input, request, ports, tools) : resume(existing, input, request, ports, tools);
}

async function begin(input: BeginRunInput, request: ValidRequest, ports: BeginRunPorts, tools: Tools): Promise<RunRef> {
  const { config, executionArn } = input;
  const { runId } = request;
  await admitFailback(config, request, ports);
  const epoch = await takeLease({ runId, executionArn, mode: 'failback' }, ports, tools);
  // Another run may have ended between the first look and the lease; without that look each refused run would use up an epoch.
  const admitted = await admitFailback(config, request, ports);
  const record = newRecord(input, request, admitted, epoch, tools.now());
  if (!await ports.runs.createRun(record)) throw new InvalidRequest(`Run ${runId} was begun by another execution a moment ago; give this one another name.`);
  tools.log.info('Failback begun', { run: runId, epoch, members: admitted.members.length, ends: admitted.ends });
  return refOf(record);
}

function newRecord({ config, executionArn }: BeginRunInput, request: ValidRequest, { ends, members }: Admitted, epoch: number, startedAt: string): RunRecord {
  const { runId, selection, requestedBy, discardSource } = request;
  return {
    project: config.project, runId, executionArn, mode: 'failback', status: 'RUNNING', selection,
    ...(requestedBy === undefined ? {} : { requestedBy }),
    ...(discardSource === undefined ? {} : { discardSource }),
    ends, epoch, startedAt,
    waves: memberWaves(config.waves, members),
  };
}

async function resume(existing: RunRecord, input: BeginRunInput, request: ValidRequest, ports: BeginRunPorts, tools: Tools): Promise<RunRef> {
  const { executionArn } = input;
  const { runId } = existing;
  await checkResumable(existing, request, executionArn, ports.executions);
  const isOther = existing.executionArn !== executionArn;
  // What the recovered machines have written since they were started again is in none of the run's copies.
  if (isOther && (await ports.runs.steps(runId)).some(({ name }) => name === REOPEN_STEP)) {
    throw new InvalidRequest(`Run ${runId} cannot be resumed: its recovered machines work again, or were about to. Begin a new failback.`);
  }
  const epoch = await takeLease({ runId, executionArn, mode: 'failback', epoch: existing.epoch }, ports, tools);
  const { endedAt: _ended, error: _error, ...rest } = existing;
  const { discardSource = existing.discardSource } = request;
  const record: RunRecord = {
    ...rest, executionArn, status: 'RUNNING', epoch,
    ...(isOther ? { resumedAt: tools.now() } : {}), ...(discardSource === undefined ? {} : { discardSource }),
  };
  if (isOther && (await ports.runs.runMembers(runId)).length > 0) await revive(existing, { runs: ports.runs, machines: ports.sourceMachines }, tools);
  await ports.runs.saveRun(record, existing);
  tools.log.info('Failback resumed', { run: runId, epoch });
  return refOf(record);
}

function refOf({ runId, mode, epoch = 0, waves }: RunRecord): RunRef {
  return { runId, mode, epoch, waves: waves.flatMap((ids, wave) => (ids.length > 0 ? [wave] : [])) };
}
