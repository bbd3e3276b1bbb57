import type { Direction } from '../core/direction';
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

/** What EventBridge tells of a snapshot, as far as it is read. */
export interface SnapshotEvent {
  /** Where it happened: an event that is passed on keeps its Region. */
  readonly region?: string;
  readonly detail?: { readonly event?: string };
}

/** Snapshots are taken where the machines are and copied to the other Region. Both directions where an event does not tell. */
export function directionsOf({ region, detail }: SnapshotEvent, { sourceRegion, recoveryRegion }: { sourceRegion: string; recoveryRegion: string }): readonly Direction[] {
  const isTaken = detail?.event === 'createSnapshot' || detail?.event === 'createSnapshots';
  const isKnown = (isTaken || detail?.event === 'copySnapshot') && (region === sourceRegion || region === recoveryRegion);
  if (!isKnown) return ['forward', 'return'];
  return [(region === sourceRegion) === isTaken ? 'forward' : 'return'];
}
