import { Tag } from '../../lambda/core/tags';
import { RefusedCall } from '../../lambda/adapters/errors';
import { noteProblem } from '../../lambda/cycle/cycle';
import { finishCycle } from '../../lambda/cycle/finish';
import { cycleConfig, World } from './fakes/world';

const completePoints = (world: World) => world.catalogue.points().filter(({ state }) => state === 'COMPLETE');

/** EC2's reads of copies, so many seconds behind. */
function lagging(world: World, seconds: number) {
  return () => world.cloud.recovery.all().filter(({ startTime }) => Date.parse(startTime) + seconds * 1000 <= Date.parse(world.clock.now()));
}

describe('a protection cycle', () => {
  test('takes every member from snapshot to a committed set in the recovery Region', async () => {
    const world = new World();
    const summary = await world.cycle();
    expect(summary).toMatchObject({ status: 'SUCCEEDED', members: 3, committed: 3, open: 0, failed: 0, membersWithoutPoint: 0, problems: [] });
    expect(summary?.worstRpoSeconds).toBeGreaterThan(0);
    expect(completePoints(world)).toHaveLength(3);
    for (const point of completePoints(world)) {
      expect(point.volumes).toHaveLength(2);
      for (const volume of point.volumes) {
        const copy = world.cloud.recovery.all().find(({ snapshotId }) => snapshotId === volume.recoverySnapshotId);
        expect(copy).toMatchObject({ state: 'completed', tags: { [Tag.COPY_OF]: volume.sourceSnapshotId, [Tag.POINT]: point.pointId, [Tag.MEMBER]: point.memberId } });
      }
    }
    expect(world.catalogue.lock).toBeUndefined();
  });

  test('reports its metrics', async () => {
    const world = new World();
    await world.cycle();
    expect(Object.fromEntries(world.metrics.map(({ name, value }) => [name, value]))).toMatchObject({
      OpenPoints: 0, CommittedPoints: 3, MembersFound: 3, MembersWithoutPoint: 0, Findings: 0, FailedPoints: 0, Problems: 0, WorstRpoSeconds: expect.any(Number), CycleSeconds: expect.any(Number),
    });
  });

  test('keeps what retention keeps, on each side', async () => {
    const world = new World();
    for (let i = 0; i < 4; i += 1) {
      await world.cycle();
      world.clock.advance(300);
    }
    await world.cycle();
    expect(completePoints(world)).toHaveLength(6);
    expect(world.cloud.recovery.all()).toHaveLength(12);
    expect(world.cloud.source.all()).toHaveLength(6);
    const cleaned = world.catalogue.points().filter(({ state }) => state === 'EXPIRED');
    expect(cleaned).toHaveLength(9);
    expect(cleaned.every(({ cleanedAt }) => cleanedAt !== undefined)).toBe(true);
  });

  test('does not expire a point that a run uses', async () => {
    const world = new World();
    await world.cycle();
    const [pinned] = completePoints(world);
    await world.catalogue.pin(pinned!, 'run-1');
    for (let i = 0; i < 4; i += 1) {
      world.clock.advance(300);
      await world.cycle();
    }
    expect(completePoints(world).map(({ pointId }) => pointId)).toContain(pinned!.pointId);
  });

  test('is skipped while another one runs, and takes over from one that died', async () => {
    const world = new World();
    await world.catalogue.takeLock({ executionArn: 'arn:other', cycleId: 'c-other', startedAt: world.clock.now() });
    world.executions.running.add('arn:other');
    await expect(world.cycle()).rejects.toThrow('skipped: the cycle of');
    world.executions.running.delete('arn:other');
    expect(await world.cycle()).toMatchObject({ status: 'SUCCEEDED', committed: 3 });
  });

  test('starts no more copies than EC2 admits, when others use the quota too', async () => {
    const world = new World({ snapshotSeconds: 5, copySeconds: 40, copyLimit: 2, lagSeconds: 0 });
    const summary = await world.cycle(cycleConfig({ copyConcurrency: 20 }));
    expect(summary).toMatchObject({ status: 'SUCCEEDED', committed: 3 });
  });

  test('fails a point whose snapshot is in error and goes on with the others', async () => {
    const world = new World();
    const createSet = world.cloud.source.createSet.bind(world.cloud.source);
    world.cloud.source.createSet = async (request) => {
      const set = await createSet(request);
      if (request.instanceId === 'i-app') world.cloud.source.fail(set[0]!.snapshotId, 'disk broke');
      return set;
    };
    const summary = await world.cycle();
    expect(summary).toMatchObject({ status: 'DEGRADED', committed: 2, failed: 1, membersWithoutPoint: 1, problems: [expect.stringContaining('1 recovery point failed')] });
    expect(world.metrics.find(({ name }) => name === 'Problems')?.value).toBe(1);
    expect(world.catalogue.points().find(({ state }) => state === 'FAILED')).toMatchObject({ memberId: 'app/i-app', reason: expect.stringContaining('disk broke') });
    world.clock.advance(300);
    world.cloud.source.createSet = createSet;
    await world.cycle();
    expect(world.cloud.source.all().filter(({ tags }) => tags[Tag.MEMBER] === 'app/i-app')).toHaveLength(2);
  });

  test('a copy of an old set that EC2 does not show yet is no vanished one, and one that has vanished is named', async () => {
    const world = new World({ snapshotSeconds: 2000, copySeconds: 60, copyLimit: 20, lagSeconds: 0 });
    const long = cycleConfig({ intervalSeconds: 9000, pollSeconds: 60, copyConcurrency: 20 });
    Object.assign(world.cloud.recovery, { visible: lagging(world, 30) });
    expect(await world.cycle(long)).toMatchObject({ status: 'SUCCEEDED', committed: 3, failed: 0 });
    const second = new World({ snapshotSeconds: 5, copySeconds: 4000, copyLimit: 20, lagSeconds: 0 });
    const copy = second.cloud.recovery.copy.bind(second.cloud.recovery);
    second.cloud.recovery.copy = async (request) => {
      const id = await copy(request);
      if (request.tags[Tag.MEMBER] === 'web/i-web') second.cloud.recovery.stored.delete(id);
      return id;
    };
    expect(await second.cycle(long)).toMatchObject({ status: 'DEGRADED', committed: 2, failed: 1 });
    expect(second.catalogue.points().find(({ state }) => state === 'FAILED')?.reason).toContain('no longer exists');
  });

  test('fails the point of a machine whose disks changed after discovery', async () => {
    const world = new World();
    const createSet = world.cloud.source.createSet.bind(world.cloud.source);
    world.cloud.source.createSet = (request) => {
      if (request.instanceId === 'i-db') {
        const db = world.cloud.instances.get('i-db')!;
        world.cloud.instances.set('i-db', { ...db, volumes: [...db.volumes, { deviceName: '/dev/sdz', volumeId: 'vol-new', deleteOnTermination: false }] });
      }
      return createSet(request);
    };
    expect(await world.cycle()).toMatchObject({ committed: 2, failed: 1 });
    expect(world.catalogue.points().find(({ state }) => state === 'FAILED')?.reason).toContain('vol-new');
  });

  test('a throttled CreateSnapshots is tried again', async () => {
    const world = new World();
    world.cloud.failNext('source', 'CreateSnapshots', 'throttled', 'RequestLimitExceeded', 2);
    expect(await world.cycle()).toMatchObject({ status: 'SUCCEEDED', committed: 3, failed: 0 });
    expect(world.cloud.source.all()).toHaveLength(6);
  });

  test('a machine that it may not snapshot costs the others nothing, and is reported', async () => {
    const world = new World();
    world.cloud.failNext('source', 'CreateSnapshots', 'denied', 'UnauthorizedOperation');
    const summary = await world.cycle();
    expect(summary).toMatchObject({ status: 'DEGRADED', committed: 2, failed: 1, problems: [expect.stringContaining('UnauthorizedOperation'), expect.stringContaining('1 recovery point failed')] });
  });

  test('problems are listed by operation and code, each once, without what differs with every machine, and not without end', async () => {
    const world = new World(undefined, []);
    for (let i = 0; i < 30; i += 1) world.cloud.addInstance(`i-${i}`, { app: 'web' });
    world.cloud.source.createSet = ({ instanceId }) => Promise.reject(new RefusedCall('CreateSnapshots', 'denied', 'UnauthorizedOperation', `not on ${instanceId}. Encoded authorization failure message: ${'x'.repeat(900)}-${instanceId}`));
    const config = cycleConfig({ endpoints: [{ name: 'web', tags: { app: 'web' }, single: false }], snapshotsPerSecond: 100 });
    const summary = await world.cycle(config);
    expect(summary?.problems[0]).toBe('Snapshots in us-east-1 are not allowed: CreateSnapshots: UnauthorizedOperation');
    expect(new Set(summary?.problems).size).toBe(2);
    expect(world.catalogue.points().map(({ reason }) => reason).filter((reason) => reason?.includes('Encoded') === true)).toEqual([]);
  });

  test('of more problems than are listed the number is told', async () => {
    const { catalogue, ...world } = new World();
    const lock = { executionArn: 'arn:1', cycleId: 'c-1', startedAt: world.clock.now() };
    await catalogue.takeLock(lock);
    const input = { config: cycleConfig(), cycle: { ...lock, deadline: lock.startedAt } };
    const tools = world.clock.tools();
    for (let i = 0; i < 25; i += 1) await noteProblem(catalogue, input, `problem ${i}`, tools);
    const { problems } = await finishCycle(input, { members: catalogue, points: catalogue, cycles: catalogue }, tools);
    expect(problems).toHaveLength(21);
    expect(problems.at(-1)).toContain('and 5 more');
  });

  test('a Region that goes away while snapshots are made does not keep the cycle waiting for them', async () => {
    const world = new World();
    world.cloud.failNext('source', 'CreateSnapshots', 'unreachable', 'TimeoutError', 3);
    const before = Date.parse(world.clock.now());
    expect(await world.cycle()).toMatchObject({ status: 'DEGRADED', committed: 0 });
    expect(Date.parse(world.clock.now()) - before).toBeLessThan(60_000);
  });

  test('commits during an outage of the source what was being copied', async () => {
    const world = new World({ snapshotSeconds: 5, copySeconds: 400, copyLimit: 20, lagSeconds: 0 });
    expect(await world.cycle(cycleConfig({ copyConcurrency: 20 }))).toMatchObject({ committed: 0, open: 3 });
    world.cloud.refused.add('source');
    world.clock.advance(300);
    const summary = await world.cycle(cycleConfig({ copyConcurrency: 20 }));
    expect(summary).toMatchObject({ status: 'DEGRADED', committed: 3, open: 0, failed: 0 });
    expect(summary?.problems[0]).toContain('Discovery in us-east-1 failed');
  });

  test('an outage between snapshot and copy fails nothing and costs no point', async () => {
    const world = new World();
    const copy = world.cloud.recovery.copy.bind(world.cloud.recovery);
    world.cloud.recovery.copy = (request) => {
      world.cloud.refused.add('source');
      return copy(request);
    };
    const during = await world.cycle();
    expect(during).toMatchObject({ status: 'DEGRADED', committed: 0, failed: 0, open: 3 });
    world.cloud.recovery.copy = copy;
    world.cloud.refused.clear();
    world.clock.advance(300);
    expect(await world.cycle()).toMatchObject({ status: 'SUCCEEDED', committed: 6 });
  });

  test('expires in the recovery Region during an outage and cleans the source afterwards', async () => {
    const world = new World();
    for (let i = 0; i < 3; i += 1) {
      await world.cycle(cycleConfig({ retention: { kind: 'last', count: 3 }, sourceRetention: { kind: 'last', count: 3 } }));
      world.clock.advance(3600);
    }
    world.cloud.refused.add('source');
    await world.cycle(cycleConfig({ retention: { kind: 'last', count: 1 }, sourceRetention: { kind: 'last', count: 1 } }));
    expect(world.cloud.recovery.all()).toHaveLength(6);
    expect(world.cloud.source.all()).toHaveLength(18);
    world.cloud.refused.clear();
    world.clock.advance(3600);
    await world.cycle(cycleConfig({ retention: { kind: 'last', count: 1 }, sourceRetention: { kind: 'last', count: 1 } }));
    expect(world.cloud.source.all()).toHaveLength(6);
  });

  test('keeps at most two points of a member on their way', async () => {
    const world = new World({ snapshotSeconds: 5, copySeconds: 5000, copyLimit: 20, lagSeconds: 0 });
    for (let i = 0; i < 4; i += 1) {
      await world.cycle();
      world.clock.advance(60);
    }
    expect(world.catalogue.points()).toHaveLength(6);
  });

  test('asks EC2 in batches: describing calls do not grow with the fleet below 200 points', async () => {
    const calls = async (fleet: number) => {
      const world = new World(undefined, []);
      for (let i = 0; i < fleet; i += 1) world.cloud.addInstance(`i-${i}`, { app: 'web' });
      const config = cycleConfig({ endpoints: [{ name: 'web', tags: { app: 'web' }, single: false }], copyConcurrency: 1000, snapshotsPerSecond: 100 });
      Object.assign(world.cloud.options, { copyLimit: 1000 });
      await world.cycle(config);
      const before = world.calls;
      world.clock.advance(300);
      await world.cycle(config);
      return (world.calls - before) / fleet;
    };
    const [one, ten, hundred] = [await calls(1), await calls(10), await calls(100)];
    expect(ten).toBeLessThan(one);
    expect(hundred).toBeLessThan(ten);
  });
});
