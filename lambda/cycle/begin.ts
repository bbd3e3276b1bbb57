import type { CycleConfig } from '../core/config';
import type { Direction } from '../core/direction';
import { cycleId } from '../core/ids';
import type { Lease } from '../core/lease';
import type { CycleStore } from '../adapters/ports/catalogue';
import type { LeaseStore } from '../adapters/ports/lease';
import type { Executions } from '../adapters/ports/services';
import type { Tools } from '../runtime/tools';
import type { CycleRef } from './cycle';

export interface BeginCycleInput {
  readonly config: CycleConfig;
  readonly executionArn: string;
  readonly startedAt: string;
}

export interface CycleStart extends CycleRef {
  /** `suspended`: the recovery side is active, and the old side must not be protected as if it were. */
  readonly outcome: 'started' | 'skipped' | 'suspended';
  /** Why it was skipped or suspended; empty for a cycle that started, since the state machine selects it in any case. */
  readonly reason: string;
}

/** The share of the interval that a cycle may use: pruning and finishing must end before the next start. */
const SHARE_OF_INTERVAL = 0.85;

/** Takes the project's cycle lock. A holder whose execution has ended (it was stopped or killed) is replaced. */
export async function beginCycle(
  { config, executionArn, startedAt }: BeginCycleInput,
  { cycles, executions, leases }: { cycles: CycleStore; executions: Executions; leases: LeaseStore },
  tools: Tools,
): Promise<CycleStart> {
  const lock = { executionArn, cycleId: cycleId(executionArn), startedAt };
  const ref = {
    cycleId: lock.cycleId,
    startedAt,
    deadline: new Date(Date.parse(startedAt) + config.intervalSeconds * SHARE_OF_INTERVAL * 1000).toISOString(),
  };
  const reason = suspension(await leases.lease(), config.direction ?? 'forward');
  if (reason !== undefined) {
    tools.log.warn('Protection is suspended', { project: config.project, reason });
    return { ...ref, outcome: 'suspended', reason };
  }
  const holder = await cycles.takeLock(lock);
  if (holder === undefined) return { ...ref, outcome: 'started', reason: '' };
  if (await executions.isRunning(holder.executionArn)) {
    return { ...ref, outcome: 'skipped', reason: `the cycle of ${holder.startedAt} is still running` };
  }
  if (!await cycles.replaceLock(lock, holder)) {
    return { ...ref, outcome: 'skipped', reason: 'another execution took over the lock first' };
  }
  tools.log.warn('Took over the lock of a cycle that has ended without releasing it', { cycle: lock.cycleId, previousCycle: holder.cycleId });
  return { ...ref, outcome: 'started', reason: '' };
}

/**
 * Why a cycle of a direction must not run now. A failback makes the source the active side once its machines have started from
 * what came back: before that nothing there is protected, and after it everything.
 */
function suspension({ active, activeBy, oldSide, activeSince }: Lease, direction: Direction): string | undefined {
  if (direction === 'return') return active === 'recovery' ? undefined : 'the source side is the active one: there is nothing to bring back';
  if (active === 'recovery') {
    return `the recovery side is active since run ${activeBy ?? '?'} (${activeSince ?? '?'}): the old side (${oldSide ?? 'unknown'}) is not protected until failback`;
  }
  return undefined;
}
