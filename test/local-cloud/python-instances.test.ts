import {
  CreateReplaceRootVolumeTaskCommand, CreateSnapshotCommand, CreateVolumeCommand, DescribeImagesCommand, DescribeInstanceAttributeCommand, DescribeInstancesCommand,
  DescribeSnapshotsCommand, DescribeSubnetsCommand, DescribeVolumesCommand, EC2Client, RegisterImageCommand, RunInstancesCommand, TerminateInstancesCommand,
  type RunInstancesCommandInput,
} from '@aws-sdk/client-ec2';
import { CreateInstanceProfileCommand, GetInstanceProfileCommand, IAMClient } from '@aws-sdk/client-iam';
import { PythonEmulator, until } from './python-emulator';

const REGION = 'us-west-2';
const block = (text: string) => Buffer.alloc(524_288, text);

let emulator: PythonEmulator;
let ec2: EC2Client;
let subnetId: string;
let network: string;
let number = 0;

beforeAll(async () => {
  emulator = await PythonEmulator.start();
  ec2 = new EC2Client(emulator.config(REGION));
  await emulator.configure({ snapshotSeconds: 0 });
  const { Subnets } = await ec2.send(new DescribeSubnetsCommand({ Filters: [{ Name: 'availability-zone', Values: [`${REGION}a`] }] }));
  subnetId = Subnets![0]!.SubnetId!;
  network = Subnets![0]!.CidrBlock!.split('.').slice(0, 3).join('.');
});
afterAll(() => emulator.stop());
beforeEach(() => emulator.configure({ unavailableInstanceTypes: [] }));

async function snapshot(content?: Buffer, extra = {}): Promise<string> {
  const { VolumeId } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: `${REGION}a`, Size: 4, VolumeType: 'gp3', ...extra }));
  if (content) await emulator.writeDisk(REGION, VolumeId!, 0, content);
  const { SnapshotId } = await ec2.send(new CreateSnapshotCommand({ VolumeId }));
  await until(async () => (await ec2.send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId!] }))).Snapshots![0]!.State === 'completed');
  return SnapshotId!;
}

async function image(root: string, data: string[] = [], extra = {}): Promise<string> {
  const { ImageId } = await ec2.send(new RegisterImageCommand({
    Name: `image-${++number}`, Architecture: 'x86_64', VirtualizationType: 'hvm', RootDeviceName: '/dev/xvda', EnaSupport: true, BootMode: 'uefi',
    BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId: root, VolumeType: 'gp3' } }, ...data.map((SnapshotId, n) => ({ DeviceName: `/dev/sd${'fgh'[n]}`, Ebs: { SnapshotId } }))],
    TagSpecifications: [{ ResourceType: 'image', Tags: [{ Key: 'run', Value: 'r1' }] }], ...extra,
  }));
  return ImageId!;
}

async function launch(input: Partial<RunInstancesCommandInput>): Promise<string> {
  const { Instances } = await ec2.send(new RunInstancesCommand({ MinCount: 1, MaxCount: 1, InstanceType: 'm5.large', SubnetId: subnetId, ...input }));
  return Instances![0]!.InstanceId!;
}

async function describe(instanceId: string) {
  const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }));
  return Reservations![0]!.Instances![0]!;
}

async function disks(instanceId: string) {
  const { Volumes } = await ec2.send(new DescribeVolumesCommand({ Filters: [{ Name: 'attachment.instance-id', Values: [instanceId] }] }));
  return Object.fromEntries(Volumes!.map((v) => [v.Attachments![0]!.Device!, v]));
}

test('a registered image keeps what its request said', async () => {
  const [root, data] = [await snapshot(), await snapshot(undefined, { Encrypted: true })];
  const ImageId = await image(root, [data]);
  const { Images } = await ec2.send(new DescribeImagesCommand({ ImageIds: [ImageId] }));
  expect(Images![0]).toMatchObject({
    ImageId, State: 'available', Architecture: 'x86_64', BootMode: 'uefi', EnaSupport: true, VirtualizationType: 'hvm', RootDeviceName: '/dev/xvda', RootDeviceType: 'ebs',
    Tags: [{ Key: 'run', Value: 'r1' }],
    BlockDeviceMappings: [
      { DeviceName: '/dev/xvda', Ebs: { SnapshotId: root, VolumeSize: 4, VolumeType: 'gp3', DeleteOnTermination: true, Encrypted: false } },
      { DeviceName: '/dev/sdf', Ebs: { SnapshotId: data, VolumeSize: 4, Encrypted: true } },
    ],
  });
});

