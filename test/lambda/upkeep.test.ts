import { RefusedCall } from '../../lambda/adapters/errors';
import { Tag } from '../../lambda/core/tags';
import { tearDownDrills } from '../../lambda/upkeep/teardown';
import { protectedWorld, recover, runConfig } from './fakes/run-driver';
import { PROJECT, upkeepConfig, World } from './fakes/world';

const ready = () => protectedWorld(() => new World());
const teardown = (world: World) => tearDownDrills({ config: upkeepConfig }, { machines: world.machines, roots: world.machines }, world.tools());
const drill = { request: { mode: 'drill' as const } };

describe('drill teardown', () => {
  test('removes a drill when its time is over, not before', async () => {
    const world = await ready();
    await recover(world, runConfig(), drill);
    expect(await teardown(world)).toMatchObject({ terminated: 0 });
    world.clock.advance(7200);
    expect(await teardown(world)).toMatchObject({ terminated: 3 });
    expect(world.machines.alive()).toEqual([]);
  });

  test('removes what a drill that died has left, images and lone volumes too', async () => {
    const world = await ready();
    const expired = { [Tag.PROJECT]: PROJECT, [Tag.MODE]: 'drill', [Tag.EXPIRES_AT]: '1000' };
    const spec = { name: 'n', description: '', architecture: 'arm64', virtualizationType: 'hvm', rootDeviceName: '/dev/xvda', disks: [], tags: expired };
    await world.machines.registerImage(spec);
    await world.machines.createVolume({ clientToken: 't', availabilityZone: 'a', disk: { deviceName: 'd', snapshotId: 's', volumeType: 'gp3', sizeGiB: 1, deleteOnTermination: true }, tags: expired });
    expect(await teardown(world)).toEqual({ terminated: 0, images: 1, volumes: 1 });
  });

  test('touches neither a failover, nor another project, nor a machine without a readable expiry', async () => {
    const world = await ready();
    await recover(world);
    await recover(world, runConfig(), { ...drill, name: 'drill-1' });
    const [one, two, three] = [...world.machines.machineRows.values()].filter(({ spec }) => spec.tags[Tag.MODE] === 'drill');
    const retag = (row: typeof one, tags: Record<string, string>) => Object.assign(row!, { spec: { ...row!.spec, tags: { ...row!.spec.tags, ...tags } } });
    retag(one, { [Tag.PROJECT]: 'other' });
    retag(two, { [Tag.EXPIRES_AT]: 'keep' });
    world.clock.advance(100_000);
    expect(await teardown(world)).toMatchObject({ terminated: 1 });
    expect(world.machines.machineRows.get(three!.instanceId)?.state).toBe('terminated');
    expect(world.machines.alive()).toHaveLength(5);
  });

  test('one machine that EC2 does not let go holds up neither the others nor images and volumes, and fails the teardown', async () => {
    const world = await ready();
    await recover(world, runConfig(), drill);
    const expired = { [Tag.PROJECT]: PROJECT, [Tag.MODE]: 'drill', [Tag.EXPIRES_AT]: '1000' };
    await world.machines.registerImage({ name: 'n', description: '', architecture: 'arm64', virtualizationType: 'hvm', rootDeviceName: '/dev/xvda', disks: [], tags: expired });
    const [kept] = world.machines.alive();
    const terminate = world.machines.terminate.bind(world.machines);
    world.machines.terminate = (ids) => ids.includes(kept!.instanceId)
      ? Promise.reject(new RefusedCall('TerminateInstances', 'invalid', 'OperationNotPermitted', 'termination protection'))
      : terminate(ids);
    world.clock.advance(7200);
    await expect(teardown(world)).rejects.toMatchObject({ name: 'TeardownIncomplete', message: expect.stringContaining(kept!.instanceId) });
    expect(world.machines.alive().map(({ instanceId }) => instanceId)).toEqual([kept!.instanceId]);
    expect([...world.machines.imageRows.values()].filter(({ tags }) => tags[Tag.EXPIRES_AT] === '1000')).toEqual([]);
  });

  test('asks nothing of the source Region', async () => {
    const world = await ready();
    const before = world.cloud.calls.filter(({ side }) => side === 'source').length;
    await teardown(world);
    expect(world.cloud.calls.filter(({ side }) => side === 'source')).toHaveLength(before);
  });
});

