import { FIRST_LEASE } from '../../lambda/core/lease';
import { Tag } from '../../lambda/core/tags';
import { ActiveSide } from '../../lambda/cycle/active-side';
import { FakeClock } from './fakes/clock';
import type { CloudOptions } from './fakes/cloud';
import type { KillPlan } from './fakes/world';
import { cycleConfig, PROJECT, World } from './fakes/world';

const config = cycleConfig({ direction: 'return', sourceRegion: 'us-west-2', recoveryRegion: 'us-east-1', endpoints: [], targetKeyArn: undefined });

const recoveredTags = (memberId: string, epoch: number) => ({
  [Tag.PROJECT]: PROJECT, [Tag.MODE]: 'failover', [Tag.MEMBER]: memberId, [Tag.ENDPOINT]: memberId.split('/')[0]!, [Tag.RUN]: `run-${epoch}`, [Tag.EPOCH]: String(epoch),
});

/** The way back: the Region of the machines is the recovery Region, and the catalogue that of the way back. */
function failedOver(options: CloudOptions = { snapshotSeconds: 20, copySeconds: 30, copyLimit: 4, lagSeconds: 0 }): World {
  const world = new World(options, []);
  world.catalogue.leaseRow = { ...FIRST_LEASE, active: 'recovery', epoch: 4, activeEpoch: 3, version: 3 };
  world.cloud.addInstance('i-r-old', recoveredTags('db/i-db', 3));
  world.cloud.addInstance('i-r-db', recoveredTags('db/i-db', 4));
  world.cloud.addInstance('i-r-web', recoveredTags('web/i-web', 3));
  return world;
}

/** Copies that end after the cycle that started them. */
const slow: CloudOptions = { snapshotSeconds: 5, copySeconds: 400, copyLimit: 20, lagSeconds: 0 };

const complete = (world: World) => world.catalogue.points().filter(({ state }) => state === 'COMPLETE');
const shows = (world: World) => complete(world).map(({ memberId, instanceId }) => [memberId, instanceId]).sort();
const sets = (world: World) => world.cloud.count('source', 'CreateSnapshots');

describe('a return cycle', () => {
  test('brings a point of each recovered machine, under the id of its member, and tells the project\'s metrics nothing', async () => {
    const world = failedOver();
    expect(await world.cycle(config)).toMatchObject({ status: 'SUCCEEDED', members: 2, committed: 2, open: 0, problems: [] });
    expect(shows(world)).toEqual([['db/i-db', 'i-r-db'], ['web/i-web', 'i-r-web']]);
    for (const { volumes, memberId, pointId } of complete(world)) {
      expect(volumes).toHaveLength(2);
      for (const { recoverySnapshotId, sourceSnapshotId } of volumes) {
        expect(world.cloud.recovery.all().find(({ snapshotId }) => snapshotId === recoverySnapshotId))
          .toMatchObject({ state: 'completed', tags: { [Tag.COPY_OF]: sourceSnapshotId, [Tag.POINT]: pointId, [Tag.MEMBER]: memberId } });
      }
    }
    expect(world.metrics).toEqual([]);
    expect(world.catalogue.lock).toBeUndefined();
  });

  test('follows a member to the machine of the next failover', async () => {
    const world = failedOver();
    await world.cycle(config);
    world.clock.advance(300);
    world.cloud.addInstance('i-r-new', recoveredTags('web/i-web', 5));
    await world.cycle(config);
    expect(complete(world).filter(({ memberId }) => memberId === 'web/i-web').map(({ instanceId }) => instanceId).sort()).toEqual(['i-r-new', 'i-r-web']);
  });

  test('takes nothing of what an earlier one found when it cannot see what is there now', async () => {
    const world = failedOver();
    await world.cycle(config);
    world.clock.advance(300);
    world.cloud.addInstance('i-r-new', recoveredTags('web/i-web', 5));
    const before = sets(world);
    world.cloud.failNext('source', 'DescribeInstances', 'throttled', 'RequestLimitExceeded');
    expect(await world.cycle(config)).toMatchObject({ status: 'DEGRADED', committed: 0, problems: [expect.stringContaining('Discovery in us-west-2 failed')] });
    expect(sets(world)).toBe(before);
  });

  test('is suspended while the source side is active', async () => {
    const world = failedOver();
    world.catalogue.leaseRow = { ...world.catalogue.leaseRow, active: 'source' };
    await expect(world.cycle(config)).rejects.toThrow('suspended: the source side is the active one');
  });

  test.each(['retry-step', 'new-execution'] as const)('killed at any call, then %s, it leaves whole points of the right machines', async (then) => {
    const calls = await callsOf(failedOver());
    for (let call = 1; call <= calls; call += 1) {
      for (const when of ['before', 'after'] as const) {
        const world = failedOver();
        await killed(world, { at: { call, when }, then });
        expect({ call, when, shown: [...new Set(shows(world).map((pair) => pair.join(' ')))] }).toEqual({ call, when, shown: ['db/i-db i-r-db', 'web/i-web i-r-web'] });
      }
    }
  });
});