test.each([
  ['a second image of a name', { Name: 'twice' }, 'InvalidAMIName.Duplicate'],
  ['encryption of a device with a snapshot', { BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId: 'x', Encrypted: true } }] }, 'InvalidParameterCombination'],
  ['a root device without a mapping', { RootDeviceName: '/dev/sda1' }, 'InvalidBlockDeviceMapping'],
])('%s is refused', async (_, extra, name) => {
  const root = await snapshot();
  if (name === 'InvalidAMIName.Duplicate') await image(root, [], extra);
  await expect(image(root, [], extra)).rejects.toMatchObject({ name });
});

test('a machine starts from the snapshots of its image, with overriding mappings, tags, address, profile and user data', async () => {
  const iam = new IAMClient(emulator.config('us-east-1'));
  await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: 'shop' }));
  const { InstanceProfile } = await iam.send(new GetInstanceProfileCommand({ InstanceProfileName: 'shop' }));
  const [root, data] = [await snapshot(block('root')), await snapshot(block('data'), { Encrypted: true })];
  const ImageId = await image(root, [data]);

  const instanceId = await launch({
    ImageId, PrivateIpAddress: `${network}.77`, IamInstanceProfile: { Arn: InstanceProfile!.Arn }, UserData: Buffer.from('#!/bin/sh').toString('base64'),
    MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 2 }, EbsOptimized: true,
    BlockDeviceMappings: [{ DeviceName: '/dev/sdf', Ebs: { VolumeType: 'io2', Iops: 4000, VolumeSize: 10, DeleteOnTermination: false } }],
    TagSpecifications: ['instance', 'volume', 'network-interface'].map((ResourceType) => ({ ResourceType, Tags: [{ Key: 'run', Value: 'r2' }] }) as never),
  });

  expect(await describe(instanceId)).toMatchObject({
    State: { Name: 'running' }, PrivateIpAddress: `${network}.77`, SubnetId: subnetId, Architecture: 'x86_64', BootMode: 'uefi', EnaSupport: true, EbsOptimized: true,
    IamInstanceProfile: { Arn: InstanceProfile!.Arn }, MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 2 }, Tags: [{ Key: 'run', Value: 'r2' }],
    RootDeviceName: '/dev/xvda', PlatformDetails: 'Linux/UNIX', Placement: { AvailabilityZone: `${REGION}a` },
  });
  const { UserData } = await ec2.send(new DescribeInstanceAttributeCommand({ InstanceId: instanceId, Attribute: 'userData' }));
  expect(Buffer.from(UserData!.Value!, 'base64').toString()).toBe('#!/bin/sh');
  const found = await disks(instanceId);
  expect(found['/dev/xvda']).toMatchObject({ Size: 4, VolumeType: 'gp3', SnapshotId: root, Encrypted: false, Attachments: [{ DeleteOnTermination: true }], Tags: [{ Key: 'run', Value: 'r2' }] });
  expect(found['/dev/sdf']).toMatchObject({ Size: 10, VolumeType: 'io2', Iops: 4000, SnapshotId: data, Encrypted: true, Attachments: [{ DeleteOnTermination: false }] });
  expect(found['/dev/sdf']!.KmsKeyId).toMatch(/^arn:aws:kms:us-west-2:/);
  expect((await emulator.readDisk(REGION, found['/dev/xvda']!.VolumeId!, 0))?.equals(block('root'))).toBe(true);
  expect((await emulator.readDisk(REGION, found['/dev/sdf']!.VolumeId!, 0))?.equals(block('data'))).toBe(true);
});

