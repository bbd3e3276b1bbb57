import type { Executions } from '../../../lambda/adapters/ports/services';
import type { Starter } from '../../../lambda/adapters/ports/detection';
import type { FailbackConfig, RunConfig } from '../../../lambda/core/config';
import type { Evidence } from '../../../lambda/core/evidence';
import type { FencingConfig } from '../../../lambda/core/fencing';
import type { RecoveryPoint, RunRequest } from '../../../lambda/core/model';
import { beginRun } from '../../../lambda/run/begin';
import { cutOver } from '../../../lambda/run/cutover';
import { drain } from '../../../lambda/run/failback/drain';
import { newestOf, recoveredSide } from '../../../lambda/run/failback/sides';
import { synchronise } from '../../../lambda/run/failback/sync';
import { finishRun } from '../../../lambda/run/finish';
import { runHooks } from '../../../lambda/run/hooks';
import { confirmEpoch } from '../../../lambda/run/lease';
import { membersOfWave, type RunRef, type StepResult } from '../../../lambda/run/run';
import { Killed, Lifeline } from './lifeline';
import { protectedWorld, recover, runConfig, type Ran } from './run-driver';
import { kindsOf } from './traffic';
import { cycleConfig, PROJECT, World, type KillPlan } from './world';

export const failback: FailbackConfig = {
  cycleMachineArn: 'arn:aws:states:us-west-2:123456789012:stateMachine:return-cycle',
  drain: [], drainTimeoutSeconds: 600, syncTimeoutSeconds: 3600, keepReplacedSeconds: 86_400,
};

export const fencing: FencingConfig = { actions: [{ kind: 'stop', forceAfterSeconds: 60 }], whenUnreachable: 'refuse', timeoutSeconds: 300, endpoints: cycleConfig().endpoints };

export const failbackConfig = (change: Partial<RunConfig> = {}): RunConfig => runConfig({ fencing, failback, ...change });

const CYCLE_SECONDS = 60;

/** Return cycles that take a minute: the points show the machines five seconds after their start. */
export class ReturnCycles implements Starter, Executions {
  readonly starts: string[] = [];
  private readonly startedAt = new Map<string, string>();
  /** Members whose point does not come. */
  readonly without = new Set<string>();
  /** Each new point shows a machine in this state. */
  readonly states: string[] = [];

  constructor(private readonly world: World) {}

  async start(machineArn: string, name: string): Promise<boolean> {
    const arn = `${machineArn.replace(':stateMachine:', ':execution:')}:${name}`;
    if (this.startedAt.has(arn)) return await this.ending(arn) === undefined;
    this.starts.push(name);
    this.startedAt.set(arn, this.world.clock.now());
    this.states.push(...this.world.machines.alive().map(({ state }) => `${name}: ${state}`));
    return true;
  }

  async ending(arn: string): Promise<{ readonly at?: string } | undefined> {
    const since = this.startedAt.get(arn);
    if (since === undefined) return this.world.executions.ending(arn);
    const at = new Date(Date.parse(since) + CYCLE_SECONDS * 1000).toISOString();
    if (this.world.clock.now() < at) return undefined;
    await this.bring(arn, since);
    return { at };
  }

  isRunning(arn: string) {
    return this.world.executions.isRunning(arn);
  }

  succeed(token: string) {
    return this.world.executions.succeed(token);
  }

  private async bring(arn: string, createdAt: string): Promise<void> {
    const machines = newestOf(await recoveredSide(PROJECT, { machinesWithTags: (tags) => Promise.resolve(this.world.machines.alive().filter((machine) => Object.entries(tags).every(([key, value]) => machine.tags[key] === value))) }), 0);
    for (const { memberId, endpoint, instanceId } of machines) {
      const forward = this.world.catalogue.memberRows.get(memberId);
      if (forward === undefined) continue;
      this.world.back.memberRows.set(memberId, { ...forward, endpoint, instanceId, settings: { ...forward.settings, privateIp: '10.9.9.9' } });
      if (this.without.has(memberId)) continue;
      const point: RecoveryPoint = {
        project: PROJECT, memberId, pointId: `p-${memberId}-${arn.slice(arn.lastIndexOf(':') + 1)}`, cycleId: arn, state: 'COMPLETE', createdAt,
        consistentAt: new Date(Date.parse(createdAt) + 5000).toISOString(), version: 1,
        volumes: forward.settings.volumes.map((volume) => ({ ...volume, recoverySnapshotId: `snap-back-${volume.sourceVolumeId}` })),
      };
      await this.world.back.createPoint(point);
    }
  }
}

export interface BackOptions extends KillPlan {
  readonly request?: Partial<RunRequest>;
  readonly name?: string;
  /** Called before each step; what it throws, the step fails with. */
  readonly meanwhile?: (step: string) => void | Promise<void>;
}

/** A world whose machines were all recovered and whose old side is fenced. */
export async function failedOver(make: () => World = () => new World(), config = failbackConfig()): Promise<{ world: World; cycles: ReturnCycles }> {
  const world = await protectedWorld(make);
  const { evidence } = await recover(world, config);
  if (evidence.status !== 'SUCCEEDED') throw new Error(evidence.error);
  world.clock.advance(3600);
  return { world, cycles: new ReturnCycles(world) };
}

