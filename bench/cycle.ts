/**
 * Counts the AWS calls and the state transitions of one protection cycle by fleet size, on the local cloud:
 * the app's own templates, functions and state machine, every call seen by the gateway.
 *
 *   npm run bench:cycle [-- --json] [-- --sizes 1,10,100]
 */
import '../demo/quiet';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CreateSnapshotCommand, CreateVolumeCommand, EC2Client, RegisterImageCommand, RunInstancesCommand, waitUntilSnapshotCompleted } from '@aws-sdk/client-ec2';
import { enteredStates, startExecution, stateMachineArn, waitForExecution } from '../demo/executions';
import { SETTLE_SECONDS } from '../lambda/cycle/cycle';
import { LocalCloud } from '../local-cloud';
import { projectRoot } from '../local-cloud/project-root';

const SOURCE = 'us-east-1';
const RECOVERY = 'us-west-2';

interface Row {
  readonly endpoints: number;
  /** Calls of the project's functions and state machine to AWS APIs. */
  readonly calls: number;
  readonly transitions: number;
  readonly callsPerEndpoint: number;
  readonly transitionsPerEndpoint: number;
  readonly byOperation: Readonly<Record<string, number>>;
}

/** One fleet of `endpoints` machines with one disk each, on a local cloud of its own; counts its second cycle, which makes a recovery point and prunes the first. */
async function measure(endpoints: number): Promise<Row> {
  // Copies take no time here, so the copy quota never makes a cycle wait: what is counted is the work, not the waiting.
  const cloud = await LocalCloud.start({ regions: [SOURCE, RECOVERY], snapshotSeconds: 0, copySeconds: 0, copyLimit: endpoints + 20, runSchedules: false });
  const ec2 = new EC2Client(cloud.clientConfig(SOURCE));
  try {
    await cloud.bootstrap();
    await cloud.deploy({ app: `node ${join(projectRoot(), 'dist', 'bench', 'app.js')}` });
    await ec2.send(new RunInstancesCommand({
      ImageId: await anyImage(ec2),
      MinCount: endpoints,
      MaxCount: endpoints,
      InstanceType: 't3.micro',
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 8, VolumeType: 'gp3' } }],
      TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'fleet', Value: 'bench' }] }],
    }));
    const machine = await stateMachineArn(cloud, RECOVERY, 'bench', 'cycle');
    const cycle = async () => {
      const arn = await startExecution(cloud, RECOVERY, machine, {});
      await waitForExecution(cloud, RECOVERY, arn, { timeoutSeconds: 1800 });
      return arn;
    };
    await cycle();
    // What ended is only deleted once EC2 must show all of it; the next cycle of a real schedule starts later than that anyway.
    await new Promise((resolve) => setTimeout(resolve, (SETTLE_SECONDS + 1) * 1000));
    const before = cloud.calls.all().length;
    const arn = await cycle();
    const counted = cloud.calls.all().slice(before).filter((call) => /^(function|state-machine):/.test(call.principal));
    const byOperation: Record<string, number> = {};
    for (const { service, operation } of counted) byOperation[`${service}:${operation}`] = (byOperation[`${service}:${operation}`] ?? 0) + 1;
    const transitions = (await enteredStates(cloud, RECOVERY, arn)).length;
    return {
      endpoints,
      calls: counted.length,
      transitions,
      callsPerEndpoint: round(counted.length / endpoints),
      transitionsPerEndpoint: round(transitions / endpoints),
      byOperation,
    };
  } finally {
    ec2.destroy();
    await cloud.stop();
  }
}

/** An image to launch the fleet from; what is on it does not matter here. */
async function anyImage(ec2: EC2Client): Promise<string> {
  const { SnapshotId } = await ec2.send(new CreateSnapshotCommand({ VolumeId: (await ec2.send(new CreateVolumeCommand({ AvailabilityZone: `${SOURCE}a`, Size: 8 }))).VolumeId }));
  await waitUntilSnapshotCompleted({ client: ec2, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { SnapshotIds: [SnapshotId ?? ''] });
  const { ImageId } = await ec2.send(new RegisterImageCommand({
    Name: 'bench', RootDeviceName: '/dev/xvda', Architecture: 'x86_64', VirtualizationType: 'hvm', BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId } }],
  }));
  return ImageId ?? '';
}

const round = (value: number) => Math.round(value * 100) / 100;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, sizes: { type: 'string', default: '1,10,100,1000' } } });
  const sizes = values.sizes.split(',').map(Number);
  if (sizes.some((size) => !Number.isInteger(size) || size < 1)) throw new Error(`--sizes takes whole numbers from 1, separated by commas, not '${values.sizes}'.`);
  const rows: Row[] = [];
  for (const size of sizes) {
    rows.push(await measure(size));
    if (!values.json) console.error(`${size} endpoints: done`);
  }
  if (values.json) console.log(JSON.stringify(rows));
  else console.table(rows.map(({ byOperation: _byOperation, ...row }) => row));
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
