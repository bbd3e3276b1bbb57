import type { CycleConfig } from '../../lambda/core/config';
import { Tag } from '../../lambda/core/tags';
import { RefusedCall } from '../../lambda/adapters/errors';
import { recover, runConfig, wave } from './fakes/run-driver';
import { cycleConfig, World } from './fakes/world';

const completePoints = (world: World) => world.catalogue.points().filter(({ state }) => state === 'COMPLETE');

describe('discovery', () => {
  test('asks for user data again only after a start', async () => {
    const world = new World();
    await world.cycle();
    const asked = world.cloud.count('source', 'DescribeInstanceAttribute');
    world.clock.advance(300);
    await world.cycle();
    expect(world.cloud.count('source', 'DescribeInstanceAttribute')).toBe(asked);
    world.cloud.instances.set('i-web', { ...world.cloud.instances.get('i-web')!, launchTime: '2030-01-01T00:30:00.000Z' });
    world.cloud.userDataOf.set('i-web', 'bmV3');
    world.clock.advance(300);
    await world.cycle();
    expect(world.cloud.count('source', 'DescribeInstanceAttribute')).toBe(asked + 1);
    expect(world.catalogue.memberRows.get('web/i-web')?.settings.userData).toBe('bmV3');
  });

  test('takes no snapshot of an endpoint that discovery did not find, and keeps its points', async () => {
    const world = new World();
    await world.cycle();
    world.cloud.instances.delete('i-db');
    world.clock.advance(300);
    const summary = await world.cycle();
    expect(summary).toMatchObject({ committed: 2, failed: 0, findings: 1 });
    expect(completePoints(world).some(({ memberId }) => memberId === 'db/i-db')).toBe(true);
  });

  test('an endpoint taken out of the project is protected no longer, keeps its points, and is recovered by name only', async () => {
    const world = new World();
    await world.cycle();
    world.clock.advance(300);
    const without = cycleConfig({ endpoints: cycleConfig().endpoints.filter(({ name }) => name !== 'db') });
    expect(await world.cycle(without)).toMatchObject({ status: 'SUCCEEDED', members: 2, committed: 2, findings: 0 });
    expect(completePoints(world).filter(({ memberId }) => memberId === 'db/i-db')).toHaveLength(1);
    const waves = [wave(['app', 'web'])];
    expect((await recover(world, runConfig({ waves }))).evidence.members.map(({ memberId }) => memberId).sort()).toEqual(['app/i-app', 'web/i-web']);
    const named = await recover(world, runConfig({ waves }), { name: 'run-2', request: { endpoints: ['db'] } });
    expect(named.evidence.members.map(({ memberId }) => memberId)).toEqual(['db/i-db']);
  });

  describe('a machine that is gone for good', () => {
    const fleet = cycleConfig({ endpoints: [{ name: 'web', tags: { app: 'web' }, single: false }] });
    const ofGone = (world: World) => completePoints(world).filter(({ memberId }) => memberId === 'web/i-2');
    const withoutOne = async () => {
      const world = new World(undefined, []);
      for (const id of ['i-1', 'i-2']) world.cloud.addInstance(id, { app: 'web' });
      await world.cycle(fleet);
      world.cloud.instances.delete('i-2');
      world.clock.advance(300);
      await world.cycle(fleet);
      return world;
    };

    test('is forgotten with its newest point too, when it has been missing for long', async () => {
      const world = await withoutOne();
      world.clock.advance(fleet.keepMissingSeconds - 300);
      await world.cycle(fleet);
      expect(ofGone(world)).toHaveLength(1);
      world.clock.advance(600);
      await world.cycle(fleet);
      expect(ofGone(world)).toEqual([]);
      expect([...world.catalogue.memberRows.keys()]).toEqual(['web/i-1']);
      expect(world.catalogue.progressRows.has('web/i-2')).toBe(false);
      expect([...world.cloud.source.all(), ...world.cloud.recovery.all()].filter(({ tags }) => tags[Tag.MEMBER] === 'web/i-2')).toEqual([]);
    });

    test('stays while a run uses a point of it', async () => {
      const world = await withoutOne();
      await world.catalogue.pin(ofGone(world)[0]!, 'run-1');
      world.clock.advance(fleet.keepMissingSeconds + 300);
      await world.cycle(fleet);
      expect(ofGone(world)).toHaveLength(1);
      await world.catalogue.unpin(ofGone(world)[0]!, 'run-1');
      world.clock.advance(300);
      await world.cycle(fleet);
      expect(ofGone(world)).toEqual([]);
      expect([...world.catalogue.memberRows.keys()]).toEqual(['web/i-1']);
    });

    test.each<[string, (world: World) => void]>([
      ['nothing of its endpoint is found', (world) => world.cloud.instances.clear()],
      ['discovery fails', (world) => { world.cloud.failNext('source', 'DescribeInstances', 'unreachable', 'TimeoutError'); }],
    ])('stays while %s', async (_, happens) => {
      const world = await withoutOne();
      world.clock.advance(fleet.keepMissingSeconds + 300);
      happens(world);
      await world.cycle(fleet);
      expect(ofGone(world)).toHaveLength(1);
    });
  });

  test('leaves machines alone that a recovery run has launched', async () => {
    const world = new World();
    world.cloud.addInstance('i-drill', { [Tag.PROJECT]: 'shop', [Tag.ENDPOINT]: 'web', [Tag.RUN]: 'r1' });
    expect(await world.cycle()).toMatchObject({ members: 3 });
  });

  test('names, from the first discovery on, what could not be recovered and what recovery would leave out', async () => {
    const findings = async (change: Parameters<World['cloud']['addInstance']>[3], config: Partial<CycleConfig> = {}) => {
      const world = new World(undefined, []);
      world.cloud.addInstance('i-1', { [Tag.PROJECT]: 'shop', [Tag.ENDPOINT]: 'web' }, 1, change);
      await world.cycle(cycleConfig({ endpoints: cycleConfig().endpoints.slice(0, 1), ...config }));
      return world.catalogue.memberRows.get('web/i-1')?.findings;
    };
    const withImage = { launch: { web: { baseImageId: 'ami-1' } } };
    const profile = { instanceProfileArn: 'arn:aws:iam::1:instance-profile/app' };
    expect(await findings({})).toEqual([]);
    for (const change of [{ platformDetails: 'Windows' }, { platformDetails: 'Red Hat Enterprise Linux' }, { platformDetails: 'SUSE Linux' }, { productCodes: ['abc'] }]) {
      expect(await findings(change)).toEqual([expect.stringContaining('Give endpoint "web" a base image')]);
      expect(await findings(change, withImage)).toEqual([]);
    }
    expect(await findings(profile)).toEqual([expect.stringContaining('no instance profile: the role arn:aws:iam::1:role/app is not among')]);
    expect(await findings(profile, { passableRoleArns: ['arn:aws:iam::1:role/app'] })).toEqual([]);
    expect(await findings(profile, { launch: { web: { instanceProfileArn: 'arn:other' } } })).toEqual([]);
  });

  test('reads each instance profile once a cycle: the role in it can change', async () => {
    const world = new World();
    for (const [id, instance] of world.cloud.instances) world.cloud.instances.set(id, { ...instance, instanceProfileArn: 'arn:aws:iam::1:instance-profile/app' });
    await world.cycle();
    expect(world.cloud.count('source', 'GetInstanceProfile')).toBe(1);
    world.cloud.roleOf = () => Promise.resolve('arn:aws:iam::1:role/new');
    world.clock.advance(300);
    await world.cycle();
    expect(world.catalogue.memberRows.get('web/i-web')?.settings.instanceRoleArn).toBe('arn:aws:iam::1:role/new');
    world.cloud.roleOf = () => Promise.reject(new RefusedCall('GetInstanceProfile', 'unreachable', 'TimeoutError', 'no answer'));
    world.clock.advance(300);
    expect(await world.cycle()).toMatchObject({ status: 'DEGRADED', committed: 3, problems: [expect.stringContaining('GetInstanceProfile: TimeoutError')] });
    expect(world.catalogue.memberRows.get('web/i-web')?.settings.instanceRoleArn).toBe('arn:aws:iam::1:role/new');
  });

  test('takes no machine that only resembles an endpoint\'s tags', async () => {
    const world = new World(undefined, []);
    world.cloud.addInstance('i-1', { app: 'web-1' });
    world.cloud.withTags = () => Promise.resolve([...world.cloud.instances.values()]);
    expect(await world.cycle(cycleConfig({ endpoints: [{ name: 'web', tags: { app: 'web-*' }, single: false }] }))).toMatchObject({ members: 0 });
  });

  test('names a second machine of an endpoint that is one machine', async () => {
    const world = new World();
    world.cloud.addInstance('i-web2', { [Tag.PROJECT]: 'shop', [Tag.ENDPOINT]: 'web' });
    expect(await world.cycle()).toMatchObject({ members: 4, findings: 2 });
  });
});
