import { join } from 'node:path';
import {
  CreateSnapshotCommand, CreateVolumeCommand, DescribeInstancesCommand, EC2Client, RegisterImageCommand, RunInstancesCommand, StartInstancesCommand, TerminateInstancesCommand,
  waitUntilSnapshotCompleted,
} from '@aws-sdk/client-ec2';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  DescribeExecutionCommand, DescribeStateMachineCommand, paginateGetExecutionHistory, SFNClient, StartExecutionCommand, StopExecutionCommand, UpdateStateMachineCommand,
} from '@aws-sdk/client-sfn';
import { stateMachineArn } from '../demo/executions';
import { Workload } from '../demo/workload';
import type { UpkeepConfig } from '../lambda/core/config';
import { LocalCloud, type LocalCloudOptions } from '../local-cloud';
import { projectRoot } from '../local-cloud/project-root';
import type { World } from './invariants';
import { look } from './look';
import { MACHINE_TAG, PREFIX, PROJECT, RECOVERY_REGION, SOURCE_REGION } from './names';
import { OF_PROJECT } from './plan';
import { quickened } from './quicken';

export interface Ended {
  readonly executionArn: string;
  /** As Step Functions says; `RUNNING` when it did not end in time. */
  readonly status: string;
  readonly output: Record<string, unknown>;
  readonly error: string;
}

const POLL_MS = 150;
/** Longer than any step pauses between two calls. */
const QUIET_MS = 1200;

