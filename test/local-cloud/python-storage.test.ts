import {
  CopySnapshotCommand, CreateSnapshotCommand, CreateSnapshotsCommand, CreateVolumeCommand, DeleteSnapshotCommand, DeregisterImageCommand,
  DescribeSnapshotsCommand, DescribeVolumesCommand, EC2Client, RegisterImageCommand, RunInstancesCommand,
} from '@aws-sdk/client-ec2';
import { EventBridgeClientLike, putRule } from './python-events';
import { PythonEmulator, until } from './python-emulator';

const BLOCK = 524_288;
const block = (text: string) => Buffer.alloc(BLOCK, text);
const IMAGE_ROOT_GIB = 8;

let emulator: PythonEmulator;
let source: EC2Client;
let recovery: EC2Client;

beforeAll(async () => {
  emulator = await PythonEmulator.start();
  source = new EC2Client(emulator.config('us-east-1'));
  recovery = new EC2Client(emulator.config('us-west-2'));
});
afterAll(() => emulator.stop());
beforeEach(async () => {
  await emulator.configure({ snapshotSeconds: 0.05, copySeconds: 0.05, copyLimit: 20, snapshotsPerVolume: 5, refusedRegions: [] });
  emulator.deliveries.length = 0;
});

async function volume(client = source, region = 'us-east-1', extra = {}): Promise<string> {
  return (await client.send(new CreateVolumeCommand({ AvailabilityZone: `${region}a`, Size: 1, VolumeType: 'gp3', ...extra }))).VolumeId!;
}

async function completed(client: EC2Client, id: string) {
  return until(async () => {
    const [found] = (await client.send(new DescribeSnapshotsCommand({ SnapshotIds: [id] }))).Snapshots ?? [];
    return found?.State === 'completed' && found;
  });
}

async function snapshot(volumeId: string): Promise<string> {
  const id = (await source.send(new CreateSnapshotCommand({ VolumeId: volumeId }))).SnapshotId!;
  await completed(source, id);
  return id;
}

async function machine(client = source): Promise<{ instanceId: string; volumeIds: string[] }> {
  const root = await snapshot(await volume(source, 'us-east-1', { Size: IMAGE_ROOT_GIB }));
  const { ImageId } = await client.send(new RegisterImageCommand({
    Name: `image ${root}`, Architecture: 'x86_64', VirtualizationType: 'hvm', RootDeviceName: '/dev/xvda',
    BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId: root } }, { DeviceName: '/dev/sdf', Ebs: { VolumeSize: 2 } }],
  }));
  const { Instances } = await client.send(new RunInstancesCommand({ ImageId, MinCount: 1, MaxCount: 1, InstanceType: 'm5.large' }));
  const instanceId = Instances![0]!.InstanceId!;
  const { Volumes } = await client.send(new DescribeVolumesCommand({ Filters: [{ Name: 'attachment.instance-id', Values: [instanceId] }] }));
  return { instanceId, volumeIds: Volumes!.map((v) => v.VolumeId!) };
}

test('a snapshot shows the volume at the instant of the call, and a volume made from it starts with those bytes', async () => {
  const original = await volume();
  expect(await emulator.writeDisk('us-east-1', original, 3, block('before'))).toBe(200);
  const { SnapshotId, State } = await source.send(new CreateSnapshotCommand({ VolumeId: original }));
  await emulator.writeDisk('us-east-1', original, 3, block('after'));
  expect(State).toBe('pending');
  await completed(source, SnapshotId!);

  const restored = await volume(source, 'us-east-1', { SnapshotId, Size: undefined });

  expect((await emulator.readDisk('us-east-1', restored, 3))?.equals(block('before'))).toBe(true);
  expect((await emulator.readDisk('us-east-1', original, 3))?.equals(block('after'))).toBe(true);
  await emulator.writeDisk('us-east-1', restored, 3, block('other'));
  expect((await emulator.readDisk('us-east-1', await volume(source, 'us-east-1', { SnapshotId, Size: undefined }), 3))?.equals(block('before'))).toBe(true);
});

test('a block beyond the end or of another length is refused', async () => {
  const id = await volume();
  expect(await emulator.writeDisk('us-east-1', id, 2048, block('x'))).toBe(400);
  expect(await emulator.writeDisk('us-east-1', id, 0, Buffer.alloc(512))).toBe(400);
  expect(await emulator.readDisk('us-east-1', id, 0)).toBeUndefined();
});

test('a copy is made in the Region that is called, under its key, with its own tags, and carries the bytes', async () => {
  const original = await volume();
  await emulator.writeDisk('us-east-1', original, 7, block('bytes'));
  const id = await snapshot(original);

  const { SnapshotId, Tags } = await recovery.send(new CopySnapshotCommand({
    SourceRegion: 'us-east-1', SourceSnapshotId: id, Encrypted: true,
    TagSpecifications: [{ ResourceType: 'snapshot', Tags: [{ Key: 'copy-of', Value: id }] }],
  }));

  expect(Tags).toEqual([{ Key: 'copy-of', Value: id }]);
  const copied = await completed(recovery, SnapshotId!);
  expect(copied).toMatchObject({ Encrypted: true, VolumeId: 'vol-ffffffff', VolumeSize: 1, Progress: '100%' });
  expect(copied.KmsKeyId).toMatch(/^arn:aws:kms:us-west-2:/);
  const restored = await volume(recovery, 'us-west-2', { SnapshotId, Size: undefined });
  expect((await emulator.readDisk('us-west-2', restored, 7))?.equals(block('bytes'))).toBe(true);
});

