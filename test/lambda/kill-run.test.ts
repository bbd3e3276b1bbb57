import { Tag } from '../../lambda/core/tags';
import { hookArn, protectedWorld, recover, runConfig, wave, type RunOptions } from './fakes/run-driver';
import { World } from './fakes/world';

// Hundreds of cycles or runs each.
jest.setTimeout(180_000);

const config = runConfig({
  waves: [
    wave(['db'], { after: [{ name: 'warm', kind: 'lambda', target: hookArn, timeoutSeconds: 60, onFailure: 'fail' }] }),
    wave(['app', 'web'], { before: [{ name: 'dns', kind: 'ssm', target: 'UpdateDns', endpoints: ['db'], timeoutSeconds: 600, onFailure: 'fail' }] }),
  ],
  launch: { app: { baseImageId: 'ami-base' } },
});

/** One of the machines takes the way over a base image. */
async function prepared(): Promise<World> {
  const world = await protectedWorld(() => {
    const fresh = new World();
    fresh.machines.baseImages.add('ami-base');
    fresh.cloud.instances.set('i-app', { ...fresh.cloud.instances.get('i-app')!, platformDetails: 'Windows' });
    return fresh;
  });
  // A point newer than those chosen may come while the run is planned again.
  return world;
}

async function runToTheEnd(world: World, options: RunOptions) {
  if (options.then === 'retry-step') return recover(world, config, options);
  try {
    return await recover(world, config, options);
  } catch {
    world.clock.advance(60);
    return recover(world, config, { request: { runId: 'run-1' }, name: 'second-execution' });
  }
}

function assertRecoveredOnce(world: World): void {
  expect(world.machines.alive().map(({ tags }) => tags[Tag.MEMBER]).sort()).toEqual(['app/i-app', 'db/i-db', 'web/i-web']);
  expect(world.machines.imageRows.size).toBe(0);
  expect(world.catalogue.points().flatMap(({ pinnedBy }) => pinnedBy ?? [])).toEqual([]);
  // Each machine has its two disks, and no volume is left lying about.
  for (const { volumes } of world.machines.alive()) expect(volumes).toHaveLength(2);
  const attached = new Set(world.machines.alive().flatMap(({ volumes }) => volumes.map(({ volumeId }) => volumeId)));
  expect([...world.machines.volumeRows.keys()].filter((id) => !attached.has(id))).toEqual([]);
  expect(world.commands.commands).toHaveLength(1);
  expect(world.functions.events.length).toBeLessThanOrEqual(2);
  expect(new Set(world.functions.events.map(({ payload }) => payload.idempotencyKey)).size).toBe(1);
}

describe.each(['retry-step', 'new-execution'] as const)('a recovery run killed at any call, then %s', (then) => {
  test.each(['before', 'after'] as const)('%s the call', async (when) => {
    const { calls } = await recover(await prepared(), config);
    expect(calls).toBeGreaterThan(60);
    for (let call = 1; call <= calls; call += 1) {
      const world = await prepared();
      try {
        const { outcome, failure } = await runToTheEnd(world, { at: { call, when }, then });
        // Killed in the very end, the run has succeeded already: to resume it is refused, and right.
        if (failure !== undefined) expect(failure.message).toContain('has succeeded');
        else expect(outcome).toMatchObject({ runId: 'run-1', status: 'SUCCEEDED' });
        expect(world.catalogue.runRows.get('run-1')?.status).toBe('SUCCEEDED');
        assertRecoveredOnce(world);
      } catch (error) {
        throw new Error(`killed ${when} call ${call} of ${calls}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      }
    }
  });
});
