import { CreateVolumeCommand, DescribeVolumesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { existsSync } from 'node:fs';
import { BLOCK_BYTES, LocalCloud } from '../../local-cloud';
import { Children } from '../../local-cloud/process/children';
import { runs } from './support/processes';

describe('a running local cloud', () => {
  let cloud: LocalCloud;
  let ec2: EC2Client;
  beforeAll(async () => {
    cloud = await LocalCloud.start({ copyLimit: 5 });
    ec2 = new EC2Client(cloud.clientConfig('us-east-1'));
  });
  afterAll(async () => {
    ec2.destroy();
    await cloud.stop();
  });

  test('answers an SDK, in each Region by itself, and records who called what', async () => {
    const { VolumeId } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: 'us-east-1a', Size: 1 }));
    const { Volumes } = await ec2.send(new DescribeVolumesCommand({ VolumeIds: [VolumeId!] }));
    expect(Volumes).toHaveLength(1);
    const far = new EC2Client(cloud.clientConfig('us-west-2'));
    await expect(far.send(new DescribeVolumesCommand({ VolumeIds: [VolumeId!] }))).rejects.toMatchObject({ name: 'InvalidVolume.NotFound' });
    far.destroy();
    expect(cloud.calls.filter({ service: 'ec2', region: 'us-west-2' })).toMatchObject([{ operation: 'DescribeVolumes', principal: 'operator', status: 400, errorCode: 'InvalidVolume.NotFound' }]);
    expect(cloud.calls.byOperation({ region: 'us-east-1' })).toEqual({ 'ec2:CreateVolume': 1, 'ec2:DescribeVolumes': 1 });
  });

  test('a refused Region is refused, and comes back', async () => {
    cloud.faults.refuseRegion('us-east-1');
    const once = new EC2Client({ ...cloud.clientConfig('us-east-1'), maxAttempts: 1 });
    await expect(once.send(new DescribeVolumesCommand({}))).rejects.toThrow();
    cloud.faults.clear();
    await expect(once.send(new DescribeVolumesCommand({}))).resolves.toBeDefined();
    once.destroy();
  });

  test('disks keep what is written, and zeros elsewhere', async () => {
    const { VolumeId } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: 'us-east-1a', Size: 1 }));
    const image = Buffer.alloc(3 * BLOCK_BYTES + 100);
    image.write('first', 0);
    image.write('last', 3 * BLOCK_BYTES + 50);
    await cloud.disks.writeImage('us-east-1', VolumeId!, image);
    expect(await cloud.disks.blocks('us-east-1', VolumeId!)).toEqual([0, 3]);
    expect((await cloud.disks.readImage('us-east-1', VolumeId!, image.length)).equals(image)).toBe(true);
    await cloud.disks.write('us-east-1', VolumeId!, 0, Buffer.from('changed'));
    expect((await cloud.disks.read('us-east-1', VolumeId!, 0)).subarray(0, 7).toString()).toBe('changed');
    expect((await cloud.disks.read('us-east-1', VolumeId!, 1)).equals(Buffer.alloc(BLOCK_BYTES))).toBe(true);
    await expect(cloud.disks.read('us-west-2', VolumeId!, 0)).rejects.toThrow(/No volume/);
  });

  test('child processes get nothing of the user\'s own configuration', () => {
    const env = cloud.env('us-west-2');
    expect(env).toMatchObject({ AWS_REGION: 'us-west-2', AWS_ENDPOINT_URL: cloud.endpoint, AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' });
  });
});

test('stopping leaves no process, port or folder, and can be repeated', async () => {
  const cloud = await LocalCloud.start();
  const { endpoint, processIds, stateDir } = cloud;
  expect(processIds.every(runs)).toBe(true);
  await Promise.all([cloud.stop(), cloud.stop()]);
  await cloud.stop();
  expect(processIds.some(runs)).toBe(false);
  expect(existsSync(stateDir)).toBe(false);
  await expect(fetch(endpoint)).rejects.toThrow();
});

describe('when it cannot start', () => {
  test('after the emulator is up, it ends that too', async () => {
    const seen: LocalCloud[] = [];
    const pids: number[] = [];
    const spy = jest.spyOn(LocalCloud.prototype, 'configure').mockImplementation(function (this: LocalCloud) {
      seen.push(this);
      pids.push(...this.processIds);
      return Promise.reject(new Error('The emulator does not take this.'));
    });
    await expect(LocalCloud.start()).rejects.toThrow('does not take this');
    spy.mockRestore();
    expect(pids).toHaveLength(1);
    expect(pids.some(runs)).toBe(false);
    expect(existsSync(seen[0]!.stateDir)).toBe(false);
  });

  test('it says why, with what the emulator printed', async () => {
    const spawn = Children.prototype.spawn;
    const spy = jest.spyOn(Children.prototype, 'spawn').mockImplementation(function (this: Children, _command, _args, options) {
      return spawn.call(this, process.execPath, ['-e', 'console.error("No module named moto"); process.exit(1)'], options);
    });
    await expect(LocalCloud.start()).rejects.toThrow('The emulator did not start: it ended with exit status 1\nNo module named moto');
    spy.mockRestore();
  });
});
