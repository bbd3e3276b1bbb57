import { protectedWorld, recover, runConfig } from './fakes/run-driver';
import { World } from './fakes/world';

const ready = () => protectedWorld(() => new World());

describe('what EC2 does not show yet', () => {
  test('an image is waited for after it was registered', async () => {
    const world = await ready();
    world.machines.imageLagSeconds = 12;
    const { evidence } = await recover(world);
    expect(evidence).toMatchObject({ status: 'SUCCEEDED' });
    expect(evidence.members.every(({ attempt }) => attempt === 1)).toBe(true);
  });

  test('an image that never comes fails its machine by the limit, with the reason', async () => {
    const world = await ready();
    world.machines.imageLagSeconds = 100_000;
    const { failure } = await recover(world);
    expect(failure).toMatchObject({ name: 'LaunchFailed', message: expect.stringMatching(/not running after 18\d\d s: .*InvalidAMIID.NotFound/) });
  });

  test('an image that was removed meanwhile is registered again', async () => {
    const world = await ready();
    const launch = world.machines.launch.bind(world.machines);
    let removed = false;
    world.machines.launch = async (spec) => {
      if (!removed) await world.machines.deregisterImage(spec.imageId);
      removed = true;
      return launch(spec);
    };
    expect((await recover(world)).evidence).toMatchObject({ status: 'SUCCEEDED' });
  });

  test('a base image that does not exist is not waited for', async () => {
    const world = new World();
    world.cloud.instances.set('i-db', { ...world.cloud.instances.get('i-db')!, platformDetails: 'Windows' });
    await world.cycle();
    const started = world.clock.now();
    const { failure } = await recover(world, runConfig({ launch: { db: { baseImageId: 'ami-gone' } } }));
    expect(failure?.message).toContain('InvalidAMIID.NotFound');
    expect(Date.parse(world.clock.now()) - Date.parse(started)).toBeLessThan(60_000);
  });

  test.each([
    ['StopInstances', 'InvalidInstanceID.NotFound'], ['AttachVolume', 'InvalidVolume.NotFound'], ['DetachVolume', 'InvalidVolume.NotFound'],
  ])('%s is repeated after %s', async (operation, code) => {
    const world = new World();
    world.machines.baseImages.add('ami-base');
    world.cloud.instances.set('i-db', { ...world.cloud.instances.get('i-db')!, platformDetails: 'Windows' });
    await world.cycle();
    world.cloud.failNext('recovery', operation, 'not-found', code, 2);
    expect((await recover(world, runConfig({ launch: { db: { baseImageId: 'ami-base' } } }))).evidence).toMatchObject({ status: 'SUCCEEDED' });
  });
});

describe('a capacity reservation', () => {
  const config = runConfig({ capacityReservationId: 'cr-1' });
  const reservedOf = (world: World) => [...world.machines.machineRows.values()].map(({ spec }) => spec.capacityReservationId);

  test('is used where it fits', async () => {
    const world = await ready();
    await recover(world, config);
    expect(reservedOf(world)).toEqual(['cr-1', 'cr-1', 'cr-1']);
  });

  test.each([
    ['ReservationCapacityExceeded', 'capacity'], ['InvalidParameterValue', 'invalid'], ['CapacityReservationMismatch', 'other'], ['UnauthorizedOperation', 'denied'],
  ] as const)('refused by %s is done without, in the same place and of the same type', async (code, kind) => {
    const world = await ready();
    world.cloud.failNext('recovery', 'RunInstances', kind, code);
    const { evidence } = await recover(world, config);
    expect(evidence).toMatchObject({ status: 'SUCCEEDED' });
    expect(evidence.members[0]).toMatchObject({
      endpoint: 'db', attempt: 2, instanceType: 'm7g.large', subnetId: 'subnet-p', privateIp: '10.0.0.12', notes: [`not in the reserved capacity (${code})`],
    });
    expect(reservedOf(world)).toEqual([undefined, 'cr-1', 'cr-1']);
  });

  test('then the other types are tried', async () => {
    const world = await ready();
    world.cloud.failNext('recovery', 'RunInstances', 'capacity', 'InsufficientInstanceCapacity', 2);
    expect((await recover(world, config)).evidence.members[0]).toMatchObject({ attempt: 3, instanceType: 'm7g.xlarge', status: 'PASSED' });
  });

  test('is kept while a launch is only throttled', async () => {
    const world = await ready();
    world.cloud.failNext('recovery', 'RunInstances', 'throttled', 'RequestLimitExceeded');
    await recover(world, config);
    expect(reservedOf(world)).toEqual(['cr-1', 'cr-1', 'cr-1']);
  });
});

test('a full subnet is left for another one of its zone', async () => {
  const world = await ready();
  world.cloud.failNext('recovery', 'RunInstances', 'subnet-full', 'InsufficientFreeAddressesInSubnet');
  const subnets = [
    { subnetId: 'subnet-p', cidr: '10.0.0.0/24', availabilityZone: 'us-west-2a' }, { subnetId: 'subnet-b', availabilityZone: 'us-west-2b' },
    { subnetId: 'subnet-q', availabilityZone: 'us-west-2a' },
  ];
  const { evidence } = await recover(world, runConfig({ production: { subnets, securityGroupIds: ['sg-p'] } }));
  expect(evidence.members[0]).toMatchObject({ subnetId: 'subnet-q', instanceType: 'm7g.large', status: 'PASSED', notes: [expect.stringContaining('no free address in subnet-p: m7g.large in subnet-q instead')] });
});
