import { RefusedCall } from '../../lambda/adapters/errors';
import { Tag } from '../../lambda/core/tags';
import { drain } from '../../lambda/run/failback/drain';
import { failback, failBack, failbackConfig, failedOver } from './fakes/failback-driver';
import { recover } from './fakes/run-driver';
import type { World } from './fakes/world';

const states = (world: World) => world.machines.alive().map(({ state }) => state);
const all = (state: string) => [state, state, state];
const outcome = (world: World, name: string) => world.catalogue.stepRows.get(`back-1|${name}`)?.outcome;

function assertReopened(world: World): void {
  expect(world.catalogue.leaseRow).toMatchObject({ active: 'recovery', activeBy: 'run-1' });
  expect(world.catalogue.leaseRow.holder).toBeUndefined();
  expect(states(world)).toEqual(all('running'));
  expect(world.oldSide.running()).toEqual([]);
  expect(world.machines.alive().flatMap(({ tags }) => tags[Tag.REPLACED_BY] ?? [])).toEqual([]);
  expect(world.back.points().flatMap(({ pinnedBy }) => pinnedBy ?? [])).toEqual([]);
}

describe('a failback that does not come through lets the recovered machines work again', () => {
  test.each(['drain', 'sync-final', 'launch', 'switch'])('failed in %s; and a new one does', async (at) => {
    const back = await failedOver();
    let seen = 0;
    const { failure, evidence } = await failBack(back, undefined, { meanwhile: (step) => {
      if (step !== at) return;
      seen += 1;
      if (seen === 2 || at === 'switch') throw new Error(`${at} is broken`);
    } });
    expect(failure?.message).toBe(`${at} is broken`);
    expect(evidence).toMatchObject({ status: 'FAILED', error: expect.stringContaining(`${at} is broken`) });
    expect(evidence.steps.find(({ name }) => name === 'reopen')).toMatchObject({ outcome: 'SUCCEEDED', detail: '3 recovered machines work again' });
    expect(evidence.failback?.withoutServiceSeconds).toBeGreaterThan(0);
    assertReopened(back.world);
    back.world.clock.advance(600);
    const resumed = await failBack(back, undefined, { request: { runId: 'back-1' }, name: 'again' });
    expect(resumed.failure?.message).toMatch(/cannot be resumed: its recovered machines work again.*Begin a new failback\./);
    // Machines of the source that the first one had started are no reason to refuse the second.
    expect((await failBack(back, undefined, { name: 'back-2' })).evidence).toMatchObject({ status: 'SUCCEEDED', achieved: { rpoSeconds: 0 } });
  });

  test('failed before the drain: they never stopped', async () => {
    const back = await failedOver();
    back.cycles.without.add('db/i-db');
    const { failure, evidence } = await failBack(back);
    expect(failure).toMatchObject({ name: 'SyncFailed', message: expect.stringMatching(/^Not every recovered machine has a new copy in us-east-1 after 3600 s.*: db\/i-db: no return cycle has made a recovery point of it\. /) });
    expect(back.cycles.starts.length).toBeGreaterThan(3);
    expect(new Set(back.cycles.starts).size).toBe(back.cycles.starts.length);
    expect(evidence.steps.map(({ name }) => name)).toEqual(['sync-first']);
    expect(back.world.cloud.count('recovery', 'StopInstances')).toBe(0);
    assertReopened(back.world);
    back.cycles.without.clear();
    expect((await failBack(back, undefined, { request: { runId: 'back-1' }, name: 'again' })).evidence).toMatchObject({ status: 'SUCCEEDED', epoch: 2 });
  });

  test('whose recovered machine does not stop, even by force', async () => {
    const back = await failedOver();
    const forced: boolean[] = [];
    const stop = back.world.machines.stop.bind(back.world.machines);
    const [hanging] = back.world.machines.alive();
    back.world.machines.stop = (id: string, force = false) => {
      if (id !== hanging?.instanceId) return stop(id);
      forced.push(force);
      return Promise.resolve();
    };
    const { failure } = await failBack(back);
    expect(failure).toMatchObject({ name: 'DrainFailed', message: expect.stringContaining(`Not stopped after 600 s, though by force: ${hanging?.instanceId} (running)`) });
    expect([forced[0], forced.at(-1)]).toEqual([false, true]);
    assertReopened(back.world);
  });

  test('where a machine of the source side was started meanwhile: nothing is stopped for it', async () => {
    const back = await failedOver();
    const { failure } = await failBack(back, undefined, { meanwhile: (step) => { if (step === 'drain-hooks') back.world.oldSide.start('i-app'); } });
    expect(failure).toMatchObject({ name: 'DrainFailed', message: expect.stringContaining('Machines of the source side run, and may be writing: i-app (running)') });
    expect(back.world.cloud.count('recovery', 'StopInstances')).toBe(0);
  });

  test('where somebody starts a recovered machine after the drain', async () => {
    const back = await failedOver();
    const { failure } = await failBack(back, undefined, { meanwhile: async (step) => { if (step === 'switch') await back.world.machines.start(back.world.machines.alive()[0]!.instanceId); } });
    expect(failure).toMatchObject({ name: 'DrainFailed', message: expect.stringContaining('were started again after the drain') });
    assertReopened(back.world);
  });

  test('where a recovered machine is terminated: what it wrote last cannot come back', async () => {
    const back = await failedOver();
    const { failure } = await failBack(back, undefined, { meanwhile: (step) => { if (step === 'drain') back.world.machines.end(back.world.machines.alive()[0]?.instanceId ?? '', '', ''); } });
    expect(failure).toMatchObject({ name: 'DrainFailed', message: expect.stringContaining('is terminated') });
  });
});

