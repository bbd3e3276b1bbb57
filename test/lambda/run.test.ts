import { Tag } from '../../lambda/core/tags';
import { protectedWorld, recover, runConfig, wave } from './fakes/run-driver';
import { cycleConfig, World } from './fakes/world';

const ready = (cycles = 1) => protectedWorld(() => new World(), cycles);

describe('a failover', () => {
  test('launches every member from its newest point, in waves, and proves it', async () => {
    const world = await ready();
    const { evidence, failure } = await recover(world);
    expect(failure).toBeUndefined();
    expect(evidence).toMatchObject({ status: 'SUCCEEDED', mode: 'failover', objectives: { rtoMet: true } });
    expect(evidence.achieved.rpoSeconds).toBeGreaterThan(0);
    expect(evidence.achieved.rtoSeconds).toBeGreaterThan(0);
    expect(evidence.members.map(({ endpoint, wave: index, status }) => [endpoint, index, status])).toEqual([
      ['db', 0, 'PASSED'], ['app', 1, 'PASSED'], ['web', 1, 'PASSED'],
    ]);
    expect(evidence.steps.map(({ name, outcome }) => [name, outcome])).toEqual(expect.arrayContaining([
      ['plan', 'SUCCEEDED'], ['wave-0/launch', 'SUCCEEDED'], ['wave-0/check', 'SUCCEEDED'], ['wave-1/launch', 'SUCCEEDED'], ['wave-1/check', 'SUCCEEDED'],
    ]));
    expect(world.machines.alive()).toHaveLength(3);
    expect(world.machines.imageRows.size).toBe(0);
    expect(world.catalogue.points().every(({ pinnedBy }) => (pinnedBy ?? []).length === 0)).toBe(true);
  });

  test('never asks the source Region', async () => {
    const world = await ready();
    world.cloud.refused.add('source');
    const before = world.cloud.calls.filter(({ side }) => side === 'source').length;
    expect((await recover(world)).evidence.status).toBe('SUCCEEDED');
    expect(world.cloud.calls.filter(({ side }) => side === 'source')).toHaveLength(before);
  });

  test('carries over disks, address, user data, metadata options and tags', async () => {
    const world = new World();
    world.cloud.userDataOf.set('i-db', 'I2Nsb3Vk');
    world.cloud.instances.set('i-db', { ...world.cloud.instances.get('i-db')!, httpTokens: 'required', ebsOptimized: true, keyName: 'source-key', enaSupport: true });
    await world.cycle();
    await recover(world);
    const machine = [...world.machines.machineRows.values()].find(({ spec }) => spec.tags[Tag.ENDPOINT] === 'db')!;
    expect(machine.spec).toMatchObject({
      instanceType: 'm7g.large', subnetId: 'subnet-p', privateIp: '10.0.0.12', securityGroupIds: ['sg-p'], userData: 'I2Nsb3Vk', httpTokens: 'required', ebsOptimized: true,
      tags: { Name: 'db', [Tag.PROJECT]: 'shop', [Tag.MEMBER]: 'db/i-db', [Tag.RUN]: 'run-1', [Tag.MODE]: 'failover' },
    });
    expect(machine.spec.keyName).toBeUndefined();
    expect(machine.spec.tags[Tag.EXPIRES_AT]).toBeUndefined();
    expect(machine.volumes.map(({ deviceName }) => deviceName)).toEqual(['/dev/xvda', '/dev/sdf']);
  });

  test('commits first what has arrived whole, though no cycle did', async () => {
    const world = new World({ snapshotSeconds: 5, copySeconds: 400, copyLimit: 20, lagSeconds: 0 });
    await world.cycle(cycleConfig({ copyConcurrency: 20 }));
    expect(world.catalogue.points().every(({ state }) => state === 'COPYING')).toBe(true);
    world.cloud.refused.add('source');
    world.clock.advance(400);
    const { evidence } = await recover(world);
    expect(evidence).toMatchObject({ status: 'SUCCEEDED' });
  });

  test('tries other types where EC2 has no capacity, and says so', async () => {
    const world = await ready();
    world.cloud.failNext('recovery', 'RunInstances', 'capacity', 'InsufficientInstanceCapacity');
    const { evidence } = await recover(world);
    const db = evidence.members.find(({ endpoint }) => endpoint === 'db');
    expect(db).toMatchObject({ status: 'PASSED', instanceType: 'm7g.xlarge', attempt: 2, notes: [expect.stringContaining('no capacity')] });
  });

  test('takes another address when the fixed one is in use', async () => {
    const world = await ready();
    world.cloud.failNext('recovery', 'RunInstances', 'address-in-use', 'InvalidIPAddress.InUse');
    const { evidence } = await recover(world);
    expect(evidence.members.find(({ endpoint }) => endpoint === 'db')).toMatchObject({ status: 'PASSED', privateIp: '10.9.9.9', notes: [expect.stringContaining('10.0.0.12 is in use')] });
  });

  test('a machine that EC2 ends for want of capacity is launched otherwise', async () => {
    const world = await ready();
    let ended = false;
    const { evidence } = await recover(world, runConfig(), {
      meanwhile: (w, step) => {
        const [first] = w.machines.alive();
        if (ended || step !== 'launch' || first === undefined) return;
        ended = true;
        w.machines.end(first.instanceId, 'Server.InsufficientInstanceCapacity', 'no capacity');
      },
    });
    expect(ended).toBe(true);
    expect(evidence).toMatchObject({ status: 'SUCCEEDED' });
    expect(world.machines.alive()).toHaveLength(3);
  });

  test('fails by name when a machine is ended for another reason, after launching the others of the wave', async () => {
    const world = await ready();
    const { failure, evidence } = await recover(world, runConfig({ waves: [wave(['db', 'app', 'web'])] }), {
      meanwhile: (w, step) => {
        const db = w.machines.alive().find(({ tags }) => tags[Tag.ENDPOINT] === 'db');
        if (step === 'launch' && db !== undefined) w.machines.end(db.instanceId, 'Client.InternalError', 'the key is disabled');
      },
    });
    expect(failure).toMatchObject({ name: 'LaunchFailed', message: expect.stringMatching(/db\/i-db.*the key is disabled/) });
    expect(evidence).toMatchObject({ status: 'FAILED', error: expect.stringContaining('the key is disabled'), achieved: { rtoSeconds: undefined } });
    expect(world.machines.alive()).toHaveLength(2);
    expect(world.machines.imageRows.size).toBe(0);
  });

  test('goes on when a launch is throttled', async () => {
    const world = await ready();
    world.cloud.failNext('recovery', 'RunInstances', 'throttled', 'RequestLimitExceeded', 2);
    expect((await recover(world)).evidence).toMatchObject({ status: 'SUCCEEDED' });
  });

  test('names member and check when a check does not pass in time', async () => {
    const world = await ready();
    world.machines.healthy = () => false;
    const { failure, evidence } = await recover(world);
    expect(failure).toMatchObject({ name: 'CheckFailed', message: expect.stringMatching(/db\/i-db: check healthy did not pass within 300 s: instance initializing/) });
    expect(evidence.steps.find(({ name }) => name === 'wave-0/check')).toMatchObject({ outcome: 'FAILED' });
    expect(world.machines.alive()).toHaveLength(1);
  });

  test('recovers what it can, and ends as failed when a whole endpoint is left out', async () => {
    const world = new World();
    world.cloud.instances.set('i-app', { ...world.cloud.instances.get('i-app')!, platformDetails: 'Windows' });
    await world.cycle();
    const { evidence, failure } = await recover(world);
    expect(failure).toBeUndefined();
    expect(evidence).toMatchObject({ status: 'FAILED', error: expect.stringMatching(/Nothing of app is recovered.*Windows/) });
    expect(world.machines.alive()).toHaveLength(2);
  });

  test('refuses when there is nothing to recover', async () => {
    const world = new World();
    const { failure, outcome } = await recover(world);
    expect(failure?.name).toBe('NothingToRecover');
    expect(outcome).toEqual({ runId: 'run-1', status: 'FAILED', error: expect.stringContaining('NothingToRecover') });
  });

  test.each([
    [{ mode: 'rehearsal' }, '"mode" must be one of "drill", "failover"'],
    [{ endpoints: ['dbb'] }, 'No endpoint is called dbb; the project has app, db, web'],
    [{ endpoints: [] }, 'at least one endpoint'],
    [{ selection: { kind: 'oldest' } }, '"selection.kind" must be'],
    [{ selection: { kind: 'before', time: 'yesterday' } }, 'is not a time'],
    [{ runId: 'a/b' }, '"runId" must be'],
  ])('refuses the request %j', async (request, message) => {
    const world = await ready();
    const { failure } = await recover(world, runConfig(), { request: request as never });
    expect(failure).toMatchObject({ name: 'InvalidRequest', message: expect.stringContaining(message) });
    expect(world.machines.alive()).toHaveLength(0);
  });

  test('of some endpoints launches those only', async () => {
    const world = await ready();
    const { evidence } = await recover(world, runConfig(), { request: { endpoints: ['web'] } });
    expect(evidence.members.map(({ endpoint }) => endpoint)).toEqual(['web']);
    expect(evidence.status).toBe('SUCCEEDED');
  });

  test('before a time takes the point of then', async () => {
    const world = await ready(2);
    const [, second] = [...new Set(world.catalogue.points().map(({ consistentAt }) => consistentAt!))].sort();
    const { evidence } = await recover(world, runConfig(), { request: { selection: { kind: 'before', time: second! } } });
    expect(evidence.members.every(({ consistentAt }) => consistentAt < second!)).toBe(true);
  });
});