async function callsOf(world: World): Promise<number> {
  await world.cycle(config);
  return world.calls;
}

async function killed(world: World, plan: KillPlan): Promise<void> {
  await world.cycle(config, plan);
  if (plan.then !== 'new-execution') return;
  world.clock.advance(300);
  await world.cycle(config);
}

describe('a cycle whose side stops being the active one', () => {
  const forward = cycleConfig();

  test.each([['forward', () => new World(slow, ['web']), forward, 'recovery'], ['return', () => failedOver(slow), config, 'source']] as const)(
    '%s: takes no more sets, says so, and goes on with those on their way', async (direction, make, given, other) => {
      const world = make();
      const { open } = await world.cycle(given) ?? {};
      world.clock.advance(300);
      // It is the active one when the cycle begins and, on the way back, when its machines are looked for.
      let looks = direction === 'forward' ? 1 : 2;
      const lease = world.catalogue.lease.bind(world.catalogue);
      world.catalogue.lease = async () => {
        looks -= 1;
        return looks < 0 ? { ...await lease(), active: other } : lease();
      };
      const before = sets(world);
      const summary = await world.cycle(given);
      expect(sets(world)).toBe(before);
      expect(open).toBeGreaterThan(0);
      expect(summary).toMatchObject({ status: 'DEGRADED', committed: open, problems: [expect.stringContaining('the other side has become the active one')] });
    });

  test('the lease is looked at again after ten seconds, by one of many at once; what is lost stays lost', async () => {
    const clock = new FakeClock();
    let [looks, active]: [number, 'source' | 'recovery'] = [0, 'source'];
    const lease = () => {
      looks += 1;
      return Promise.resolve({ ...FIRST_LEASE, active });
    };
    const side = new ActiveSide('forward', { lease, saveLease: () => Promise.resolve(false) }, clock.tools());
    expect(await Promise.all([side.holds(), side.holds(), side.holds()])).toEqual([true, true, true]);
    active = 'recovery';
    clock.advance(9);
    expect([await side.holds(), looks, side.isLost]).toEqual([true, 1, false]);
    clock.advance(1);
    expect([await side.holds(), looks, side.isLost]).toEqual([false, 2, true]);
    active = 'source';
    clock.advance(60);
    expect([await side.holds(), looks]).toEqual([false, 2]);
  });

  test('an intent of it is not tried again in the middle of a failback, and given up once the source side is back', async () => {
    const world = new World();
    world.cloud.source.createSet = () => {
      world.catalogue.leaseRow = { ...world.catalogue.leaseRow, active: 'recovery' };
      return Promise.reject(new Error('killed'));
    };
    await expect(world.cycle(forward)).rejects.toThrow('killed');
    Reflect.deleteProperty(world.cloud.source, 'createSet');
    const before = sets(world);
    world.clock.advance(300);
    await expect(world.cycle(forward)).rejects.toThrow('suspended');
    expect(sets(world)).toBe(before);
    world.catalogue.leaseRow = { ...world.catalogue.leaseRow, active: 'source' };
    expect(await world.cycle(forward)).toMatchObject({ committed: 3 });
    expect(world.catalogue.points().filter(({ state }) => state === 'FAILED').map(({ reason }) => reason)).toEqual(expect.arrayContaining(['its cycle ended before its snapshots were made']));
  });
});
