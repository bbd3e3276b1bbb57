import { violations, type World } from './invariants';
import { RECOVERY_REGION } from './names';
import type { Phase } from './phases';
import { describeTry, type Disturbance, type Try } from './plan';
import { pause, type Ended, type Stage } from './stage';

/** One line of the table. */
export interface Row {
  readonly phase: string;
  readonly operation: string;
  readonly fault: string;
  /** `by itself`, `after n more`, `not reached`, or `VIOLATION`. */
  readonly outcome: string;
  readonly seconds: number;
  readonly violations: readonly string[];
  /** What a disturbed execution ended with, when somebody had to help. */
  readonly detail?: string;
}

const LIMIT_SECONDS = 240;
/** How often an operator starts it again. The first of these cycles may wait for the snapshots of an intent for a minute. */
const MOST_HELP = 5;
const HELP_SECONDS = 100;
/** Longer than an SDK goes on trying. */
const RECOVERY_REFUSED_MS = 5000;
/** A function of a stopped execution begins its work so late that the next execution has begun, too. */
const ZOMBIE_MS = 1000;

/** What the disturbance does while the execution runs. */
interface Disturbed {
  readonly struck: () => boolean;
  readonly onState?: (name: string) => Promise<void>;
  readonly end: () => void;
}

/** Disturbs a phase once, lets an operator help where the product gave up, and checks all invariants. */
export async function attempt(stage: Stage, phase: Phase, one: Try, id: string): Promise<Row> {
  const began = Date.now();
  await phase.prepare?.(stage, id);
  const before = await stage.look();
  const helper: { executionArn?: string } = {};
  const disturbed = disturb(stage, one.what, () => (helper.executionArn === undefined ? Promise.resolve() : stage.stop(helper.executionArn)));
  helper.executionArn = await phase.start(stage, id, 0);
  const first = await stage.ended(helper.executionArn, LIMIT_SECONDS, disturbed.onState);
  disturbed.end();
  const { helped, missing, world: after } = await help(stage, phase, first, before, id);
  await stage.quiet();
  let { world, found } = await checked(stage, before);
  if (found.length > 0) {
    // What is still settling, e.g. a function that outlived its execution, is no violation yet.
    await pause(3000);
    ({ world, found } = await checked(stage, before));
  }
  if (missing !== undefined) found.push(`not recovered: ${missing}`);
  await phase.reset(stage, world);
  const gaveUp = helped === 0 ? undefined : phase.missing(first, after, before, id) ?? `${first.status}: ${first.error}`;
  return {
    phase: phase.name, operation: describeTry(one), fault: one.what.name, seconds: (Date.now() - began) / 1000, violations: found,
    outcome: found.length > 0 ? 'VIOLATION' : !disturbed.struck() ? 'not reached' : helped === 0 ? 'by itself' : `after ${helped} more`,
    ...(gaveUp === undefined ? {} : { detail: first.status === 'SUCCEEDED' ? 'ended without a new recovery point' : `${first.status}: ${first.error}` }),
  };
}

async function help(stage: Stage, phase: Phase, first: Ended, before: World, id: string) {
  const limit = Date.now() + HELP_SECONDS * 1000;
  let helped = 0;
  let world = await stage.look();
  let missing = phase.missing(first, world, before, id);
  while (missing !== undefined && (helped < MOST_HELP || Date.now() < limit)) {
    helped += 1;
    const end = await stage.ended(await phase.start(stage, id, helped), LIMIT_SECONDS);
    world = await stage.look();
    missing = phase.missing(end, world, before, id);
    if (missing !== undefined) await pause(2000);
  }
  return { helped, missing, world };
}

async function checked(stage: Stage, before: World): Promise<{ world: World; found: string[] }> {
  await stage.sweep();
  const world = await stage.look();
  return { world, found: violations(world, before) };
}

function disturb(stage: Stage, what: Disturbance, stop: () => Promise<void>): Disturbed {
  const { faults } = stage.cloud;
  if (what.kind === 'stop') {
    let stopped = false;
    const late = faults.inject({ kind: 'slow', principal: /^state-machine:/, service: 'lambda', delayMs: ZOMBIE_MS, times: Infinity });
    return {
      struck: () => stopped,
      onState: async (name) => {
        if (stopped || name !== what.state) return;
        stopped = true;
        late.remove();
        await stop();
      },
      end: () => { faults.clear(); },
    };
  }
  const handle = faults.inject(what.spec);
  // The state machine itself lives in the recovery Region: it must come back for anything to end.
  const watch = what.spec.kind === 'refuse-region' && what.spec.region === RECOVERY_REGION ? setInterval(() => {
    if (handle.hits === 0) return;
    clearInterval(watch);
    setTimeout(() => { faults.restoreRegion(RECOVERY_REGION); }, RECOVERY_REFUSED_MS);
  }, 50) : undefined;
  return {
    struck: () => handle.hits > 0,
    end: () => {
      clearInterval(watch);
      faults.clear();
    },
  };
}
