import { FIRST_LEASE } from '../../lambda/core/lease';
import { Tag } from '../../lambda/core/tags';
import { protectedWorld, recover, runConfig } from './fakes/run-driver';
import { World } from './fakes/world';

const ready = () => protectedWorld(() => new World());
const memberTags = (world: World) => world.machines.alive().map(({ tags }) => [tags[Tag.MEMBER], tags[Tag.EPOCH]]);

describe('a failover', () => {
  test('takes the lease, makes the recovery side the active one, and gives the lease back', async () => {
    const world = await ready();
    const seen: unknown[] = [];
    const { evidence } = await recover(world, runConfig(), { meanwhile: ({ catalogue }, step) => void (step === 'launch' && seen.push(catalogue.leaseRow)) });
    expect(seen[0]).toMatchObject({ epoch: 1, active: 'recovery', oldSide: 'unfenced', holder: { runId: 'run-1', mode: 'failover' } });
    expect(world.catalogue.leaseRow).toMatchObject({ epoch: 1, active: 'recovery', activeBy: 'run-1', acceptedBy: 'the project, which declares no fencing' });
    expect(world.catalogue.leaseRow).not.toHaveProperty('holder');
    expect(evidence).toMatchObject({ status: 'SUCCEEDED', epoch: 1, fencing: { oldSide: 'unfenced', results: [] } });
    expect(memberTags(world)).toEqual(expect.arrayContaining([['db/i-db', '1']]));
  });

  test('that fails gives the lease back too, and keeps its epoch when it is resumed', async () => {
    const world = await ready();
    world.machines.healthy = () => false;
    expect((await recover(world)).failure?.name).toBe('CheckFailed');
    expect(world.catalogue.leaseRow).toMatchObject({ epoch: 1, epochOf: 'run-1' });
    expect(world.catalogue.leaseRow.holder).toBeUndefined();
    world.machines.healthy = () => true;
    const { evidence } = await recover(world, runConfig(), { request: { runId: 'run-1' }, name: 'second' });
    expect(evidence).toMatchObject({ status: 'SUCCEEDED', epoch: 1 });
  });

  test('that cannot begin does not keep the lease', async () => {
    const world = await ready();
    world.catalogue.createRun = () => Promise.resolve(false);
    expect((await recover(world)).failure?.message).toContain('begun by another execution a moment ago');
    expect(world.catalogue.leaseRow).toMatchObject({ epoch: 1 });
    expect(world.catalogue.leaseRow.holder).toBeUndefined();
  });
});

describe('two failovers', () => {
  test('at once: one wins, the other ends with a message that names it', async () => {
    const world = await ready();
    let second: Awaited<ReturnType<typeof recover>> | undefined;
    const first = await recover(world, runConfig(), {
      meanwhile: (_world, step) => {
        if (step === 'launch' && second === undefined) {
          second = {} as never;
          void recover(world, runConfig(), { name: 'run-2' }).then((ran) => { second = ran; });
        }
      },
    });
    await new Promise((resolve) => { setTimeout(resolve, 50); });
    expect(first.evidence.status).toBe('SUCCEEDED');
    expect(second).toMatchObject({
      failure: { name: 'LeaseHeld', message: expect.stringMatching(/^Run run-1 \(failover, epoch 1, execution \S+:run-1\) holds the lease since/) },
      outcome: { runId: 'run-2', status: 'FAILED', error: expect.stringContaining('Run run-1') },
    });
    expect(world.machines.alive()).toHaveLength(3);
    expect(world.catalogue.leaseRow.epoch).toBe(1);
  });

  test('one after the other: what is recovered already is not recovered again, unless asked for', async () => {
    const world = await ready();
    await recover(world);
    const refused = await recover(world, runConfig(), { name: 'run-2' });
    expect(refused.failure).toMatchObject({ name: 'InvalidRequest', message: expect.stringMatching(/active since run run-1.*db\/i-db.*were recovered already.*"again": true/) });
    expect(world.catalogue.leaseRow.epoch).toBe(1);
    const again = await recover(world, runConfig(), { name: 'run-3', request: { again: true } });
    expect(again.evidence).toMatchObject({ status: 'SUCCEEDED', epoch: 2 });
    // The first run's machines were stopped before the second's were launched.
    const states = world.machines.alive().map(({ tags, state }) => [tags[Tag.EPOCH], state]);
    expect(states.filter(([epoch]) => epoch === '1').map(([, state]) => state)).toEqual(['stopped', 'stopped', 'stopped']);
    expect(states.filter(([epoch]) => epoch === '2')).toHaveLength(3);
  });

  test('of different endpoints follow each other, each with an epoch of its own', async () => {
    const world = await ready();
    await recover(world, runConfig(), { request: { endpoints: ['db'] } });
    const { evidence } = await recover(world, runConfig(), { name: 'run-2', request: { endpoints: ['app'] } });
    expect(evidence).toMatchObject({ status: 'SUCCEEDED', epoch: 2 });
    expect(world.catalogue.leaseRow).toMatchObject({ epoch: 2, activeEpoch: 1, activeBy: 'run-1' });
  });
});

