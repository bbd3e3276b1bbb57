import { shortestWait } from '../core/waits';
import type { CycleStore } from '../adapters/ports/catalogue';
import type { Executions } from '../adapters/ports/services';
import type { Tools } from '../runtime/tools';
import { secondsSince, type CycleInput } from './cycle';

export interface WaitInput extends CycleInput {
  /** Of the state machine's task, which waits for it to be answered. */
  readonly token: string;
}

/** Leaves the token where the next EBS event finds it. An event that came since the snapshots were looked at answers at once. */
export async function waitForEvent(
  { config, cycle, token }: WaitInput, { cycles, executions }: { cycles: CycleStore; executions: Executions }, tools: Tools,
): Promise<{ readonly woken: boolean }> {
  // A burst of events must not use up the execution's history.
  await tools.sleep(shortestWait(secondsSince(cycle.startedAt, tools), config.pollSeconds));
  const missed = await cycles.storeToken(token, cycle.cycleId, tools.now());
  return missed ? wake({ cycles, executions }, tools) : { woken: false };
}

/** Answers the token that waits, if any. Atomic: of many events at once, one wakes the cycle. */
export async function wake(
  { cycles, executions }: { cycles: CycleStore; executions: Executions }, tools: Tools,
): Promise<{ readonly woken: boolean }> {
  const token = await cycles.takeToken(tools.now());
  if (token === undefined) return { woken: false };
  return { woken: await executions.succeed(token, { wokenAt: tools.now() }) };
}