/** One execution of the state machine in mode failback. Launch and checks are those of every run: here machines are just started. */
export async function failBack({ world, cycles }: { world: World; cycles: ReturnCycles }, config = failbackConfig(), options: BackOptions = {}): Promise<Ran> {
  const { request, name = 'back-1', at, then = 'retry-step', meanwhile = () => undefined } = options;
  const executionArn = `arn:aws:states:us-west-2:123456789012:execution:run:${name}`;
  const tools = world.tools();
  const life = { line: new Lifeline(at), calls: 0 };
  const step = async <T>(label: string, work: (ports: ReturnType<typeof portsOf>) => Promise<T>): Promise<T> => {
    await meanwhile(label);
    try {
      return await work(portsOf(world, cycles, life.line));
    } catch (error) {
      if (!(error instanceof Killed) || then === 'new-execution') throw error;
      life.calls += life.line.calls;
      life.line = new Lifeline();
      world.clock.advance(2);
      return work(portsOf(world, cycles, life.line));
    }
  };
  const loop = async (label: string, work: (ports: ReturnType<typeof portsOf>) => Promise<StepResult>): Promise<void> => {
    for (let turns = 0; turns < 2000; turns += 1) {
      const { done, waitSeconds } = await step(label, work);
      if (done) return;
      world.clock.advance(waitSeconds);
    }
    throw new Error(`the loop of ${label} does not end`);
  };
  world.executions.running.add(executionArn);
  let run: RunRef | undefined;
  let failure: Error | undefined;
  const asked = { mode: 'failback' as const, ...request };
  try {
    const begun = run = await step('begin', (ports) => beginRun({ config, request: asked, executionName: name, executionArn }, ports, tools));
    const input = { config, run: begun };
    try {
      await loop('sync-first', (ports) => synchronise({ ...input, phase: 'first' }, ports, tools));
      await loop('drain-hooks', (ports) => runHooks({ ...input, wave: -1, phase: 'drain' }, ports, tools));
      await loop('drain', (ports) => drain({ ...input, phase: 'drain' }, ports, tools));
      await loop('sync-final', (ports) => synchronise({ ...input, phase: 'final' }, ports, tools));
      for (const wave of begun.waves) await loop('launch', (ports) => launch(world, begun, wave, ports));
      await loop('switch', (ports) => drain({ ...input, phase: 'switch' }, ports, tools));
    } catch (error) {
      if (!(error instanceof Error) || error instanceof Killed) throw error;
      failure = error;
      await loop('reopen', (ports) => drain({ ...input, phase: 'reopen' }, ports, tools)).catch((reopenError: unknown) => {
        if (reopenError instanceof Killed) throw reopenError;
      });
    }
    if (failure === undefined && config.cutover !== undefined) await loop('cutover', (ports) => cutOver({ ...input, executionName: name }, ports, tools));
  } catch (error) {
    if (!(error instanceof Error) || error instanceof Killed) throw error;
    failure = error;
  } finally {
    world.executions.running.delete(executionArn);
  }
  const error = failure === undefined ? undefined : { Error: failure.name, Cause: JSON.stringify({ errorMessage: failure.message }) };
  const outcome = await step('finish', (ports) => finishRun({ config, run, request: asked, executionName: name, error }, { ...ports, points: ports.back.points }, tools));
  return { outcome, failure, calls: life.calls + life.line.calls, evidence: outcome as Evidence };
}

async function launch(world: World, run: RunRef, wave: number, { runs, leases }: ReturnType<typeof portsOf>): Promise<StepResult> {
  await runs.beginStep({ runId: run.runId, name: `wave-${wave}/launch`, startedAt: world.clock.now() });
  for (const member of await membersOfWave(runs, run.runId, wave)) {
    if (member.status === 'PASSED') continue;
    await confirmEpoch(run, leases);
    const instanceId = member.memberId.slice(member.memberId.lastIndexOf('/') + 1);
    if (world.oldSide.of(instanceId).state === 'stopped') world.oldSide.start(instanceId);
    await runs.saveRunMember({ ...member, status: 'PASSED', instanceId, passedAt: world.clock.now() }, member);
  }
  return { done: true, waitSeconds: 0 };
}

function portsOf(world: World, cycles: ReturnCycles, line: Lifeline) {
  const catalogue = line.wrap(world.catalogue);
  const machines = line.wrap(world.machines);
  const back = line.wrap(world.back);
  const source = line.wrap(world.oldSide);
  return {
    members: catalogue, points: catalogue, runs: catalogue, leases: catalogue, fences: catalogue, back: { members: back, points: back },
    source, sourceTags: machines, zones: { states: () => Promise.resolve(world.zones) }, sourceMachines: sourceMachines(world, line), recovery: line.wrap(world.cloud.recovery),
    executions: line.wrap<Executions>(cycles), starter: line.wrap<Starter>(cycles), machines, roots: machines,
    functions: line.wrap(world.functions), commands: line.wrap(world.commands), cutovers: line.wrap(world.cutovers), kinds: kindsOf(line.wrap(world.traffic)),
  };
}

function sourceMachines(world: World, line: Lifeline) {
  return line.wrap({
    machines: async (ids: readonly string[]) => (await world.oldSide.machines(ids)).map((machine) => ({ ...machine, volumes: [] })),
    machinesWithTags: async (tags: Readonly<Record<string, string>>) => (await world.oldSide.machinesWithTags(tags)).map((machine) => ({ ...machine, volumes: [] })),
    images: () => Promise.resolve([]),
    deregisterImage: () => Promise.resolve('absent' as const),
  });
}