/** A local cloud with the campaign's app on it, one protected machine with two disks, and what an operator does there. */
export class Stage {
  static async open(options: LocalCloudOptions = {}): Promise<Stage> {
    const cloud = await LocalCloud.start({ regions: [SOURCE_REGION, RECOVERY_REGION], snapshotSeconds: 0, copySeconds: 0, runSchedules: false, ...options });
    const stage = new Stage(cloud);
    try {
      await stage.prepare();
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  workload!: Workload;
  private readonly source: EC2Client;
  private readonly recovery: EC2Client;
  private readonly states: SFNClient;
  private readonly lambda: LambdaClient;
  private machines!: Readonly<Record<'cycle' | 'run', string>>;
  private upkeep!: UpkeepConfig;

  private constructor(readonly cloud: LocalCloud) {
    this.source = new EC2Client(cloud.clientConfig(SOURCE_REGION));
    this.recovery = new EC2Client(cloud.clientConfig(RECOVERY_REGION));
    this.states = new SFNClient(cloud.clientConfig(RECOVERY_REGION));
    this.lambda = new LambdaClient(cloud.clientConfig(RECOVERY_REGION));
  }

  private async prepare(): Promise<void> {
    await this.cloud.bootstrap();
    await this.cloud.deploy({ app: `node ${join(projectRoot(), 'dist', 'faults', 'app.js')}` });
    this.machines = {
      cycle: await stateMachineArn(this.cloud, RECOVERY_REGION, PROJECT, 'cycle'),
      run: await stateMachineArn(this.cloud, RECOVERY_REGION, PROJECT, 'run'),
    };
    for (const arn of Object.values(this.machines)) await this.quicken(arn);
    const sweep = (await this.cloud.schedules.list()).find(({ name }) => name === `${PREFIX}-sweep`);
    this.upkeep = (JSON.parse(sweep?.input ?? '{}') as { config: UpkeepConfig }).config;
    const { Instances } = await this.source.send(new RunInstancesCommand({
      ImageId: await this.anyImage(),
      MinCount: 1,
      MaxCount: 1,
      InstanceType: 't3.micro',
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 8 } }, { DeviceName: '/dev/sdf', Ebs: { VolumeSize: 4 } }],
      TagSpecifications: [{ ResourceType: 'instance', Tags: Object.entries({ ...MACHINE_TAG, Name: 'machine' }).map(([Key, Value]) => ({ Key, Value })) }],
    }));
    this.workload = await Workload.install(this.cloud, SOURCE_REGION, Instances ?? []);
  }

  private async quicken(stateMachine: string): Promise<void> {
    const { definition = '{}' } = await this.states.send(new DescribeStateMachineCommand({ stateMachineArn: stateMachine }));
    const quick = quickened(JSON.parse(definition) as Parameters<typeof quickened>[0]);
    await this.states.send(new UpdateStateMachineCommand({ stateMachineArn: stateMachine, definition: JSON.stringify(quick) }));
  }

  private async anyImage(): Promise<string> {
    const { VolumeId } = await this.source.send(new CreateVolumeCommand({ AvailabilityZone: `${SOURCE_REGION}a`, Size: 8 }));
    const { SnapshotId } = await this.source.send(new CreateSnapshotCommand({ VolumeId }));
    await waitUntilSnapshotCompleted({ client: this.source, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { SnapshotIds: [SnapshotId ?? ''] });
    const { ImageId } = await this.source.send(new RegisterImageCommand({
      Name: 'faults', RootDeviceName: '/dev/xvda', Architecture: 'x86_64', VirtualizationType: 'hvm', BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId } }],
    }));
    return ImageId ?? '';
  }

  async start(kind: 'cycle' | 'run', name: string, input: object): Promise<string> {
    const { executionArn = '' } = await this.states.send(new StartExecutionCommand({ stateMachineArn: this.machines[kind], name, input: JSON.stringify(input) }));
    return executionArn;
  }

  async stop(executionArn: string): Promise<void> {
    await this.states.send(new StopExecutionCommand({ executionArn }));
  }

  /** Waits for the end, however it comes; `onState` sees each state as it is entered. */
  async ended(executionArn: string, limitSeconds: number, onState?: (name: string) => Promise<void>): Promise<Ended> {
    const limit = Date.now() + limitSeconds * 1000;
    let seen = 0;
    for (;;) {
      // The Region may be refused at the moment.
      const execution = await this.states.send(new DescribeExecutionCommand({ executionArn })).catch(() => undefined);
      const { status = 'RUNNING', output, error = '', cause = '' } = execution ?? {};
      if (onState && execution) {
        const names = await this.entered(executionArn);
        for (const name of names.slice(seen)) await onState(name);
        seen = names.length;
      }
      if (status !== 'RUNNING' || Date.now() > limit) {
        return { executionArn, status, output: JSON.parse(output ?? '{}') as Record<string, unknown>, error: [error, cause].filter((text) => text !== '').join(': ') };
      }
      await pause(POLL_MS);
    }
  }

  /** Names of the states that an execution has entered, in order. */
  async entered(executionArn: string): Promise<string[]> {
    const names: string[] = [];
    for await (const page of paginateGetExecutionHistory({ client: this.states }, { executionArn })) {
      names.push(...(page.events ?? []).flatMap(({ stateEnteredEventDetails }) => stateEnteredEventDetails?.name ?? []));
    }
    return names;
  }

  /** Waits until no function calls anything: a stopped execution's function works on for a while. */
  async quiet(): Promise<void> {
    const last = () => this.cloud.calls.all().findLast(({ principal }) => OF_PROJECT.test(principal));
    const ended = () => { const call = last(); return call ? call.at + call.milliseconds : 0; };
    while (Date.now() - ended() < QUIET_MS) await pause(100);
  }

  /** The sweeper, as its schedule calls it, but for younger orphans. */
  async sweep(): Promise<void> {
    const Payload = JSON.stringify({ config: { ...this.upkeep, orphanAgeSeconds: 1 } });
    const answer = await this.lambda.send(new InvokeCommand({ FunctionName: `${PREFIX}-sweep`, Payload }));
    if (answer.FunctionError) throw new Error(`sweep: ${Buffer.from(answer.Payload ?? []).toString()}`);
  }

  look(): Promise<World> {
    return look(this.cloud, this.source, this.recovery);
  }

  /** The workload goes on on the disks that failbacks have put in. */
  async reattach(): Promise<void> {
    const { Reservations } = await this.source.send(new DescribeInstancesCommand({ InstanceIds: this.workload.machines.map(({ instanceId }) => instanceId) }));
    this.workload.reattached((Reservations ?? []).flatMap(({ Instances }) => Instances ?? []));
  }

  /** Removes what a run has launched, so that one try does not weigh on the next. */
  async terminate(instanceIds: readonly string[]): Promise<void> {
    if (instanceIds.length > 0) await this.recovery.send(new TerminateInstancesCommand({ InstanceIds: [...instanceIds] }));
  }

  /** Fencing has stopped it. */
  async startSource(instanceIds: readonly string[]): Promise<void> {
    if (instanceIds.length > 0) await this.source.send(new StartInstancesCommand({ InstanceIds: [...instanceIds] }));
  }

  async close(): Promise<void> {
    for (const client of [this.source, this.recovery, this.states, this.lambda]) client.destroy();
    await this.cloud.stop();
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => { setTimeout(resolve, milliseconds); });
}
