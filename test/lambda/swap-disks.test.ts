import { Tag } from '../../lambda/core/tags';
import type { MachineSettings, RunMember, RunRecord } from '../../lambda/core/model';
import { launchWave } from '../../lambda/run/launch';
import { RefusedCall } from '../../lambda/adapters/errors';
import { Killed, Lifeline, type KillAt } from './fakes/lifeline';
import { runConfig } from './fakes/run-driver';
import { failback } from './fakes/failback-driver';
import { PROJECT, World } from './fakes/world';

const ORIGINAL = 'i-orig';
const RUN = { runId: 'back', mode: 'failback' as const, epoch: 2, waves: [0] };
const config = runConfig({ failback });
const disk = (deviceName: string, snapshot: string, isRoot = false) => ({
  deviceName, isRoot, sourceVolumeId: `vol-of-${snapshot}`, sizeGiB: 8, volumeType: 'gp3', deleteOnTermination: isRoot, sourceSnapshotId: `${snapshot}-r`, recoverySnapshotId: snapshot,
});
const VOLUMES = [disk('/dev/xvda', 'snap-root', true), disk('/dev/sdf', 'snap-data'), disk('/dev/sdg', 'snap-new')];

/** The machine of the source side, stopped, with a root, a data disk, and one that its recovered twin does not have any more. */
async function ready(): Promise<World> {
  const world = new World();
  const rows = world.machines;
  for (const [volumeId, deviceName] of [['vol-old-root', '/dev/xvda'], ['vol-old-data', '/dev/sdf'], ['vol-old-extra', '/dev/sdz']] as const) {
    rows.volumeRows.set(volumeId, { volumeId, snapshotId: 'snap-old', state: 'in-use', tags: {}, attachedTo: ORIGINAL });
    rows.machineRows.set(ORIGINAL, {
      instanceId: ORIGINAL, spec: { tags: {}, privateIp: '10.0.0.7' } as never, state: 'stopped', since: 0, volumes: [...rows.machineRows.get(ORIGINAL)?.volumes ?? [], { deviceName, volumeId }],
    });
  }
  const at = world.clock.now();
  const record: RunRecord = {
    project: PROJECT, runId: 'back', executionArn: 'arn', mode: 'failback', status: 'RUNNING', selection: { kind: 'newest' }, epoch: 2, startedAt: at, waves: [[`db/${ORIGINAL}`]],
  };
  const member: RunMember = {
    runId: 'back', memberId: `db/${ORIGINAL}`, endpoint: 'db', wave: 0, status: 'PLANNED', pointId: 'p', consistentAt: at, volumes: VOLUMES, settings: { instanceType: 't3.small' } as MachineSettings,
    launchMethod: 'swapped-disks', attempt: 1, instanceType: 't3.small', subnetId: 'subnet-1', notes: [],
  };
  await world.catalogue.createRun(record);
  await world.catalogue.createRunMember(member);
  const lease = await world.catalogue.lease();
  await world.catalogue.saveLease({ ...lease, active: 'recovery', epoch: 2, epochOf: 'back', holder: { runId: 'back', executionArn: 'arn', mode: 'failback', since: at }, version: lease.version + 1 }, lease);
  return world;
}

/** The step until it is done; a killed one is called again. @returns calls of the last process */
async function launch(world: World, killAt?: KillAt): Promise<number> {
  let line = new Lifeline(killAt);
  for (let turns = 0; turns < 100; turns += 1) {
    const catalogue = line.wrap(world.catalogue);
    const machines = line.wrap(world.machines);
    try {
      const { done, waitSeconds } = await launchWave({ config, run: RUN, wave: 0 }, { runs: catalogue, leases: catalogue, machines, roots: machines }, world.tools());
      if (done) return line.calls;
      world.clock.advance(waitSeconds);
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      line = new Lifeline();
      world.clock.advance(2);
    }
  }
  throw new Error('the loop does not end');
}

const memberOf = async (world: World): Promise<RunMember> => (await world.catalogue.runMembers('back'))[0]!;
const attached = (world: World): Record<string, string | undefined> => Object.fromEntries((world.machines.machineRows.get(ORIGINAL)?.volumes ?? [])
  .map(({ deviceName, volumeId }): [string, string | undefined] => [deviceName, world.machines.volumeRows.get(volumeId)?.snapshotId]).sort(([a], [b]) => (a < b ? -1 : 1)));

