import {
  CopySnapshotCommand, CreateSnapshotsCommand, DeleteSnapshotCommand, DescribeImagesCommand, DescribeInstancesCommand, DescribeSnapshotsCommand, EC2Client,
  RegisterImageCommand, RunInstancesCommand, DescribeInstanceStatusCommand, GetInstanceUefiDataCommand, DeregisterImageCommand,
} from '@aws-sdk/client-ec2';
import { mockClient } from 'aws-sdk-client-mock';
import { Ec2Recovery } from '../../../lambda/adapters/ec2-recovery';
import { Ec2RecoverySnapshots, Ec2SourceSnapshots } from '../../../lambda/adapters/ec2-snapshots';
import { Ec2Source } from '../../../lambda/adapters/ec2-source';
import type { LaunchSpec } from '../../../lambda/adapters/ports/recovery-machines';

const ec2 = mockClient(EC2Client);
const client = new EC2Client({ region: 'us-west-2' });
const refusal = (name: string) => Object.assign(new Error('refused'), { name, Code: name, $metadata: { httpStatusCode: 400 } });
const input = (command: Parameters<typeof ec2.commandCalls>[0]): object => ec2.commandCalls(command)[0]!.args[0].input as object;

beforeEach(() => ec2.reset());

describe('snapshots', () => {
  test('are described by filters of 200 values, all pages, ours only', async () => {
    ec2.on(DescribeSnapshotsCommand).resolvesOnce({ Snapshots: [{ SnapshotId: 's1', State: 'completed', Tags: [{ Key: 'a', Value: 'b' }] }], NextToken: 'more' })
      .resolves({ Snapshots: [] });
    const found = await new Ec2SourceSnapshots(client).withTag('disaster-recovery:point', Array.from({ length: 450 }, (_, i) => `p-${i}`));
    expect(found).toEqual([expect.objectContaining({ snapshotId: 's1', state: 'completed', tags: { a: 'b' } })]);
    const calls = ec2.commandCalls(DescribeSnapshotsCommand).map(({ args }) => args[0].input);
    expect(calls.map(({ Filters }) => Filters?.[0]?.Values?.length)).toEqual([200, 200, 200, 50]);
    expect(calls[0]).toMatchObject({ OwnerIds: ['self'], MaxResults: 1000, Filters: [{ Name: 'tag:disaster-recovery:point' }] });
    expect(calls[1]).toMatchObject({ NextToken: 'more' });
  });

  test('a set is made of all volumes of an instance, tagged as it is made', async () => {
    ec2.on(CreateSnapshotsCommand).resolves({ Snapshots: [{ SnapshotId: 's1', VolumeId: 'v1', StartTime: new Date('2030-01-01T00:00:00Z') }] });
    expect(await new Ec2SourceSnapshots(client).createSet({ instanceId: 'i-1', description: 'd', tags: { k: 'v' } })).toEqual([
      { snapshotId: 's1', volumeId: 'v1', startTime: '2030-01-01T00:00:00.000Z' },
    ]);
    expect(input(CreateSnapshotsCommand)).toEqual({
      InstanceSpecification: { InstanceId: 'i-1' }, Description: 'd', TagSpecifications: [{ ResourceType: 'snapshot', Tags: [{ Key: 'k', Value: 'v' }] }],
    });
  });

  test('a copy is encrypted under the target key', async () => {
    ec2.on(CopySnapshotCommand).resolves({ SnapshotId: 's2' });
    const snapshots = new Ec2RecoverySnapshots(client);
    expect(await snapshots.copy({ sourceRegion: 'us-east-1', sourceSnapshotId: 's1', keyArn: 'key', description: 'd', tags: { k: 'v' } })).toBe('s2');
    expect(input(CopySnapshotCommand)).toMatchObject({ SourceRegion: 'us-east-1', SourceSnapshotId: 's1', Encrypted: true, KmsKeyId: 'key' });
  });

  test.each([
    ['ResourceLimitExceeded', 'quota'], ['RequestLimitExceeded', 'throttled'], ['UnauthorizedOperation', 'denied'], ['InvalidSnapshot.NotFound', 'not-found'],
    ['InvalidParameterValue', 'invalid'], ['TimeoutError', 'unreachable'],
  ])('%s is %s', async (code, kind) => {
    ec2.on(CopySnapshotCommand).rejects(refusal(code));
    await expect(new Ec2RecoverySnapshots(client).copy({ sourceRegion: 'r', sourceSnapshotId: 's', keyArn: 'k', description: '', tags: {} }))
      .rejects.toMatchObject({ name: 'RefusedCall', operation: 'CopySnapshot', kind, code });
  });

  test('a socket that nobody answers is an unreachable Region', async () => {
    ec2.on(DescribeSnapshotsCommand).rejects(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
    await expect(new Ec2SourceSnapshots(client).withIds(['s'])).rejects.toMatchObject({ kind: 'unreachable', code: 'ECONNREFUSED' });
  });

  test('deleting says what came of it', async () => {
    const snapshots = new Ec2SourceSnapshots(client);
    ec2.on(DeleteSnapshotCommand).resolvesOnce({}).rejectsOnce(refusal('InvalidSnapshot.NotFound')).rejects(refusal('InvalidSnapshot.InUse'));
    expect([await snapshots.remove('s'), await snapshots.remove('s'), await snapshots.remove('s')]).toEqual(['removed', 'absent', 'in-use']);
  });

  test('a deletion that is denied because the snapshot, and with it its tags, is gone already is no denial', async () => {
    const snapshots = new Ec2SourceSnapshots(client);
    ec2.on(DeleteSnapshotCommand).rejects(refusal('UnauthorizedOperation'));
    ec2.on(DescribeSnapshotsCommand).resolvesOnce({ Snapshots: [] }).resolves({ Snapshots: [{ SnapshotId: 's', State: 'completed' }] });
    expect(await snapshots.remove('s')).toBe('absent');
    await expect(snapshots.remove('s')).rejects.toMatchObject({ kind: 'denied' });
    expect(ec2.commandCalls(DescribeSnapshotsCommand)[0]!.args[0].input).toMatchObject({ Filters: [{ Name: 'snapshot-id', Values: ['s'] }] });
  });
});

describe('the source\'s machines', () => {
  test('are found by all tags, with what a launch needs', async () => {
    ec2.on(DescribeInstancesCommand).resolves({
      Reservations: [{
        Instances: [{
          InstanceId: 'i-1', InstanceType: 'm7g.large', Architecture: 'arm64', VirtualizationType: 'hvm', RootDeviceName: '/dev/xvda', BootMode: 'uefi-preferred',
          CurrentInstanceBootMode: 'uefi', EnaSupport: true, PlatformDetails: 'Linux/UNIX', PrivateIpAddress: '10.0.0.5', KeyName: 'k', EbsOptimized: true,
          IamInstanceProfile: { Arn: 'arn:profile' }, MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 2 },
          LaunchTime: new Date('2030-01-01T00:00:00Z'), Tags: [{ Key: 'app', Value: 'web' }],
          BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeId: 'vol-1', DeleteOnTermination: true } }],
        }],
      }],
    });
    expect(await new Ec2Source(client).withTags({ app: 'web' })).toEqual([expect.objectContaining({
      instanceId: 'i-1', bootMode: 'uefi', httpTokens: 'required', httpPutResponseHopLimit: 2, instanceProfileArn: 'arn:profile', launchTime: '2030-01-01T00:00:00.000Z',
      tags: { app: 'web' }, volumes: [{ deviceName: '/dev/xvda', volumeId: 'vol-1', deleteOnTermination: true }],
    })]);
    expect(input(DescribeInstancesCommand)).toMatchObject({
      Filters: [{ Name: 'tag:app', Values: ['web'] }, { Name: 'instance-state-name', Values: ['pending', 'running', 'stopping', 'stopped'] }],
    });
  });

  test('by tags whose values have wildcards in them asks for the values as they are', async () => {
    ec2.on(DescribeInstancesCommand).resolves({});
    await new Ec2Source(client).withTags({ app: String.raw`web-*?\1` });
    expect(input(DescribeInstancesCommand)).toMatchObject({ Filters: [{ Name: 'tag:app', Values: [String.raw`web-\*\?\\1`] }, {}] });
  });

  test('without stored UEFI variables is no error, without permission is', async () => {
    ec2.on(GetInstanceUefiDataCommand).rejectsOnce(refusal('UnsupportedOperation')).rejects(refusal('UnauthorizedOperation'));
    expect(await new Ec2Source(client).uefiData('i-1')).toBeUndefined();
    await expect(new Ec2Source(client).uefiData('i-1')).rejects.toMatchObject({ kind: 'denied' });
  });
});

