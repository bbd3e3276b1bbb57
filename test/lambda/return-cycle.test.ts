import type { FoundInstance, SourceMachines } from '../../lambda/adapters/ports/source-machines';
import type { RecoveryPoint } from '../../lambda/core/model';
import { FIRST_LEASE } from '../../lambda/core/lease';
import { Tag } from '../../lambda/core/tags';
import { beginCycle } from '../../lambda/cycle/begin';
import { findRecovered, reconcileRecovered } from '../../lambda/cycle/discover-return';
import { removeReplaced } from '../../lambda/upkeep/replaced';
import { removeOrphanVolumes } from '../../lambda/upkeep/orphan-volumes';
import { endReturnPoints } from '../../lambda/upkeep/return-points';
import { tearDown } from '../../lambda/upkeep/tear-down';
import { RefusedCall } from '../../lambda/adapters/errors';
import { cycleConfig, PROJECT, upkeepConfig, World } from './fakes/world';

const machine = (instanceId: string, memberId: string, epoch: number, tags: Record<string, string> = {}): FoundInstance => ({
  instanceId, instanceType: 't3.small', architecture: 'x86_64', virtualizationType: 'hvm', rootDeviceName: '/dev/xvda', platformDetails: 'Linux/UNIX', productCodes: [],
  launchTime: '2030-01-01T00:00:00.000Z', volumes: [{ deviceName: '/dev/xvda', volumeId: `vol-${instanceId}`, deleteOnTermination: true }],
  tags: { [Tag.PROJECT]: PROJECT, [Tag.MODE]: 'failover', [Tag.MEMBER]: memberId, [Tag.ENDPOINT]: memberId.split('/')[0]!, [Tag.EPOCH]: String(epoch), Name: 'n', ...tags },
});

const region = (...instances: FoundInstance[]): SourceMachines => ({
  withTags: (tags) => Promise.resolve(instances.filter((each) => Object.entries(tags).every(([key, value]) => each.tags[key] === value))),
  volumes: (ids) => Promise.resolve(ids.map((volumeId) => ({ volumeId, sizeGiB: 8, volumeType: 'gp3', encrypted: true }))),
  userData: () => Promise.resolve(undefined), uefiData: () => Promise.resolve(undefined),
});

const recovered = (machines: SourceMachines, activeEpoch = 1) => findRecovered(
  { project: PROJECT }, { machines, leases: { lease: () => Promise.resolve({ ...FIRST_LEASE, active: 'recovery' as const, activeEpoch }), saveLease: () => Promise.resolve(false) } });

describe('the members of the way back', () => {
  test('are none of an earlier time on the recovery side, whose mark could not be made', async () => {
    const found = await recovered(region(machine('i-r1', 'db/i-db', 1), machine('i-r3', 'web/i-web', 5), machine('i-r4', 'app/i-app', 7)), 5);
    expect(found.map(({ instanceId }) => instanceId)).toEqual(['i-r3', 'i-r4']);
  });

  test('are the newest machines of failovers, under the ids of the members they were recovered for', async () => {
    const found = await recovered(region(
      machine('i-r1', 'db/i-db', 1), machine('i-r2', 'db/i-db', 3), machine('i-r3', 'web/i-web', 2),
      machine('i-r4', 'app/i-app', 2, { [Tag.REPLACED_BY]: 'an earlier failback' }), machine('i-d', 'db/i-db', 9, { [Tag.MODE]: 'drill' }),
    ));
    expect(found.map(({ memberId, instanceId, endpoint }) => [memberId, instanceId, endpoint])).toEqual([['db/i-db', 'i-r2', 'db'], ['web/i-web', 'i-r3', 'web']]);
    expect(found[0]?.settings).toMatchObject({ tags: { Name: 'n' }, volumes: [{ sourceVolumeId: 'vol-i-r2', isRoot: true }] });
  });

  test('change their machine with the next failover, and are missing as soon as it is gone', async () => {
    const first = await recovered(region(machine('i-r1', 'db/i-db', 1), machine('i-r3', 'web/i-web', 1)));
    const { upserts: known } = reconcileRecovered([], first, '2030-01-01T00:00:00Z', PROJECT);
    expect(known.map(({ memberId, instanceId }) => [memberId, instanceId])).toEqual([['db/i-db', 'i-r1'], ['web/i-web', 'i-r3']]);
    const again = await recovered(region(machine('i-r9', 'db/i-db', 2)));
    const { upserts, gone } = reconcileRecovered(known, again, '2030-01-02T00:00:00Z', PROJECT);
    expect(upserts.map(({ memberId, instanceId, missingSince }) => [memberId, instanceId, missingSince])).toEqual([['db/i-db', 'i-r9', undefined], ['web/i-web', 'i-r3', '2030-01-02T00:00:00Z']]);
    expect(gone).toEqual(['web/i-web']);
  });
});