describe('a run that a newer one has overtaken', () => {
  test.each(['launch', 'check', 'hooks', 'finish'])('stops itself before %s', async (at) => {
    const world = await ready();
    const { failure, evidence } = await recover(world, runConfig(), {
      meanwhile: ({ catalogue }, step) => {
        if (step === at && catalogue.leaseRow.epoch === 1) {
          catalogue.leaseRow = { ...catalogue.leaseRow, epoch: 2, epochOf: 'run-9', version: 99, holder: { runId: 'run-9', executionArn: 'arn:9', mode: 'failover', since: '2030-01-01T00:00:00.000Z' } };
        }
      },
    });
    // The wave without hooks does nothing: its next step stops.
    if (at !== 'finish') expect(failure).toMatchObject({ name: 'StaleEpoch', message: expect.stringContaining('epoch 2 was given to run run-9') });
    expect(evidence).toMatchObject({ status: 'FAILED', error: expect.stringContaining('run-9') });
    expect(world.catalogue.leaseRow.holder?.runId).toBe('run-9');
  });

  test('cannot be resumed', async () => {
    const world = await ready();
    world.machines.healthy = () => false;
    expect((await recover(world)).failure?.name).toBe('CheckFailed');
    world.machines.healthy = () => true;
    expect((await recover(world, runConfig(), { name: 'run-2' })).evidence).toMatchObject({ status: 'SUCCEEDED', epoch: 2 });
    const { failure } = await recover(world, runConfig(), { request: { runId: 'run-1' }, name: 'resumed' });
    expect(failure).toMatchObject({ name: 'StaleEpoch', message: expect.stringContaining('epoch 2 was given to run run-2, which has ended') });
  });
});

test('the holder of a lease whose execution has ended is replaced', async () => {
  const world = await ready();
  world.catalogue.leaseRow = { ...FIRST_LEASE, epoch: 4, epochOf: 'lost', version: 7, holder: { runId: 'lost', executionArn: 'arn:gone', mode: 'failover', since: '2029-01-01T00:00:00.000Z' } };
  expect((await recover(world)).evidence).toMatchObject({ status: 'SUCCEEDED', epoch: 5 });
});

test('a drill takes no lease and changes none', async () => {
  const world = await ready();
  const { evidence } = await recover(world, runConfig(), { request: { mode: 'drill' } });
  expect(evidence.status).toBe('SUCCEEDED');
  expect(evidence).not.toHaveProperty('fencing', expect.anything());
  expect(world.catalogue.leaseRow).toBe(FIRST_LEASE);
});

test('the old side is not protected while the recovery side is active', async () => {
  const world = await ready();
  await recover(world);
  const before = world.cloud.calls.length;
  await expect(world.cycle()).rejects.toThrow(/^suspended: the recovery side is active since run run-1 .*not protected until failback/);
  expect(world.cloud.calls).toHaveLength(before);
});
