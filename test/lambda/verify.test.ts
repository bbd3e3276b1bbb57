import { createHash } from 'node:crypto';
import { BlockSet } from '../../lambda/core/block-set';
import type { MachineSettings, RecoveryPoint, RunMember, RunRecord } from '../../lambda/core/model';
import type { BlockList, SnapshotBlocks, VerificationRecord, VerificationStore } from '../../lambda/adapters/ports/snapshot-blocks';
import { verifyDisks } from '../../lambda/run/failback/verify';
import { RefusedCall } from '../../lambda/adapters/errors';
import { failback } from './fakes/failback-driver';
import { Killed, Lifeline, type KillAt } from './fakes/lifeline';
import { runConfig } from './fakes/run-driver';
import { PROJECT, World } from './fakes/world';

const SIZE = 64;
const MEMBER = 'db/i-db';
const block = (text: string) => Buffer.alloc(SIZE, text);

/** Snapshots of one Region: bytes by block. */
class FakeBlocks implements SnapshotBlocks {
  readonly snapshots = new Map<string, Map<number, Buffer>>();
  read = 0;
  related = true;
  refuse?: RefusedCall;

  list(snapshotId: string): Promise<BlockList> {
    return this.ask(() => ({ blockSize: SIZE, volumeSizeGiB: 8, indexes: BlockSet.of(this.of(snapshotId).keys()) }));
  }

  changed(first: string, second: string) {
    return this.ask(() => (this.related ? BlockSet.of([...this.of(second)].filter(([index, bytes]) => !this.of(first).get(index)?.equals(bytes)).map(([index]) => index)) : undefined));
  }

  hashes(snapshotId: string, indexes: readonly number[]) {
    return this.ask(() => {
      const found = indexes.filter((index) => this.of(snapshotId).has(index));
      this.read += found.length;
      return new Map(found.map((index) => [index, createHash('sha256').update(this.of(snapshotId).get(index)!).digest('hex')]));
    });
  }

  private of(snapshotId: string): Map<number, Buffer> {
    return this.snapshots.get(snapshotId) ?? new Map<number, Buffer>();
  }

  private ask<T>(work: () => T): Promise<T> {
    const { refuse } = this;
    if (refuse === undefined) return Promise.resolve(work());
    this.refuse = undefined;
    return Promise.reject(refuse);
  }
}

class FakeVerifications implements VerificationStore {
  readonly rows = new Map<string, VerificationRecord>();

  verifications() {
    return Promise.resolve([...this.rows.values()]);
  }

  saveVerification(record: VerificationRecord) {
    this.rows.set(`${record.memberId}/${record.deviceName}`, record);
    return Promise.resolve();
  }
}

interface Scene {
  readonly world: World;
  readonly recovery: FakeBlocks;
  readonly source: FakeBlocks;
  readonly store: FakeVerifications;
}

const volume = (device: string, id: string) => ({
  deviceName: device, isRoot: device === '/dev/xvda', sourceVolumeId: `vol-${id}`, sizeGiB: 8, volumeType: 'gp3', deleteOnTermination: true, sourceSnapshotId: `snap-${id}`, recoverySnapshotId: `copy-${id}`,
});
const VOLUMES = [volume('/dev/xvda', 'root'), volume('/dev/sdf', 'data')];

/** Two disks of 400 and 40 blocks that came back as they were; ten blocks of the first were written after the first synchronisation. */
async function ready(): Promise<Scene> {
  const world = new World();
  const at = world.clock.now();
  const record: RunRecord = { project: PROJECT, runId: 'back', executionArn: 'arn', mode: 'failback', status: 'RUNNING', selection: { kind: 'newest' }, epoch: 2, startedAt: at, waves: [[MEMBER]] };
  const member: RunMember = {
    runId: 'back', memberId: MEMBER, endpoint: 'db', wave: 0, status: 'PLANNED', pointId: 'p-2', consistentAt: '2030-01-01T01:00:00.000Z', volumes: VOLUMES, settings: {} as MachineSettings,
    launchMethod: 'swapped-disks', attempt: 1, instanceType: 't3.small', subnetId: 'subnet', notes: [],
  };
  await world.catalogue.createRun(record);
  await world.catalogue.createRunMember(member);
  const lease = await world.catalogue.lease();
  await world.catalogue.saveLease({ ...lease, active: 'recovery', epoch: 2, epochOf: 'back', holder: { runId: 'back', executionArn: 'arn', mode: 'failback', since: at }, version: 1 }, lease);
  const earlier: RecoveryPoint = {
    project: PROJECT, memberId: MEMBER, pointId: 'p-1', cycleId: 'c', state: 'COMPLETE', createdAt: at, consistentAt: at, version: 1, volumes: VOLUMES.map((each) => ({ ...each, sourceSnapshotId: `${each.sourceSnapshotId}-1` })),
  };
  await world.back.createPoint(earlier);
  await world.back.createPoint({ ...earlier, pointId: 'p-2', createdAt: '2030-01-01T01:00:00.000Z', consistentAt: '2030-01-01T01:00:00.000Z', volumes: VOLUMES });
  const scene = { world, recovery: new FakeBlocks(), source: new FakeBlocks(), store: new FakeVerifications() };
  for (const [id, count] of [['root', 400], ['data', 40]] as const) {
    const bytes = (changed: string) => new Map(Array.from({ length: count }, (_, index) => [index * 3, block(index < 10 && id === 'root' ? changed : `same${index}`)]));
    scene.recovery.snapshots.set(`snap-${id}-1`, bytes('before'));
    scene.recovery.snapshots.set(`snap-${id}`, bytes('after'));
    scene.source.snapshots.set(`copy-${id}`, bytes('after'));
  }
  return scene;
}