describe('a drill', () => {
  const drill = { request: { mode: 'drill' as const } };

  test('stays in its own network, carries its expiry and leaves no disk behind', async () => {
    const world = await ready();
    const { evidence } = await recover(world, runConfig(), drill);
    expect(evidence).toMatchObject({ status: 'SUCCEEDED', mode: 'drill', expiresAt: expect.any(String) });
    for (const { spec } of world.machines.machineRows.values()) {
      expect(spec).toMatchObject({ subnetId: 'subnet-d', securityGroupIds: ['sg-d'] });
      expect(Number(spec.tags[Tag.EXPIRES_AT])).toBe(Math.floor(Date.parse(evidence.expiresAt!) / 1000));
    }
  });

  test('all disks of a drill go with its machine', async () => {
    const world = await ready();
    const specs: boolean[] = [];
    const register = world.machines.registerImage.bind(world.machines);
    world.machines.registerImage = (spec) => {
      specs.push(...spec.disks.map(({ deleteOnTermination }) => deleteOnTermination));
      return register(spec);
    };
    await recover(world, runConfig(), drill);
    expect(specs).toHaveLength(6);
    expect(specs.every(Boolean)).toBe(true);
  });

  test('launches no more machines than it may', async () => {
    const world = await ready();
    const { failure } = await recover(world, runConfig({ drillInstanceLimit: 2 }), drill);
    expect(failure?.name).toBe('DrillLimitExceeded');
    expect(world.machines.alive()).toHaveLength(0);
  });
});