describe('recovery', () => {
  const recovery = new Ec2Recovery(client);
  const image = {
    name: 'dr-shop', description: 'd', architecture: 'arm64', virtualizationType: 'hvm', rootDeviceName: '/dev/xvda', bootMode: 'uefi', enaSupport: true, uefiData: 'dWVmaQ==',
    disks: [
      { deviceName: '/dev/xvda', snapshotId: 's1', volumeType: 'gp3', sizeGiB: 8, iops: 3000, throughput: 125, deleteOnTermination: true },
      { deviceName: '/dev/sdf', snapshotId: 's2', volumeType: 'gp2', sizeGiB: 100, iops: 300, deleteOnTermination: false },
    ],
    tags: { t: 'v' },
  };
  const launch: LaunchSpec = {
    clientToken: 'token', imageId: 'ami-1', instanceType: 'm7g.large', subnetId: 'subnet-1', privateIp: '10.0.0.5', securityGroupIds: ['sg-1'],
    instanceProfileArn: 'arn:profile', userData: 'dXNlcg==', httpTokens: 'required', httpPutResponseHopLimit: 2, ebsOptimized: true, capacityReservationId: 'cr-1', disks: [], tags: { t: 'v' },
  };

  test('an image carries all disks as they were, and leaves encryption to the snapshot', async () => {
    ec2.on(RegisterImageCommand).resolves({ ImageId: 'ami-1' });
    expect(await recovery.registerImage(image)).toBe('ami-1');
    expect(input(RegisterImageCommand)).toMatchObject({
      Name: 'dr-shop', Architecture: 'arm64', RootDeviceName: '/dev/xvda', BootMode: 'uefi', EnaSupport: true, UefiData: 'dWVmaQ==', VirtualizationType: 'hvm',
      BlockDeviceMappings: [
        { DeviceName: '/dev/xvda', Ebs: { SnapshotId: 's1', VolumeSize: 8, VolumeType: 'gp3', Iops: 3000, Throughput: 125, DeleteOnTermination: true } },
        // gp2 has IOPS that EC2 reports and does not accept.
        { DeviceName: '/dev/sdf', Ebs: { SnapshotId: 's2', VolumeSize: 100, VolumeType: 'gp2', Iops: undefined, Throughput: undefined, DeleteOnTermination: false } },
      ],
      TagSpecifications: [{ ResourceType: 'image', Tags: [{ Key: 't', Value: 'v' }] }],
    });
    expect(JSON.stringify(input(RegisterImageCommand))).not.toContain('Encrypted');
  });

  test('an image that is there already is found by its name', async () => {
    ec2.on(RegisterImageCommand).rejects(refusal('InvalidAMIName.Duplicate'));
    ec2.on(DescribeImagesCommand).resolvesOnce({ Images: [{ ImageId: 'ami-8', State: 'deregistered' }, { ImageId: 'ami-9', Name: 'dr-shop', State: 'available' }] })
      .resolves({ Images: [{ ImageId: 'ami-8', Name: 'dr-shop', State: 'deregistered' }] });
    expect(await recovery.registerImage(image)).toBe('ami-9');
    expect(input(DescribeImagesCommand)).toMatchObject({ Owners: ['self'], Filters: [{ Name: 'name', Values: ['dr-shop'] }] });
    await expect(recovery.registerImage(image)).rejects.toMatchObject({ kind: 'not-ready' });
  });

  test('a launch has its token, its place and its tags on all that it makes', async () => {
    ec2.on(RunInstancesCommand).resolves({ Instances: [{ InstanceId: 'i-1', State: { Name: 'pending' }, PrivateIpAddress: '10.0.0.5' }] });
    expect(await recovery.launch(launch)).toMatchObject({ instanceId: 'i-1', state: 'pending', privateIp: '10.0.0.5' });
    expect(input(RunInstancesCommand)).toMatchObject({
      ClientToken: 'token', MinCount: 1, MaxCount: 1, ImageId: 'ami-1', InstanceType: 'm7g.large', SubnetId: 'subnet-1', PrivateIpAddress: '10.0.0.5', SecurityGroupIds: ['sg-1'],
      IamInstanceProfile: { Arn: 'arn:profile' }, UserData: 'dXNlcg==', MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 2 }, EbsOptimized: true,
      CapacityReservationSpecification: { CapacityReservationTarget: { CapacityReservationId: 'cr-1' } },
      TagSpecifications: ['instance', 'volume', 'network-interface'].map((ResourceType) => ({ ResourceType, Tags: [{ Key: 't', Value: 'v' }] })),
    });
  });

  test.each([
    ['InsufficientInstanceCapacity', 'capacity'], ['InvalidIPAddress.InUse', 'address-in-use'], ['InvalidAMIID.Unavailable', 'not-ready'],
    ['InsufficientFreeAddressesInSubnet', 'subnet-full'], ['RequestThrottled', 'throttled'], ['ThrottledException', 'throttled'],
  ])('%s is %s', async (code, kind) => {
    ec2.on(RunInstancesCommand).rejects(refusal(code));
    await expect(recovery.launch(launch)).rejects.toMatchObject({ kind });
  });

  test('a machine is healthy when it runs and both checks of EC2 pass; 100 are asked for at a time', async () => {
    ec2.on(DescribeInstanceStatusCommand).resolves({
      InstanceStatuses: [
        { InstanceId: 'i-1', InstanceState: { Name: 'running' }, InstanceStatus: { Status: 'ok' }, SystemStatus: { Status: 'ok' } },
        { InstanceId: 'i-2', InstanceState: { Name: 'running' }, InstanceStatus: { Status: 'initializing' }, SystemStatus: { Status: 'ok' } },
      ],
    });
    const statuses = await recovery.statuses(Array.from({ length: 150 }, (_, i) => `i-${i}`));
    expect(statuses.slice(0, 2)).toEqual([expect.objectContaining({ instanceId: 'i-1', ok: true }), expect.objectContaining({ ok: false, detail: 'instance initializing, system ok, running' })]);
    expect(ec2.commandCalls(DescribeInstanceStatusCommand).map(({ args }) => args[0].input.InstanceIds?.length)).toEqual([100, 50]);
  });

  test('an image that is gone is gone', async () => {
    ec2.on(DeregisterImageCommand).rejects(refusal('InvalidAMIID.NotFound'));
    expect(await recovery.deregisterImage('ami-1')).toBe('absent');
  });
});