test('a terminated machine gives back its address and the volumes that go with it', async () => {
  const ImageId = await image(await snapshot(), [await snapshot()]);
  const address = { ImageId, PrivateIpAddress: `${network}.78`, BlockDeviceMappings: [{ DeviceName: '/dev/sdf', Ebs: { DeleteOnTermination: false } }] };
  const instanceId = await launch(address);
  const before = await disks(instanceId);
  await expect(launch(address)).rejects.toMatchObject({ name: 'InvalidIPAddress.InUse' });
  await expect(launch({ ...address, PrivateIpAddress: `${network}.1` })).rejects.toMatchObject({ name: 'InvalidParameterValue' });

  await ec2.send(new TerminateInstancesCommand({ InstanceIds: [instanceId] }));

  expect((await describe(instanceId)).State!.Name).toBe('terminated');
  const { Volumes } = await ec2.send(new DescribeVolumesCommand({ VolumeIds: [before['/dev/sdf']!.VolumeId!] }));
  expect(Volumes![0]).toMatchObject({ State: 'available' });
  await expect(ec2.send(new DescribeVolumesCommand({ VolumeIds: [before['/dev/xvda']!.VolumeId!] }))).rejects.toMatchObject({ name: 'InvalidVolume.NotFound' });
  await launch(address);
});

test('a client token makes a launch once, and only for the same parameters', async () => {
  const ImageId = await image(await snapshot());
  const first = await launch({ ImageId, ClientToken: 'token-1' });
  expect(await launch({ ImageId, ClientToken: 'token-1' })).toBe(first);
  await expect(launch({ ImageId, ClientToken: 'token-1', InstanceType: 'm5.xlarge' })).rejects.toMatchObject({ name: 'IdempotentParameterMismatch' });
  expect(await launch({ ImageId, ClientToken: 'token-2' })).not.toBe(first);
});

test('what EC2 refuses at launch is refused, and leaves nothing behind', async () => {
  const ImageId = await image(await snapshot());
  const count = async () => (await ec2.send(new DescribeInstancesCommand({}))).Reservations!.length;
  const before = await count();
  await emulator.configure({ unavailableInstanceTypes: [{ region: REGION, instanceType: 'm5.large' }] });
  await expect(launch({ ImageId })).rejects.toMatchObject({ name: 'InsufficientInstanceCapacity' });
  await expect(launch({ ImageId, InstanceType: 'm6g.large' })).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  await expect(launch({ ImageId, InstanceType: 'm5.xlarge', KeyName: 'of-the-source' })).rejects.toMatchObject({ name: 'InvalidKeyPair.NotFound' });
  await expect(launch({ ImageId: 'ami-00000000000000000' })).rejects.toMatchObject({ name: 'InvalidAMIID.NotFound' });
  await expect(launch({ ImageId, InstanceType: 'm5.xlarge', IamInstanceProfile: { Name: 'none' } })).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  await expect(launch({ ImageId, InstanceType: 'm5.xlarge', BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 1 } }] })).rejects.toMatchObject({ name: 'InvalidBlockDeviceMapping' });
  expect(await count()).toBe(before);
});

test('a root volume is replaced by a snapshot of its lineage', async () => {
  const root = await snapshot(block('old'));
  const instanceId = await launch({ ImageId: await image(root) });
  const old = (await disks(instanceId))['/dev/xvda']!.VolumeId!;
  await emulator.writeDisk(REGION, old, 0, block('new'));
  const { SnapshotId } = await ec2.send(new CreateSnapshotCommand({ VolumeId: old }));
  await until(async () => (await ec2.send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId!] }))).Snapshots![0]!.State === 'completed');
  await emulator.writeDisk(REGION, old, 0, block('spoilt'));

  const { ReplaceRootVolumeTask } = await ec2.send(new CreateReplaceRootVolumeTaskCommand({ InstanceId: instanceId, SnapshotId, DeleteReplacedRootVolume: true }));

  expect(ReplaceRootVolumeTask).toMatchObject({ InstanceId: instanceId, TaskState: 'succeeded' });
  expect((await emulator.readDisk(REGION, (await disks(instanceId))['/dev/xvda']!.VolumeId!, 0))?.equals(block('new'))).toBe(true);
  await expect(ec2.send(new CreateReplaceRootVolumeTaskCommand({ InstanceId: instanceId, SnapshotId: await snapshot() }))).rejects.toMatchObject({ name: 'InvalidParameterValue' });
});