describe('the sweeper', () => {
  const stray = (world: World, tags: Record<string, string>) => world.cloud.source.createSet({ instanceId: 'i-web', description: 'stray', tags });

  test('removes a second set of a point, by age, and reports the number', async () => {
    const world = await ready();
    const [point] = world.catalogue.points();
    await stray(world, { [Tag.PROJECT]: PROJECT, [Tag.POINT]: point!.pointId, [Tag.MEMBER]: point!.memberId });
    expect(await world.sweep()).toMatchObject({ snapshots: 0 });
    world.clock.advance(4000);
    expect(await world.sweep()).toMatchObject({ snapshots: 2, problems: [] });
    expect(world.cloud.source.all()).toHaveLength(6);
    expect(world.metrics.filter(({ name }) => name === 'OrphansRemoved').map(({ value }) => value)).toEqual([0, 2]);
  });

  test('leaves what only looks like the project\'s', async () => {
    const world = await ready();
    await stray(world, { [Tag.PROJECT]: PROJECT });
    await stray(world, { [Tag.PROJECT]: 'other', [Tag.POINT]: 'p-x', [Tag.MEMBER]: 'web/i-web' });
    world.clock.advance(4000);
    expect(await world.sweep()).toMatchObject({ snapshots: 0 });
  });

  test('reads points again before it deletes: an index that lags costs nothing', async () => {
    const world = await ready();
    world.clock.advance(4000);
    world.catalogue.completePoints = () => Promise.resolve([]);
    expect(await world.sweep()).toMatchObject({ snapshots: 0 });
    expect(world.cloud.recovery.all()).toHaveLength(6);
  });

  test('goes on in one Region when the other refuses, and says so', async () => {
    const world = await ready();
    const [point] = world.catalogue.points();
    await world.cloud.recovery.copy({ sourceRegion: 'us-east-1', sourceSnapshotId: point!.volumes[0]!.sourceSnapshotId!, keyArn: '', description: '', tags: { [Tag.PROJECT]: PROJECT, [Tag.POINT]: point!.pointId, [Tag.MEMBER]: point!.memberId } });
    world.clock.advance(4000);
    world.cloud.refused.add('source');
    expect(await world.sweep()).toMatchObject({ snapshots: 1, problems: [expect.stringContaining('us-east-1')] });
  });

  test('removes images of runs that have ended, and keeps those of a run in progress', async () => {
    const world = await ready();
    await recover(world);
    const image = (name: string, run: string) => world.machines.registerImage({
      name, description: '', architecture: 'arm64', virtualizationType: 'hvm', rootDeviceName: '/dev/xvda', disks: [], tags: { [Tag.PROJECT]: PROJECT, [Tag.RUN]: run },
    });
    await image('a', 'run-1');
    await image('b', 'run-2');
    world.catalogue.runRows.set('run-2', { ...world.catalogue.runRows.get('run-1')!, runId: 'run-2', executionArn: 'arn:run-2', status: 'RUNNING' });
    world.executions.running.add('arn:run-2');
    world.clock.advance(4000);
    expect(await world.sweep()).toMatchObject({ images: 1 });
    expect([...world.machines.imageRows.values()].map(({ name }) => name)).toEqual(['b']);
  });

  test('takes away the pins of runs that are over', async () => {
    const world = await ready();
    const [point] = world.catalogue.points();
    await world.catalogue.pin(point!, 'run-gone');
    expect(await world.sweep()).toMatchObject({ pins: 1 });
    expect(world.catalogue.points().flatMap(({ pinnedBy }) => pinnedBy ?? [])).toEqual([]);
  });

  test('a run whose execution was stopped is failed after a while, and holds its points and images no longer', async () => {
    const world = await ready();
    // Drills hold no lease: what stays behind of a failover is another test's matter.
    await recover(world, runConfig(), { request: { mode: 'drill' } });
    const { endedAt: _ended, ...record } = world.catalogue.runRows.get('run-1')!;
    const executionArn = 'arn:stopped';
    world.catalogue.runRows.set('run-2', { ...record, runId: 'run-2', executionArn, status: 'RUNNING' });
    await world.catalogue.pin(world.catalogue.points()[0]!, 'run-2');
    await world.machines.registerImage({
      name: 'b', description: '', architecture: 'arm64', virtualizationType: 'hvm', rootDeviceName: '/dev/xvda', disks: [], tags: { [Tag.PROJECT]: PROJECT, [Tag.RUN]: 'run-2' },
    });
    world.clock.advance(10_000);
    world.executions.running.add(executionArn);
    expect(await world.sweep()).toMatchObject({ runs: 0, pins: 0, images: 0 });
    world.executions.running.delete(executionArn);
    world.executions.endedAt.set(executionArn, world.clock.now());
    const stoppedAt = world.clock.now();
    world.clock.advance(1000);
    expect(await world.sweep()).toMatchObject({ runs: 0, pins: 0, images: 0 });
    world.clock.advance(3000);
    expect(await world.sweep()).toMatchObject({ runs: 1, pins: 1, images: 1 });
    expect(world.catalogue.runRows.get('run-2')).toMatchObject({ status: 'FAILED', endedAt: stoppedAt });
    const resumed = await recover(world, runConfig(), { name: 'again', request: { mode: 'drill', runId: 'run-2' } });
    expect(resumed.evidence.status).toBe('SUCCEEDED');
  });

  test('a run of which Step Functions cannot be asked stays as it is', async () => {
    const world = await ready();
    await recover(world);
    world.catalogue.runRows.set('run-1', { ...world.catalogue.runRows.get('run-1')!, status: 'RUNNING' });
    world.executions.ending = () => Promise.reject(new RefusedCall('DescribeExecution', 'denied', 'AccessDeniedException', ''));
    world.clock.advance(10_000);
    expect(await world.sweep()).toMatchObject({ runs: 0, problems: [expect.stringContaining('DescribeExecution')] });
  });
});