describe('reopening', () => {
  const broken = (at: string, then: () => void = () => undefined) => ({ meanwhile: (step: string) => {
    if (step !== at) return;
    then();
    throw new Error('broken');
  } });

  test('starts nothing while a machine of the source side may run', async () => {
    const back = await failedOver();
    await failBack(back, undefined, broken('switch', () => back.world.cloud.refused.add('source')));
    expect(outcome(back.world, 'reopen')).toBe('FAILED');
    expect(states(back.world)).toEqual(all('stopped'));
    expect(back.world.catalogue.stepRows.get('back-1|reopen')?.detail).toMatch(/are not started again: .*Make sure that the project's machines in us-east-1 are stopped, then start the recovered ones in us-west-2/);
    back.world.cloud.refused.clear();
    const refused = await failBack(back, undefined, { name: 'back-2' });
    expect(refused.failure?.message).toMatch(/not known to be fenced: .*Stop them and begin again/);
    back.world.clock.advance(60);
    for (const id of ['i-app', 'i-db', 'i-web']) Object.assign(back.world.oldSide.of(id), { state: 'stopped' });
    expect((await failBack(back, undefined, { name: 'back-3' })).evidence).toMatchObject({ status: 'SUCCEEDED' });
  });

  test('does not need the source Region when nothing was started there', async () => {
    const back = await failedOver();
    await failBack(back, undefined, broken('sync-final', () => back.world.cloud.refused.add('source')));
    expect(outcome(back.world, 'reopen')).toBe('SUCCEEDED');
    expect(states(back.world)).toEqual(all('running'));
  });

  test('tries again where EC2 has no capacity for a moment', async () => {
    const back = await failedOver();
    await failBack(back, undefined, broken('sync-final', () => back.world.cloud.failNext('recovery', 'StartInstances', 'capacity', 'InsufficientInstanceCapacity', 4)));
    assertReopened(back.world);
  });

  test('leaves everything alone that belongs to a newer run', async () => {
    const back = await failedOver();
    await failBack(back, undefined, broken('sync-final', () => {
      const { catalogue } = back.world;
      catalogue.leaseRow = { ...catalogue.leaseRow, epoch: 9, epochOf: 'run-9', version: 99, holder: { runId: 'run-9', executionArn: 'arn:9', mode: 'failover', since: '2030-01-01T00:00:00.000Z' } };
    }));
    expect(outcome(back.world, 'reopen')).toBeUndefined();
    expect(states(back.world)).toEqual(all('stopped'));
  });

  test('is nothing to do once the source side is the active one', async () => {
    const back = await failedOver();
    await failBack(back);
    const { world } = back;
    world.catalogue.leaseRow = { ...world.catalogue.leaseRow, holder: { runId: 'back-1', executionArn: 'arn:x', mode: 'failback', since: '' } };
    const ports = { runs: world.catalogue, leases: world.catalogue, machines: world.machines, roots: world.machines, source: world.oldSide, sourceTags: world.machines };
    expect(await drain({ config: failbackConfig(), run: { runId: 'back-1', mode: 'failback', epoch: 2, waves: [] }, phase: 'reopen' }, ports, world.tools())).toEqual({ done: true, waitSeconds: 0 });
    expect(states(world)).toEqual(all('stopped'));
  });
});

test('machines that cannot be marked as replaced do not undo the failback', async () => {
  const back = await failedOver();
  back.world.cloud.failNext('recovery', 'CreateTags', 'denied', 'UnauthorizedOperation');
  const { evidence } = await failBack(back);
  expect(evidence.status).toBe('SUCCEEDED');
  expect(evidence.steps.find(({ name }) => name === 'switch')?.detail).toContain('not marked for removal, remove by hand: i-');
});

test('an interrupted failback whose recovered machines were started by hand copies once more', async () => {
  const back = await failedOver();
  const { world, cycles } = back;
  // Its execution is stopped by somebody: no step follows, not even the one that reopens.
  const run = failBack(back, undefined, { meanwhile: (step) => (step === 'launch' ? new Promise(() => undefined) : undefined) });
  await Promise.race([run, new Promise((resolve) => { setTimeout(resolve, 300); })]);
  world.executions.running.clear();
  for (const { instanceId } of world.machines.alive()) await world.machines.start(instanceId);
  world.clock.advance(600);
  const { evidence } = await failBack(back, undefined, { request: { runId: 'back-1' }, name: 'again' });
  expect(evidence).toMatchObject({ status: 'SUCCEEDED', achieved: { rpoSeconds: 0 } });
  expect(cycles.starts).toEqual(['back-1-first-1', 'back-1-final-1', 'back-1-final-2']);
  expect(world.catalogue.runMemberRows.get('back-1|db/i-db')?.pointId).toBe('p-db/i-db-back-1-final-2');
});

test('a run id of any length names executions of its own', async () => {
  const back = await failedOver();
  const runId = 'r'.repeat(80);
  expect((await failBack(back, undefined, { name: runId })).evidence.status).toBe('SUCCEEDED');
  for (const name of back.cycles.starts) expect(name).toMatch(/^r{50,}-[0-9a-f]{8}-(first|final)-1$/);
  expect(Math.max(...back.cycles.starts.map(({ length }) => length))).toBe(80);
});

test('a drain that EC2 refuses says so', async () => {
  const back = await failedOver();
  back.world.machines.stop = () => Promise.reject(new RefusedCall('StopInstances', 'invalid', 'OperationNotPermitted', 'stop protection'));
  const { failure } = await failBack(back);
  expect(failure).toMatchObject({ name: 'DrainFailed', message: 'The recovery side cannot be drained: StopInstances: OperationNotPermitted: stop protection' });
  expect(failback.drainTimeoutSeconds).toBe(600);
  expect((await recover(back.world, failbackConfig(), { name: 'run-2' })).failure?.name).toBe('InvalidRequest');
});
