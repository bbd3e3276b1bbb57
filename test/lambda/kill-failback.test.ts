import { Tag } from '../../lambda/core/tags';
import { failBack, failbackConfig, failedOver, failback, type BackOptions } from './fakes/failback-driver';
import { hookArn } from './fakes/run-driver';
import { cutoverNamed } from './fakes/traffic';
import type { World } from './fakes/world';

// A hundred runs each.
jest.setTimeout(180_000);

const config = failbackConfig({
  cutover: [cutoverNamed('dns')],
  failback: { ...failback, drain: [{ name: 'close', kind: 'lambda', target: hookArn, timeoutSeconds: 60, onFailure: 'fail' }] },
});

type Back = Awaited<ReturnType<typeof failedOver>>;

/** Never do both sides run. */
async function prepared(): Promise<Back> {
  const back = await failedOver(undefined, config);
  const { world } = back;
  const runs = (): boolean => world.machines.alive().some(({ state }) => state !== 'stopped');
  const start = world.machines.start.bind(world.machines);
  world.machines.start = (id) => {
    expect(world.oldSide.running()).toEqual([]);
    return start(id);
  };
  const startSource = world.oldSide.start.bind(world.oldSide);
  world.oldSide.start = (id) => {
    expect(runs()).toBe(false);
    startSource(id);
  };
  return back;
}

async function toTheEnd(back: Back, options: BackOptions) {
  if (options.then === 'retry-step') return failBack(back, config, options);
  try {
    return await failBack(back, config, options);
  } catch {
    back.world.clock.advance(60);
    const { meanwhile } = options;
    return failBack(back, config, { request: { runId: 'back-1' }, name: 'second-execution', meanwhile });
  }
}

function assertBack({ world, cycles }: Back): void {
  expect(world.catalogue.leaseRow).toMatchObject({ epoch: 2, epochOf: 'back-1', active: 'source', oldSide: 'fenced' });
  // A run that was over but for its lease leaves it to the next one, which replaces a holder whose execution has ended.
  expect(world.executions.running.has(world.catalogue.leaseRow.holder?.executionArn ?? '')).toBe(false);
  expect(world.oldSide.running()).toHaveLength(3);
  expect(world.machines.alive().map(({ state, tags }) => [state, tags[Tag.REPLACED_BY]].join())).toEqual(['stopped,back-1', 'stopped,back-1', 'stopped,back-1']);
  expect(world.traffic.side('dns')).toBe('source');
  expect(world.back.points().flatMap(({ pinnedBy }) => pinnedBy ?? [])).toEqual([]);
  expect(new Set(cycles.starts).size).toBe(cycles.starts.length);
  expect(new Set(world.functions.events.map(({ payload }) => payload.idempotencyKey)).size).toBe(1);
  const drained = world.catalogue.stepRows.get('back-1|drain')?.endedAt ?? '';
  for (const { consistentAt } of [...world.catalogue.runMemberRows.values()].filter(({ runId }) => runId === 'back-1')) expect(consistentAt >= drained).toBe(true);
}

function assertReopened(world: World): void {
  expect(world.catalogue.leaseRow).toMatchObject({ active: 'recovery', activeBy: 'run-1' });
  expect(world.oldSide.running()).toEqual([]);
  expect(world.machines.alive().map(({ state, tags }) => [state, tags[Tag.REPLACED_BY]].join())).toEqual(['running,', 'running,', 'running,']);
}

describe.each(['retry-step', 'new-execution'] as const)('a failback killed at any call, then %s', (then) => {
  test.each(['before', 'after'] as const)('%s the call: everything is back, once, from the last state', async (when) => {
    const { calls } = await failBack(await prepared(), config);
    expect(calls).toBeGreaterThan(120);
    for (let call = 1; call <= calls; call += 1) {
      const back = await prepared();
      try {
        const { outcome, failure } = await toTheEnd(back, { at: { call, when }, then });
        if (failure !== undefined) expect(failure.message).toContain('has succeeded');
        else expect(outcome).toMatchObject({ status: 'SUCCEEDED', epoch: 2, achieved: { rpoSeconds: 0 } });
        assertBack(back);
      } catch (error) {
        throw new Error(`killed ${when} call ${call} of ${calls}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      }
    }
  });
});

test.each(['before', 'after'] as const)('a failback that fails, killed %s any call: the recovered machines work again', async (when) => {
  const broken = (): BackOptions => ({ meanwhile: (step) => { if (step === 'switch') throw new Error('broken'); } });
  const { calls } = await failBack(await prepared(), config, broken());
  for (let call = 1; call <= calls; call += 1) {
    const back = await prepared();
    try {
      const { outcome } = await failBack(back, config, { ...broken(), at: { call, when } });
      expect(outcome).toMatchObject({ status: 'FAILED' });
      assertReopened(back.world);
    } catch (error) {
      throw new Error(`killed ${when} call ${call} of ${calls}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
});
