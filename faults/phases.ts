import type { RunRecord } from '../lambda/core/model';
import { Tag } from '../lambda/core/tags';
import type { World } from './invariants';
import { reactivateSource } from './look';
import type { Recording } from './plan';
import { recorded } from './plan';
import { pause, type Ended, type Stage } from './stage';

/** Something that the product does as one execution, and what an operator does when it was disturbed. */
export interface Phase {
  readonly name: string;
  /** Brings the stage, undisturbed, to where the phase can begin. @default - it can begin at once */
  prepare?(stage: Stage, id: string): Promise<void>;
  /** Starts it, or starts it again: what an operator, or the schedule, does after it has failed. */
  start(stage: Stage, id: string, again: number): Promise<string>;
  /** What is still missing, in words; undefined when all is as it should be. */
  missing(end: Ended, world: World, before: World, id: string): string | undefined;
  /** Brings the stage back to where the next try can begin. */
  reset(stage: Stage, world: World): Promise<void>;
}

/** A protection cycle; after one that failed comes the next. */
export const CYCLE: Phase = {
  name: 'cycle',
  start: (stage, id, again) => stage.start('cycle', `${id}-${again}`, {}),
  missing(end, world, before) {
    if (end.status !== 'SUCCEEDED') return `${end.status}: ${end.error}`;
    const old = new Set(before.points.map(({ pointId }) => pointId));
    return world.points.some(({ pointId, state }) => state === 'COMPLETE' && !old.has(pointId)) ? undefined : 'no new recovery point';
  },
  reset: () => Promise.resolve(),
};

/** A failover; after one that failed it is resumed under the same id. */
export const FAILOVER: Phase = {
  name: 'failover',
  start: (stage, id, again) => stage.start('run', again === 0 ? id : `${id}-${again}`, { mode: 'failover', runId: id, requestedBy: 'faults' }),
  missing(end, world, _before, id) {
    if (end.status !== 'SUCCEEDED') return `${end.status}: ${end.error}`;
    const run = world.runs.find(({ runId }) => runId === id);
    if (run?.status !== 'SUCCEEDED') return `the run is ${run?.status ?? 'not on record'}`;
    const running = world.machines.filter(({ tags, state }) => tags[Tag.RUN] === id && state === 'running');
    const members = run.waves.flat();
    return running.length >= members.length && members.length > 0 ? undefined : `${running.length} of ${members.length} machines run`;
  },
  async reset(stage, world) {
    await stage.terminate(world.machines.map(({ id }) => id));
    await stage.startSource(world.originals.filter(({ state }) => state === 'stopped').map(({ id }) => id));
    await reactivateSource(stage.cloud);
  },
};

/**
 * A failback of what a failover has recovered. After one that failed it is resumed under the same id; one that has let the
 * recovered machines work again is over, and another one begins.
 */
export const FAILBACK: Phase = {
  name: 'failback',
  async prepare(stage, id) {
    await undisturbed(stage, FAILOVER, `${id}-over`);
  },
  async start(stage, id, again) {
    if (again === 0) return stage.start('run', id, { mode: 'failback', requestedBy: 'faults' });
    const { runs, reopened } = await stage.look();
    const last = runs.filter((run) => ofFailback(run, id)).sort((a, b) => a.startedAt.localeCompare(b.startedAt)).at(-1)?.runId ?? id;
    const name = `${id}-${again}`;
    return stage.start('run', name, { mode: 'failback', runId: reopened.includes(last) ? name : last, requestedBy: 'faults' });
  },
  missing(end, { runs, leases, originals }, _before, id) {
    if (end.status !== 'SUCCEEDED') return `${end.status}: ${end.error}`;
    if (!runs.some((run) => ofFailback(run, id) && run.status === 'SUCCEEDED')) return 'no run has succeeded';
    if (leases[0]?.active !== 'source') return `the active side is ${leases[0]?.active ?? 'unknown'}`;
    const down = originals.filter(({ state }) => state !== 'running');
    return down.length === 0 ? undefined : `${down.map(({ id: machine, state }) => `${machine} is ${state}`).join(', ')}`;
  },
  reset: (stage, world) => FAILOVER.reset(stage, world),
};

function ofFailback({ mode, runId }: RunRecord, id: string): boolean {
  return mode === 'failback' && (runId === id || runId.startsWith(`${id}-`));
}

export const PHASES: readonly Phase[] = [CYCLE, FAILOVER, FAILBACK];

const LIMIT_SECONDS = 120;
/** Deleting what has expired begins this long after it was made (`SETTLE_SECONDS`). */
const FIRST_DELETION_MS = 62_000;

/** Runs cycles until each of them does all that a cycle does: makes a point, and removes one that has expired. */
export async function warmUp(stage: Stage, wholly: boolean): Promise<void> {
  const began = Date.now();
  for (let count = 0; count < 3; count += 1) await undisturbed(stage, CYCLE, `warm-up-${count}`);
  if (wholly) await pause(FIRST_DELETION_MS - (Date.now() - began));
}

/** Does the phase once without any fault and writes down what it calls. */
export async function record(stage: Stage, phase: Phase): Promise<Recording> {
  const id = `record-${phase.name}`;
  await phase.prepare?.(stage, id);
  const from = stage.cloud.calls.all().length;
  const { executionArn } = await undisturbed(stage, phase, id);
  await stage.quiet();
  const calls = recorded(stage.cloud.calls.all().slice(from));
  const states = [...new Set(await stage.entered(executionArn))];
  await phase.reset(stage, await stage.look());
  return { phase: phase.name, calls, states };
}

export async function undisturbed(stage: Stage, phase: Phase, id: string): Promise<Ended> {
  const before = await stage.look();
  const end = await stage.ended(await phase.start(stage, id, 0), LIMIT_SECONDS);
  const missing = phase.missing(end, await stage.look(), before, id);
  if (missing !== undefined) throw new Error(`${id}, without any fault: ${missing}`);
  return end;
}
