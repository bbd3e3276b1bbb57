import type { FencingConfig } from '../../lambda/core/fencing';
import { Tag } from '../../lambda/core/tags';
import { hookArn, protectedWorld, recover, runConfig, type RunOptions } from './fakes/run-driver';
import { cycleConfig, World } from './fakes/world';

// A hundred runs each.
jest.setTimeout(180_000);

const ROLE = 'arn:aws:iam::123456789012:role/app';
const fencing: FencingConfig = {
  actions: [
    { kind: 'revoke-sessions', roleArns: [ROLE], policyName: 'fenced' }, { kind: 'isolate', securityGroupId: 'sg-none' },
    { kind: 'lambda', name: 'array', target: hookArn, timeoutSeconds: 60 }, { kind: 'stop', forceAfterSeconds: 60 },
  ],
  whenUnreachable: 'refuse', timeoutSeconds: 300, endpoints: cycleConfig().endpoints,
};
const config = runConfig({ fencing, launch: { app: { baseImageId: 'ami-base' } } });

/** A role for each machine, and no machine is ever launched while an old one runs. */
async function prepared(): Promise<World> {
  const world = await protectedWorld(() => {
    const fresh = new World();
    for (const [id, instance] of fresh.cloud.instances) fresh.cloud.instances.set(id, { ...instance, instanceProfileArn: ROLE.replace(':role/', ':instance-profile/') });
    return fresh;
  });
  world.functions.answer = () => ({ payload: { fenced: true } });
  const launch = world.machines.launch.bind(world.machines);
  world.machines.launch = (spec) => {
    expect(world.oldSide.running()).toEqual([]);
    expect(world.catalogue.leaseRow).toMatchObject({ active: 'recovery', holder: { runId: 'run-1' } });
    return launch(spec);
  };
  return world;
}

async function toTheEnd(world: World, options: RunOptions) {
  if (options.then === 'retry-step') return recover(world, config, options);
  try {
    return await recover(world, config, options);
  } catch {
    world.clock.advance(60);
    return recover(world, config, { request: { runId: 'run-1' }, name: 'second-execution' });
  }
}

describe.each(['retry-step', 'new-execution'] as const)('a fencing failover killed at any call, then %s', (then) => {
  test.each(['before', 'after'] as const)('%s the call: fenced, under one epoch, launched once, and the lease given back', async (when) => {
    const { calls } = await recover(await prepared(), config);
    expect(calls).toBeGreaterThan(80);
    for (let call = 1; call <= calls; call += 1) {
      const world = await prepared();
      try {
        const { outcome, failure } = await toTheEnd(world, { at: { call, when }, then });
        if (failure !== undefined) expect(failure.message).toContain('has succeeded');
        else expect(outcome).toMatchObject({ status: 'SUCCEEDED', epoch: 1, fencing: { oldSide: 'fenced' } });
        expect(world.machines.alive().map(({ tags }) => `${tags[Tag.MEMBER]}#${tags[Tag.EPOCH]}`).sort()).toEqual(['app/i-app#1', 'db/i-db#1', 'web/i-web#1']);
        expect(world.catalogue.leaseRow).toMatchObject({ epoch: 1, epochOf: 'run-1', active: 'recovery', oldSide: 'fenced' });
        // A run that was over but for its lease leaves it to the next one, which replaces a holder whose execution has ended.
        expect(world.executions.running.has(world.catalogue.leaseRow.holder?.executionArn ?? '')).toBe(false);
        expect(new Set(world.functions.events.map(({ payload }) => payload.idempotencyKey)).size).toBe(1);
        expect([...world.catalogue.fenceRows.values()].filter(({ outcome: state }) => state !== 'fenced')).toEqual([]);
        expect([...world.catalogue.fenceRows.values()].flatMap(({ before }) => before ?? [])).toEqual(['sg-app', 'sg-app', 'sg-app']);
      } catch (error) {
        throw new Error(`killed ${when} call ${call} of ${calls}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      }
    }
  });
});