async function verify({ world, recovery, source, store }: Scene, verifyBlocks?: number, killAt?: KillAt): Promise<{ calls: number; failure?: Error }> {
  const config = runConfig({ failback: { ...failback, ...(verifyBlocks === undefined ? {} : { verifyBlocks }) } });
  let line = new Lifeline(killAt);
  for (let turns = 0; turns < 100; turns += 1) {
    const catalogue = line.wrap(world.catalogue);
    const ports = { runs: catalogue, leases: catalogue, back: { points: line.wrap(world.back) }, verifications: line.wrap(store), recovery: line.wrap(recovery), source: line.wrap(source) };
    try {
      const { done, waitSeconds } = await verifyDisks({ config, run: { runId: 'back', mode: 'failback', epoch: 2, waves: [0] } }, ports, world.tools());
      if (done) return { calls: line.calls };
      world.clock.advance(waitSeconds);
    } catch (error) {
      if (!(error instanceof Killed)) return { calls: line.calls, failure: error as Error };
      line = new Lifeline();
    }
  }
  throw new Error('the loop does not end');
}

const verified = async ({ world }: Scene) => (await world.catalogue.runMembers('back'))[0]?.verified;
const detail = async ({ world }: Scene) => (await world.catalogue.steps('back')).find(({ name }) => name === 'verify')?.detail;

test('equal disks are equal in every block, and the member and the step say so', async () => {
  const scene = await ready();
  expect(await verify(scene)).not.toHaveProperty('failure');
  expect(await verified(scene)).toEqual({ blocks: 440, of: 440 });
  expect(await detail(scene)).toBe('440 of 440 blocks of 2 disks equal');
  expect(scene.source.read).toBe(440);
});

test('a sample reads what changed between the synchronisations and so many others', async () => {
  const scene = await ready();
  await verify(scene, 20);
  expect(await verified(scene)).toEqual({ blocks: 10 + 20 + 20, of: 440 });
  expect(scene.source.read).toBe(50);
});

test('where EBS cannot tell what changed, the sample alone is read', async () => {
  const scene = await ready();
  scene.recovery.related = false;
  await verify(scene, 20);
  expect(await verified(scene)).toEqual({ blocks: 40, of: 440 });
});

test('one block that differs ends the failback, by name', async () => {
  const scene = await ready();
  scene.source.snapshots.get('copy-data')!.set(6, block('rotten'));
  expect((await verify(scene)).failure).toMatchObject({ name: 'VerifyFailed', message: expect.stringMatching(/db\/i-db, \/dev\/sdf: what came back to us-east-1 is not .*: blocks 6 differ/) });
});

test('a changed block that differs is found by a sample of one', async () => {
  const scene = await ready();
  scene.source.snapshots.get('copy-root')!.set(9, block('before'));
  expect((await verify(scene, 1)).failure).toMatchObject({ name: 'VerifyFailed', message: expect.stringContaining('blocks 9 differ') });
});

test('a block that one side does not list must be zeros on the other', async () => {
  const scene = await ready();
  scene.source.snapshots.get('copy-data')!.set(1, Buffer.alloc(SIZE));
  expect(await verify(scene)).not.toHaveProperty('failure');
  const other = await ready();
  other.source.snapshots.get('copy-data')!.delete(6);
  expect((await verify(other)).failure).toMatchObject({ name: 'VerifyFailed', message: expect.stringContaining('blocks 6 differ') });
});

test('killed at any of its calls it goes on, and reads little twice', async () => {
  const { calls } = await verify(await ready(), 20);
  for (let call = 1; call <= calls; call += 1) {
    for (const when of ['before', 'after'] as const) {
      const scene = await ready();
      expect(await verify(scene, 20, { call, when })).not.toHaveProperty('failure');
      expect(await verified(scene)).toEqual({ blocks: 50, of: 440 });
    }
  }
}, 60_000);

test('throttled it waits; what may not be read ends it; a disk that is compared is not read again', async () => {
  const scene = await ready();
  scene.source.refuse = new RefusedCall('GetSnapshotBlock', 'throttled', 'RequestThrottledException', 'slow down');
  expect(await verify(scene)).not.toHaveProperty('failure');
  const denied = await ready();
  denied.source.refuse = new RefusedCall('ListSnapshotBlocks', 'denied', 'AccessDeniedException', 'no');
  expect((await verify(denied)).failure).toMatchObject({ name: 'VerifyFailed', message: expect.stringContaining('AccessDeniedException') });
  const read = scene.source.read;
  await verify(scene);
  expect(scene.source.read).toBe(read);
});

test('throttled for long it goes on as long as it gets anywhere, and ends when it gets nowhere', async () => {
  const throttled = () => new RefusedCall('GetSnapshotBlock', 'throttled', 'RequestThrottledException', 'slow down');
  const hashes = (scene: Scene, answers: boolean) => {
    const read = scene.source.hashes.bind(scene.source);
    let isTurn = true;
    scene.source.hashes = (snapshotId, indexes) => {
      scene.world.clock.advance(1200);
      isTurn = !isTurn;
      return answers && isTurn ? read(snapshotId, indexes) : Promise.reject(throttled());
    };
  };
  const slow = await ready();
  hashes(slow, true);
  expect(await verify(slow)).not.toHaveProperty('failure');
  expect(await verified(slow)).toEqual({ blocks: 440, of: 440 });
  const stuck = await ready();
  hashes(stuck, false);
  expect((await verify(stuck)).failure).toMatchObject({ name: 'VerifyFailed', message: expect.stringContaining('RequestThrottledException') });
});