test('a pending snapshot cannot be copied', async () => {
  await emulator.configure({ snapshotSeconds: 5 });
  const { SnapshotId } = await source.send(new CreateSnapshotCommand({ VolumeId: await volume() }));
  await expect(recovery.send(new CopySnapshotCommand({ SourceRegion: 'us-east-1', SourceSnapshotId: SnapshotId }))).rejects.toMatchObject({ name: 'IncorrectState' });
});

test('a copy under a key of another Region ends in the state error', async () => {
  const id = await snapshot(await volume());
  const key = 'arn:aws:kms:us-east-1:123456789012:key/11111111-1111-1111-1111-111111111111';
  const { SnapshotId } = await recovery.send(new CopySnapshotCommand({ SourceRegion: 'us-east-1', SourceSnapshotId: id, Encrypted: true, KmsKeyId: key }));
  const failed = await until(async () => {
    const [found] = (await recovery.send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId!] }))).Snapshots!;
    return found!.State === 'error' && found;
  });
  expect(failed.StateMessage).toBe('Given key ID is not accessible');
});

test('one copy more than the quota is refused', async () => {
  await emulator.configure({ copySeconds: 2, copyLimit: 2 });
  const id = await snapshot(await volume());
  const copy = () => recovery.send(new CopySnapshotCommand({ SourceRegion: 'us-east-1', SourceSnapshotId: id }));
  const started = [await copy(), await copy()];
  await expect(copy()).rejects.toMatchObject({ name: 'ResourceLimitExceeded' });
  for (const { SnapshotId } of started) await completed(recovery, SnapshotId!);
  await copy();
});

test('a copy out of a Region that is lost goes on when the Region is back', async () => {
  const id = await snapshot(await volume());
  await emulator.configure({ refusedRegions: ['us-east-1'] });
  const { SnapshotId } = await recovery.send(new CopySnapshotCommand({ SourceRegion: 'us-east-1', SourceSnapshotId: id }));
  await new Promise((done) => setTimeout(done, 500));
  expect((await recovery.send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId!] }))).Snapshots![0]!.State).toBe('pending');
  await emulator.configure({ refusedRegions: [] });
  await completed(recovery, SnapshotId!);
});

test('CreateSnapshots takes all volumes of an instance, with tags, and tells of their completion once', async () => {
  await putRule(new EventBridgeClientLike(emulator, 'us-east-1'), { source: ['aws.ec2'], 'detail-type': ['EBS Multi-Volume Snapshots Completion Status'] });
  const { instanceId, volumeIds } = await machine();

  const { Snapshots } = await source.send(new CreateSnapshotsCommand({
    InstanceSpecification: { InstanceId: instanceId },
    TagSpecifications: [{ ResourceType: 'snapshot', Tags: [{ Key: 'point', Value: 'p1' }] }],
  }));

  expect(Snapshots!.map((s) => s.VolumeId).sort()).toEqual([...volumeIds].sort());
  expect(Snapshots!.every((s) => s.State === 'pending' && s.Tags?.[0]?.Value === 'p1')).toBe(true);
  expect(new Set(Snapshots!.map((s) => s.StartTime!.getTime())).size).toBe(1);
  const { event } = await until(() => emulator.deliveries[0]);
  expect(event).toMatchObject({ source: 'aws.ec2', region: 'us-east-1', detail: { event: 'createSnapshots', result: 'succeeded' } });
  expect((event.detail.snapshots as { snapshot_id: string }[]).map((s) => s.snapshot_id.split('/')[1]).sort()).toEqual(Snapshots!.map((s) => s.SnapshotId).sort());
  const { Snapshots: tagged } = await source.send(new DescribeSnapshotsCommand({ Filters: [{ Name: 'tag:point', Values: ['p0', 'p1'] }] }));
  expect(tagged).toHaveLength(volumeIds.length);
});

test('a volume has no more snapshots in progress than the quota', async () => {
  await emulator.configure({ snapshotSeconds: 3, snapshotsPerVolume: 1 });
  const id = await volume();
  await source.send(new CreateSnapshotCommand({ VolumeId: id }));
  await expect(source.send(new CreateSnapshotCommand({ VolumeId: id }))).rejects.toMatchObject({ name: 'ConcurrentSnapshotLimitExceeded' });
});

test('unknown ids are errors, pages hold what they are asked to', async () => {
  await expect(source.send(new DescribeSnapshotsCommand({ SnapshotIds: ['snap-00000000000000000'] }))).rejects.toMatchObject({ name: 'InvalidSnapshot.NotFound' });
  const id = await volume();
  for (let n = 0; n < 6; n++) await snapshot(id);
  const first = await source.send(new DescribeSnapshotsCommand({ MaxResults: 5, Filters: [{ Name: 'volume-id', Values: [id] }] }));
  expect(first.Snapshots).toHaveLength(5);
  const second = await source.send(new DescribeSnapshotsCommand({ MaxResults: 5, NextToken: first.NextToken, Filters: [{ Name: 'volume-id', Values: [id] }] }));
  expect(second.Snapshots).toHaveLength(1);
  expect(second.NextToken).toBeUndefined();
});

test('a snapshot that an image uses cannot be deleted until the image is deregistered', async () => {
  const id = await snapshot(await volume());
  const { ImageId } = await source.send(new RegisterImageCommand({
    Name: `in use ${id}`, Architecture: 'x86_64', VirtualizationType: 'hvm', RootDeviceName: '/dev/sda1',
    BlockDeviceMappings: [{ DeviceName: '/dev/sda1', Ebs: { SnapshotId: id } }],
  }));
  await expect(source.send(new DeleteSnapshotCommand({ SnapshotId: id }))).rejects.toMatchObject({ name: 'InvalidSnapshot.InUse' });
  await source.send(new DeregisterImageCommand({ ImageId }));
  await source.send(new DeleteSnapshotCommand({ SnapshotId: id }));
});
