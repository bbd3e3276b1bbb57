import { join } from 'node:path';
import { DescribeInstancesCommand, EC2Client, type Instance } from '@aws-sdk/client-ec2';
import { LocalCloud, type LocalCloudOptions } from '../local-cloud';
import type { Evidence } from '../lambda/core/evidence';
import type { RunRequest } from '../lambda/core/model';
import { Tag } from '../lambda/core/tags';
import { projectRoot } from '../local-cloud/project-root';
import { startExecution, stateMachineArn, waitForExecution, type Ended, type WaitOptions } from './executions';
import { readInstanceDisks } from './read-back';
import { proveMachine, type MachineProof } from './verify';
import { Workload, type Machine } from './workload';

export const SOURCE_REGION = 'us-east-1';
export const RECOVERY_REGION = 'us-west-2';
/** The project that `bin/app.ts` declares. */
export const PROJECT = 'shop';
/** Machines of the example: two web instances, an application server, a database server. */
export const MACHINES = 4;
const GUARD_TURNS = 20;

/** The example app on a local cloud of its own, from deployment to proven recovery. The demo and the end-to-end tests drive it. */
export class ShopScenario {
  private machines: Workload | undefined;
  /** The shop's machines as they were when the workload was installed. */
  private sourceInstances: readonly Instance[] = [];

  static async start(options: LocalCloudOptions = {}): Promise<ShopScenario> {
    const cloud = await LocalCloud.start({ regions: [SOURCE_REGION, RECOVERY_REGION], ...options });
    return new ShopScenario(cloud);
  }

  private constructor(readonly cloud: LocalCloud) {}

  get workload(): Workload {
    if (!this.machines) throw new Error('installWorkload() comes first.');
    return this.machines;
  }

  get originals(): readonly Instance[] {
    return this.sourceInstances;
  }

  /** `cdk bootstrap` and `cdk deploy --all` of the example app, in both Regions. */
  async deploy(): Promise<void> {
    await this.cloud.bootstrap();
    await this.deployApp();
  }

  /** `cdk deploy --all` of the example app, as it was compiled. */
  deployApp(): Promise<void> {
    return this.cloud.deploy({ app: `node ${join(projectRoot(), 'dist', 'bin', 'app.js')}` });
  }

  /** Puts file systems with files behind the disks of the shop's machines. */
  async installWorkload(): Promise<Workload> {
    const instances = await this.instances(SOURCE_REGION);
    if (instances.length !== MACHINES) throw new Error(`The shop should have ${MACHINES} machines, ${instances.length} are running.`);
    this.sourceInstances = instances;
    this.machines = await Workload.install(this.cloud, SOURCE_REGION, instances);
    return this.machines;
  }

  /** One protection cycle, to its end. */
  async protect(options?: WaitOptions): Promise<Ended<unknown>> {
    const arn = await startExecution(this.cloud, RECOVERY_REGION, await stateMachineArn(this.cloud, RECOVERY_REGION, PROJECT, 'cycle'), {});
    return waitForExecution(this.cloud, RECOVERY_REGION, arn, options);
  }

  /** One recovery run, to its end. */
  async recover(request: RunRequest, options?: WaitOptions): Promise<Ended<Evidence>> {
    const arn = await startExecution(this.cloud, RECOVERY_REGION, await stateMachineArn(this.cloud, RECOVERY_REGION, PROJECT, 'run'), request);
    return waitForExecution<Evidence>(this.cloud, RECOVERY_REGION, arn, { timeoutSeconds: 180, ...options });
  }

  /** Reads back and proves every machine that a run launched. */
  async prove(evidence: Evidence, onMachine: (proof: MachineProof) => void = () => undefined): Promise<MachineProof[]> {
    const recovered = await this.instances(RECOVERY_REGION, evidence.runId);
    const proofs: MachineProof[] = [];
    for (const machine of this.workload.machines) {
      const twins = recovered.filter((instance) => tagOf(instance, Tag.MEMBER)?.endsWith(`/${machine.instanceId}`));
      const [twin] = twins;
      if (twins.length !== 1 || !twin?.InstanceId) throw new Error(`${machine.name} (${machine.instanceId}) was launched ${twins.length} times by run ${evidence.runId}, not once.`);
      const proof = await proveMachine(machine, twin.InstanceId, await readInstanceDisks(this.cloud, RECOVERY_REGION, twin.InstanceId));
      proofs.push(proof);
      onMachine(proof);
    }
    return proofs;
  }

  /** The fence guard, as its schedule calls it, until no machine of the old side runs. */
  async fenceOldSide(): Promise<void> {
    for (let turn = 0; turn < GUARD_TURNS; turn += 1) {
      const running = (await this.instances(SOURCE_REGION)).length;
      // Once more when all have stopped: only then is it on record.
      await this.cloud.schedules.fire(`disaster-recovery-${PROJECT}-fence-guard`);
      if (running === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    throw new Error(`Machines of the old side still run in ${SOURCE_REGION} though the guard was called ${GUARD_TURNS} times.`);
  }

  /** The machines that a failover launched go on with their work, from what their disks hold. */
  async takeOver(evidence: Evidence): Promise<Workload> {
    return Workload.takeOver(this.cloud, RECOVERY_REGION, await this.instances(RECOVERY_REGION, evidence.runId));
  }

  /** Proves that the shop's own machines hold now what the recovered ones wrote. */
  async proveReturn(recovered: Workload, onMachine: (proof: MachineProof) => void = () => undefined): Promise<MachineProof[]> {
    const proofs: MachineProof[] = [];
    const originals = await this.running(SOURCE_REGION);
    for (const machine of recovered.machines) {
      const original = originals.find((instance) => machine.memberId?.endsWith(`/${instance.InstanceId ?? '-'}`) === true || tagOf(instance, Tag.MEMBER) === machine.memberId);
      if (!original?.InstanceId) throw new Error(`${machine.name} (${machine.instanceId}) has no machine in ${SOURCE_REGION} that runs.`);
      const proof = await this.proveOn(machine, SOURCE_REGION, original.InstanceId);
      proofs.push(proof);
      onMachine(proof);
    }
    return proofs;
  }

  /** Proves that an instance holds what a machine of a workload has written. */
  async proveOn(machine: Machine, region: string, instanceId: string): Promise<MachineProof> {
    return proveMachine(machine, instanceId, await readInstanceDisks(this.cloud, region, instanceId));
  }

  /** Machines that run in a Region: the shop's own, or those that a recovery run launched. */
  async instances(region: string, runId?: string): Promise<Instance[]> {
    return (await this.running(region)).filter((instance) => tagOf(instance, Tag.RUN) === runId);
  }

  private async running(region: string): Promise<Instance[]> {
    const ec2 = new EC2Client(this.cloud.clientConfig(region));
    try {
      const { Reservations } = await ec2.send(new DescribeInstancesCommand({ Filters: [{ Name: 'instance-state-name', Values: ['pending', 'running'] }] }));
      return (Reservations ?? []).flatMap((reservation) => reservation.Instances ?? []);
    } finally {
      ec2.destroy();
    }
  }

  stop(): Promise<void> {
    return this.cloud.stop();
  }
}

export function tagOf(instance: Instance, key: string): string | undefined {
  return instance.Tags?.find((tag) => tag.Key === key)?.Value;
}