describe('which direction may work', () => {
  const begin = async (world: World, direction: 'forward' | 'return') => beginCycle(
    { config: cycleConfig(direction === 'return' ? { direction } : {}), executionArn: 'arn:aws:states:us-west-2:1:execution:cycle:x', startedAt: world.clock.now() },
    { cycles: direction === 'return' ? world.back : world.catalogue, executions: world.executions, leases: world.catalogue }, world.tools());
  const lease = async (world: World, change: object) => {
    const read = await world.catalogue.lease();
    await world.catalogue.saveLease({ ...read, ...change, version: read.version + 1 }, read);
  };

  test('forward while the source is active, return while the recovery side is', async () => {
    const world = new World();
    expect(await begin(world, 'return')).toMatchObject({ outcome: 'suspended', reason: expect.stringContaining('nothing to bring back') });
    expect(await begin(world, 'forward')).toMatchObject({ outcome: 'started' });
    await lease(world, { active: 'recovery' });
    expect(await begin(world, 'forward')).toMatchObject({ outcome: 'suspended' });
    expect(await begin(world, 'return')).toMatchObject({ outcome: 'started' });
  });

  test('once a failback has made the source active it is protected, whatever is left of the run', async () => {
    const world = new World();
    const holder = { runId: 'back', executionArn: 'x', mode: 'failback', since: world.clock.now() };
    await lease(world, { active: 'recovery', holder });
    expect(await begin(world, 'forward')).toMatchObject({ outcome: 'suspended' });
    await lease(world, { active: 'source', holder });
    expect(await begin(world, 'forward')).toMatchObject({ outcome: 'started' });
  });
});