async function expectSwapped(world: World): Promise<void> {
  expect(attached(world)).toEqual({ '/dev/sdf': 'snap-data', '/dev/sdg': 'snap-new', '/dev/xvda': 'snap-root' });
  const volumes = [...world.machines.volumeRows.values()];
  expect(volumes.filter(({ tags }) => tags[Tag.RUN] === 'back')).toHaveLength(3);
  const old = volumes.filter(({ volumeId }) => volumeId.startsWith('vol-old'));
  expect(old.map(({ volumeId, state, tags }) => [volumeId, state, tags[Tag.REPLACED_BY], tags[Tag.PROJECT]])).toEqual(
    ['vol-old-root', 'vol-old-data', 'vol-old-extra'].map((id) => [id, 'available', 'back', PROJECT]));
  const member = await memberOf(world);
  expect(member).toMatchObject({ status: 'RUNNING', instanceId: ORIGINAL, actualPrivateIp: '10.0.0.7' });
  expect(member.keptVolumes?.map(({ volumeId }) => volumeId).sort()).toEqual(['vol-old-data', 'vol-old-extra', 'vol-old-root']);
  expect(world.machines.machineRows.get(ORIGINAL)?.state).toBe('running');
}

test('the machine starts from the disks that came back; those that were in it are marked and kept', async () => {
  const world = await ready();
  await launch(world);
  await expectSwapped(world);
  const [root] = [...world.machines.volumeRows.values()].filter(({ snapshotId }) => snapshotId === 'snap-root');
  expect(root).toMatchObject({ deleteOnTermination: true });
  expect(Number(world.machines.volumeRows.get('vol-old-data')?.tags[Tag.EXPIRES_AT])).toBeGreaterThan(Date.parse(world.clock.now()) / 1000);
});

test('killed at any of its calls, it neither makes a disk twice nor loses one', async () => {
  const calls = await launch(await ready());
  expect(calls).toBeGreaterThan(20);
  for (let call = 1; call <= calls; call += 1) {
    for (const when of ['before', 'after'] as const) {
      const world = await ready();
      await launch(world, { call, when });
      await expectSwapped(world);
    }
  }
}, 120_000);

test('disks of a failback that failed are taken out as any others', async () => {
  const world = await ready();
  await launch(world);
  world.machines.machineRows.get(ORIGINAL)!.state = 'stopped';
  const [member] = await world.catalogue.runMembers('back');
  await world.catalogue.saveRunMember({ ...member!, status: 'PLANNED', volumes: VOLUMES.map((each) => ({ ...each, recoverySnapshotId: `${each.recoverySnapshotId}-2` })), keptVolumes: undefined }, member!);
  await launch(world);
  expect(attached(world)).toEqual({ '/dev/sdf': 'snap-data-2', '/dev/sdg': 'snap-new-2', '/dev/xvda': 'snap-root-2' });
});

test('a machine that runs from other disks is not touched', async () => {
  const world = await ready();
  world.machines.machineRows.get(ORIGINAL)!.state = 'running';
  await expect(launch(world)).rejects.toMatchObject({ name: 'LaunchFailed', message: expect.stringContaining('is running from other disks than those that came back') });
  expect(attached(world)).toMatchObject({ '/dev/xvda': 'snap-old' });
});

test('a machine that was terminated meanwhile fails with the reason', async () => {
  const world = await ready();
  world.machines.end(ORIGINAL, 'Client.UserInitiatedShutdown', 'User initiated');
  await expect(launch(world)).rejects.toMatchObject({ name: 'LaunchFailed', message: expect.stringContaining('was terminated') });
});

test('a run that a newer one has overtaken takes nothing out', async () => {
  const world = await ready();
  const lease = await world.catalogue.lease();
  await world.catalogue.saveLease({ ...lease, epoch: 3, epochOf: 'other', holder: { ...lease.holder!, runId: 'other' }, version: lease.version + 1 }, lease);
  await expect(launch(world)).rejects.toMatchObject({ name: 'StaleEpoch' });
  expect(attached(world)).toMatchObject({ '/dev/xvda': 'snap-old', '/dev/sdz': 'snap-old' });
});

test('what EC2 refuses for now is tried again', async () => {
  const world = await ready();
  const attach = world.machines.attach.bind(world.machines);
  let refused = 0;
  world.machines.attach = (...args) => {
    if (refused < 3) {
      refused += 1;
      return Promise.reject(new RefusedCall('AttachVolume', 'throttled', 'RequestLimitExceeded', 'slow down'));
    }
    return attach(...args);
  };
  await launch(world);
  await expectSwapped(world);
});
