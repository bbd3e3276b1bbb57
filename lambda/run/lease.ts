import { acquire, confirm, LeaseHeld, release, StaleEpoch, switchOver, type Lease, type LeaseRequest, type SwitchTo } from '../core/lease';
import { ConflictError } from '../adapters/errors';
import type { LeaseStore } from '../adapters/ports/lease';
import type { Executions } from '../adapters/ports/services';
import type { Tools } from '../runtime/tools';
import type { RunRef } from './run';

/** Each write that fails means that another writer came first; with a handful of runs a few turns are plenty. */
const TURNS = 5;

/** Takes the lease. A holder whose execution has ended is replaced; one that is at work is named in the refusal. */
export async function takeLease(request: LeaseRequest, { leases, executions }: { leases: LeaseStore; executions: Executions }, tools: Tools): Promise<number> {
  let ended: string | undefined;
  for (let turn = 0; turn < TURNS; turn += 1) {
    const lease = await leases.lease();
    const answer = acquire(lease, request, tools.now(), ended);
    if (answer.kind === 'refused') {
      if (await executions.isRunning(answer.holder.executionArn)) throw new LeaseHeld(answer.reason);
      ended = answer.holder.executionArn;
      continue;
    }
    if (answer.unchanged || await leases.saveLease(answer.lease, lease)) {
      tools.log.info('Lease taken', { run: request.runId, epoch: answer.epoch, before: lease.holder?.runId });
      return answer.epoch;
    }
  }
  throw new ConflictError('The lease');
}

/**
 * To be called right before each change that a run makes: throws `StaleEpoch` when a newer run has taken over. Drills change
 * nothing outside their own network and have no epoch.
 */
export async function confirmEpoch(run: Pick<RunRef, 'runId' | 'mode' | 'epoch'>, leases: LeaseStore): Promise<void> {
  if (run.mode === 'drill') return;
  if (run.epoch === undefined) throw new StaleEpoch(`Run ${run.runId} has no epoch: it was begun before there were leases. Resume it with the same runId.`);
  confirm(await leases.lease(), run.runId, run.epoch);
}

/** Makes a side the active one, under the run's epoch. */
export async function switchActive(
  run: Pick<RunRef, 'runId' | 'epoch'>, to: SwitchTo, leases: LeaseStore, tools: Tools,
): Promise<Lease> {
  return change(leases, (lease) => switchOver(lease, { runId: run.runId, epoch: run.epoch ?? -1 }, to, tools.now()));
}

/** Gives the lease back if the execution holds it; what another holds is left alone. */
export async function releaseLease(run: { readonly runId: string; readonly executionArn: string }, leases: LeaseStore, tools: Tools): Promise<Lease> {
  return change(leases, (lease) => release(lease, run, tools.now()));
}

async function change(leases: LeaseStore, next: (lease: Lease) => Lease): Promise<Lease> {
  for (let turn = 0; turn < TURNS; turn += 1) {
    const read = await leases.lease();
    const changed = next(read);
    if (changed === read || await leases.saveLease(changed, read)) return changed;
  }
  throw new ConflictError('The lease');
}