describe('what a failback leaves', () => {
  const point = (pointId: string, change: Partial<RecoveryPoint> = {}): RecoveryPoint => ({
    project: PROJECT, memberId: 'db/i-db', pointId, cycleId: 'c', state: 'COMPLETE', createdAt: '2029-12-31T00:00:00.000Z', consistentAt: '2029-12-31T00:00:00.000Z', version: 1, volumes: [], ...change,
  });

  test('points of the way back end once the source side has been active for long enough, and not while a run holds them', async () => {
    const world = new World();
    const ports = { ...world.cyclePorts(), members: world.back, points: world.back, cycles: world.back };
    await world.back.saveMember({ memberId: 'db/i-db', project: PROJECT, endpoint: 'db', instanceId: 'i-r', firstSeenAt: world.clock.now(), lastSeenAt: world.clock.now(), settings: {} as never, findings: [] });
    await world.back.createPoint(point('p-1'));
    await world.back.createPoint(point('p-2', { createdAt: '2029-12-31T01:00:00.000Z', pinnedBy: ['back'] }));
    const states = async () => (await world.back.allPoints('db/i-db')).map(({ state }) => state);
    const read = await world.catalogue.lease();
    await world.catalogue.saveLease({ ...read, activeSince: world.clock.now(), version: 1 }, read);
    await endReturnPoints(ports, world.catalogue, 3600, world.tools());
    expect(await states()).toEqual(['COMPLETE', 'COMPLETE']);
    world.clock.advance(3700);
    await endReturnPoints(ports, world.catalogue, 3600, world.tools());
    expect(await states()).toEqual(['EXPIRED', 'COMPLETE']);
  });

  const volume = (world: World, volumeId: string, tags: Record<string, string>, state = 'available') => {
    world.machines.volumeRows.set(volumeId, { volumeId, snapshotId: 'snap', state, tags: { [Tag.PROJECT]: PROJECT, ...tags } });
  };
  const seconds = (world: World, after: number) => String(Math.floor(Date.parse(world.clock.now()) / 1000) + after);

  test('what was replaced goes when its time is over; without a readable time, or while it is in use, it stays', async () => {
    const world = new World();
    volume(world, 'vol-over', { [Tag.REPLACED_BY]: 'back', [Tag.EXPIRES_AT]: seconds(world, -1) });
    volume(world, 'vol-kept', { [Tag.REPLACED_BY]: 'back', [Tag.EXPIRES_AT]: seconds(world, 60) });
    volume(world, 'vol-hand', { [Tag.REPLACED_BY]: 'back' });
    volume(world, 'vol-used', { [Tag.REPLACED_BY]: 'back', [Tag.EXPIRES_AT]: seconds(world, -1) }, 'in-use');
    volume(world, 'vol-drill', { [Tag.EXPIRES_AT]: seconds(world, -1) });
    world.machines.machineRows.set('i-over', { instanceId: 'i-over', spec: { tags: { [Tag.PROJECT]: PROJECT, [Tag.REPLACED_BY]: 'back', [Tag.EXPIRES_AT]: seconds(world, -1) } } as never, state: 'stopped', since: 0, volumes: [] });
    world.machines.machineRows.set('i-works', { instanceId: 'i-works', spec: { tags: { [Tag.PROJECT]: PROJECT, [Tag.EXPIRES_AT]: seconds(world, -1) } } as never, state: 'running', since: 0, volumes: [] });
    const removed = await removeReplaced(upkeepConfig, { machines: world.machines, disks: world.machines }, world.tools());
    expect(removed).toEqual({ machines: ['i-over'], volumes: ['vol-over'], problems: [] });
    expect([...world.machines.volumeRows.keys()].sort()).toEqual(['vol-drill', 'vol-hand', 'vol-kept', 'vol-used']);
  });

  test('a source Region that does not answer holds up no teardown; the recovery Region is told of', async () => {
    const world = new World();
    const refuse = () => Promise.reject(new RefusedCall('DescribeInstances', 'unreachable', 'TimeoutError', 'no answer'));
    const gone = { machinesWithTags: refuse, terminate: refuse, volumesWithTags: refuse, deleteVolume: refuse };
    const ports = { machines: world.machines, roots: world.machines, sourceMachines: gone, sourceRoots: gone };
    expect(await tearDown({ config: { ...upkeepConfig, replaces: true } }, ports, world.tools())).toMatchObject({ terminated: 0 });
    await expect(tearDown({ config: { ...upkeepConfig, replaces: true } }, { ...ports, machines: Object.assign(Object.create(world.machines) as typeof world.machines, gone) }, world.tools())).rejects.toMatchObject({ name: 'TeardownIncomplete' });
  });

  test('disks that a failback made and did not use are swept, not those of one that may go on', async () => {
    const world = new World();
    const record = { project: PROJECT, executionArn: 'arn', mode: 'failback' as const, selection: { kind: 'newest' as const }, startedAt: world.clock.now(), waves: [] };
    await world.catalogue.createRun({ ...record, runId: 'over', status: 'FAILED', endedAt: world.clock.now() });
    world.clock.advance(7200);
    await world.catalogue.createRun({ ...record, runId: 'works', status: 'RUNNING' });
    await world.catalogue.createRun({ ...record, runId: 'just', status: 'FAILED', endedAt: world.clock.now() });
    for (const runId of ['over', 'works', 'just']) volume(world, `vol-${runId}`, { [Tag.MODE]: 'failback', [Tag.RUN]: runId });
    volume(world, 'vol-in', { [Tag.MODE]: 'failback', [Tag.RUN]: 'over' }, 'in-use');
    volume(world, 'vol-out', { [Tag.MODE]: 'failback', [Tag.RUN]: 'over', [Tag.REPLACED_BY]: 'later' });
    expect(await removeOrphanVolumes(upkeepConfig, { runs: world.catalogue, disks: world.machines }, world.tools())).toBe(1);
    expect(world.machines.volumeRows.has('vol-over')).toBe(false);
  });

  test('disks that the source side works from are no orphans, however loose: of a failback that came through, or failed after its switch', async () => {
    const world = new World();
    const record = { project: PROJECT, executionArn: 'arn', mode: 'failback' as const, selection: { kind: 'newest' as const }, startedAt: world.clock.now(), waves: [], endedAt: world.clock.now() };
    await world.catalogue.createRun({ ...record, runId: 'through', status: 'SUCCEEDED' });
    await world.catalogue.createRun({ ...record, runId: 'switched', status: 'FAILED' });
    await world.catalogue.beginStep({ runId: 'switched', name: 'switch', startedAt: world.clock.now() });
    for (const runId of ['through', 'switched', 'unknown']) volume(world, `vol-${runId}`, { [Tag.MODE]: 'failback', [Tag.RUN]: runId });
    world.clock.advance(90 * 86_400);
    expect(await removeOrphanVolumes(upkeepConfig, { runs: world.catalogue, disks: world.machines }, world.tools())).toBe(0);
    expect(world.machines.volumeRows.size).toBe(3);
  });
});
