import { Tag } from '../../lambda/core/tags';
import { protectedWorld, recover, runConfig, wave } from './fakes/run-driver';
import { World } from './fakes/world';

const ready = (cycles = 1) => protectedWorld(() => new World(), cycles);
const resumed = (world: World, config = runConfig(), mode: 'drill' | 'failover' = 'failover') => recover(world, config, { request: { runId: 'run-1', mode }, name: 'second-execution' });
const launchedOf = (world: World, endpoint: string) => [...world.machines.machineRows.values()].filter(({ spec }) => spec.tags[Tag.ENDPOINT] === endpoint);

describe('resuming', () => {
  test('a run that failed goes on where it stopped, under its id', async () => {
    const world = await ready();
    world.machines.healthy = () => false;
    expect((await recover(world)).failure?.name).toBe('CheckFailed');
    world.machines.healthy = () => true;
    world.clock.advance(7200);
    const { evidence, failure } = await recover(world, runConfig(), { request: { runId: 'run-1' }, name: 'second-execution' });
    expect(failure).toBeUndefined();
    expect(evidence).toMatchObject({ runId: 'run-1', status: 'SUCCEEDED' });
    expect(world.machines.alive()).toHaveLength(3);
  });

  test('does not touch a run that another execution is busy with', async () => {
    const world = await ready();
    await recover(world);
    const record = world.catalogue.runRows.get('run-1')!;
    world.catalogue.runRows.set('run-1', { ...record, status: 'RUNNING' });
    world.executions.running.add(record.executionArn);
    const { failure, outcome } = await recover(world, runConfig(), { request: { runId: 'run-1' }, name: 'second-execution' });
    expect(failure).toMatchObject({ name: 'InvalidRequest', message: expect.stringContaining('still running') });
    expect(outcome).toMatchObject({ status: 'FAILED' });
    expect(world.catalogue.runRows.get('run-1')?.status).toBe('RUNNING');
  });

  test('refuses to repeat a run that succeeded', async () => {
    const world = await ready();
    await recover(world);
    expect((await recover(world, runConfig(), { request: { runId: 'run-1' }, name: 'second-execution' })).failure?.message).toContain('has succeeded');
  });
});

describe('resuming by what EC2 shows', () => {
  test('after a refused launch, whose image is gone, the machine is launched from a new one', async () => {
    const world = await ready();
    world.cloud.failNext('recovery', 'RunInstances', 'denied', 'UnauthorizedOperation');
    expect((await recover(world)).failure?.name).toBe('LaunchFailed');
    expect(world.machines.deregistered).toHaveLength(1);
    const { evidence } = await resumed(world);
    expect(evidence).toMatchObject({ status: 'SUCCEEDED' });
    expect(launchedOf(world, 'db')).toHaveLength(1);
    expect(world.machines.imageRows.size).toBe(0);
  });

  test('an image registered and removed before the launch is registered again', async () => {
    const world = await ready();
    const launch = world.machines.launch.bind(world.machines);
    world.machines.launch = () => Promise.reject(new Error('the function is broken'));
    const first = await recover(world);
    expect(first.failure?.message).toBe('the function is broken');
    expect(first.evidence.members[0]?.status).toBe('IMAGE_READY');
    expect(world.machines.imageRows.size).toBe(0);
    world.machines.launch = launch;
    expect((await resumed(world)).evidence).toMatchObject({ status: 'SUCCEEDED' });
  });

  test('a launch whose answer was lost is taken over, though the image is gone', async () => {
    const world = await ready();
    const launch = world.machines.launch.bind(world.machines);
    world.machines.launch = async (spec) => {
      await launch(spec);
      throw new Error('the answer is lost');
    };
    expect((await recover(world)).failure?.message).toBe('the answer is lost');
    world.machines.launch = launch;
    expect((await resumed(world)).evidence).toMatchObject({ status: 'SUCCEEDED' });
    expect(launchedOf(world, 'db')).toHaveLength(1);
  });

  test.each(['terminated', 'gone'])('a machine that is %s is launched again, once', async (end) => {
    const world = await ready();
    let ended = false;
    const { failure } = await recover(world, runConfig(), {
      meanwhile: (w, step) => {
        const [db] = w.machines.alive();
        if (ended || step !== 'launch' || db === undefined) return;
        ended = true;
        w.machines.end(db.instanceId, 'Client.InternalError', 'the key is disabled');
      },
    });
    expect(failure?.message).toContain('the key is disabled');
    world.clock.advance(7200);
    if (end === 'gone') world.machines.machineRows.clear();
    const { evidence } = await resumed(world);
    expect(evidence).toMatchObject({ status: 'SUCCEEDED' });
    expect(evidence.members.find(({ endpoint }) => endpoint === 'db')).toMatchObject({ status: 'PASSED', attempt: 2 });
    expect(launchedOf(world, 'db').filter(({ state }) => state !== 'terminated')).toHaveLength(1);
    expect(world.machines.alive()).toHaveLength(3);
  });

  test('a machine that EC2 does not show yet is waited for', async () => {
    const world = await ready();
    world.machines.healthy = () => false;
    const short = runConfig({ waves: [wave(['db'], { checks: [{ name: 'healthy', kind: 'instance-status', timeoutSeconds: 5 }] }), wave(['app', 'web'])] });
    expect((await recover(world, short)).failure?.name).toBe('CheckFailed');
    world.machines.healthy = () => true;
    const [id, row] = [...world.machines.machineRows.entries()][0]!;
    world.machines.machineRows.delete(id);
    const { evidence } = await recover(world, runConfig(), {
      request: { runId: 'run-1' }, name: 'second-execution', meanwhile: (w, step) => { if (step === 'launch') w.machines.machineRows.set(id, row); },
    });
    expect(evidence).toMatchObject({ status: 'SUCCEEDED' });
    expect(launchedOf(world, 'db')).toHaveLength(1);
  });

  test('a machine that had passed and is gone since is recovered again', async () => {
    const world = await ready();
    world.machines.healthy = (id) => launchedOf(world, 'db').some(({ instanceId }) => instanceId === id);
    expect((await recover(world, runConfig(), { request: { mode: 'drill' } })).failure?.name).toBe('CheckFailed');
    world.machines.healthy = () => true;
    for (const { instanceId } of world.machines.alive()) world.machines.end(instanceId, 'Client.UserInitiatedShutdown', 'torn down');
    world.clock.advance(7200);
    expect((await resumed(world, runConfig(), 'drill')).evidence).toMatchObject({ status: 'SUCCEEDED' });
    expect(world.machines.alive()).toHaveLength(3);
  });

  test('a drill gets its whole time anew', async () => {
    const world = await ready();
    world.cloud.failNext('recovery', 'RunInstances', 'denied', 'UnauthorizedOperation');
    const first = await recover(world, runConfig(), { request: { mode: 'drill' } });
    world.clock.advance(7200);
    const second = await resumed(world, runConfig(), 'drill');
    expect(second.evidence).toMatchObject({ status: 'SUCCEEDED' });
    expect(Date.parse(second.evidence.expiresAt!) - Date.parse(first.evidence.expiresAt!)).toBeGreaterThanOrEqual(7_200_000);
    for (const { tags } of world.machines.alive()) expect(Number(tags[Tag.EXPIRES_AT])).toBe(Math.floor(Date.parse(second.evidence.expiresAt!) / 1000));
  });
});