describe('a machine that needs its billing code', () => {
  test('runs from a base image whose root disk is replaced', async () => {
    const world = new World();
    world.machines.baseImages.add('ami-base');
    world.cloud.userDataOf.set('i-app', 'dXNlcg==');
    world.cloud.instances.set('i-app', { ...world.cloud.instances.get('i-app')!, platformDetails: 'Red Hat Enterprise Linux', productCodes: ['rhel'] });
    await world.cycle();
    const { evidence } = await recover(world, runConfig({ launch: { app: { baseImageId: 'ami-base' } } }), { request: { mode: 'drill' } });
    expect(evidence).toMatchObject({ status: 'SUCCEEDED' });
    expect(evidence.members.find(({ endpoint }) => endpoint === 'app')).toMatchObject({ launchMethod: 'replaced-root', status: 'PASSED' });
    const machine = [...world.machines.machineRows.values()].find(({ spec }) => spec.imageId === 'ami-base')!;
    const point = world.catalogue.points().find(({ memberId }) => memberId === 'app/i-app')!;
    const root = world.machines.volumeRows.get(machine.volumes.find(({ deviceName }) => deviceName === '/dev/xvda')!.volumeId)!;
    expect(root).toMatchObject({ snapshotId: point.volumes[0]!.recoverySnapshotId, deleteOnTermination: true });
    expect(machine.volumes).toHaveLength(2);
    expect(world.machines.userData.get(machine.instanceId)).toBe('dXNlcg==');
    expect([...world.machines.volumeRows.values()].filter(({ snapshotId }) => snapshotId === 'snap-base')).toEqual([]);
  });
});
