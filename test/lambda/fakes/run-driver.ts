import type { RunConfig, WaveConfig } from '../../../lambda/core/config';
import type { Evidence } from '../../../lambda/core/evidence';
import type { RunRequest } from '../../../lambda/core/model';
import { beginRun } from '../../../lambda/run/begin';
import { checkWave } from '../../../lambda/run/check';
import { cutOver } from '../../../lambda/run/cutover';
import { fenceRun } from '../../../lambda/run/fence';
import { finishRun, type RunOutcome } from '../../../lambda/run/finish';
import { runHooks } from '../../../lambda/run/hooks';
import { launchWave } from '../../../lambda/run/launch';
import type { RunRef, StepResult } from '../../../lambda/run/run';
import type { FakeCatalogue } from './catalogue';
import { Killed, Lifeline } from './lifeline';
import { kindsOf } from './traffic';
import type { KillPlan, World } from './world';
import { PROJECT } from './world';

export const hookArn = 'arn:aws:lambda:us-west-2:123456789012:function:hook';
export const checkArn = 'arn:aws:lambda:us-west-2:123456789012:function:check';

export function wave(endpoints: readonly string[], change: Partial<WaveConfig> = {}): WaveConfig {
  return {
    endpoints, before: [], after: [], checks: [{ name: 'healthy', kind: 'instance-status', timeoutSeconds: 300 }], ...change,
  };
}

export const runConfig = (change: Partial<RunConfig> = {}): RunConfig => ({
  project: PROJECT,
  sourceRegion: 'us-east-1',
  recoveryRegion: 'us-west-2',
  rpoSeconds: 900,
  rtoSeconds: 1800,
  waves: [wave(['db']), wave(['app', 'web'])],
  production: { subnets: [{ subnetId: 'subnet-p', cidr: '10.0.0.0/24', availabilityZone: 'us-west-2a' }], securityGroupIds: ['sg-p'] },
  drill: { subnets: [{ subnetId: 'subnet-d', cidr: '10.200.0.0/24', availabilityZone: 'us-west-2a' }], securityGroupIds: ['sg-d'] },
  drillInstanceLimit: 10,
  drillKeepSeconds: 7200,
  instanceTypes: { map: {}, fallbacks: ['m7g.xlarge'] },
  launch: {},
  launchDefaults: { keepPrivateIp: true, keepUserData: true },
  passableRoleArns: [],
  targetKeyArn: 'arn:aws:kms:us-west-2:123456789012:key/k',
  launchesPerSecond: 2,
  ...change,
});

export interface RunOptions extends KillPlan {
  readonly request?: Partial<RunRequest>;
  readonly name?: string;
  /** Called between the steps. */
  readonly meanwhile?: (world: World, step: string) => void;
}

export interface Ran {
  readonly outcome?: RunOutcome;
  /** What the state machine would fail with. */
  readonly failure?: Error;
  readonly calls: number;
  readonly evidence: Evidence;
}

type Wrap = <P extends object>(port: P) => P;

/** One execution of the run's state machine over the world's ports. */
export async function recover(world: World, config: RunConfig = runConfig(), options: RunOptions = {}): Promise<Ran> {
  const { request, name = 'run-1', at, then = 'retry-step', meanwhile = () => undefined } = options;
  const executionArn = `arn:aws:states:us-west-2:123456789012:execution:run:${name}`;
  const tools = world.tools();
  let line = new Lifeline(at);
  let calls = 0;
  const step = async <T>(label: string, work: (ports: ReturnType<typeof portsOf>) => Promise<T>): Promise<T> => {
    meanwhile(world, label);
    try {
      return await work(portsOf(world, (port) => line.wrap(port)));
    } catch (error) {
      if (!(error instanceof Killed) || then === 'new-execution') throw error;
      calls += line.calls;
      line = new Lifeline();
      world.clock.advance(2);
      return work(portsOf(world, (port) => line.wrap(port)));
    }
  };
  const loop = async (label: string, work: (ports: ReturnType<typeof portsOf>) => Promise<StepResult>): Promise<void> => {
    for (let turns = 0; turns < 500; turns += 1) {
      const { done, waitSeconds } = await step(label, work);
      if (done) return;
      world.clock.advance(waitSeconds);
    }
    throw new Error(`the loop of ${label} does not end`);
  };
  world.executions.running.add(executionArn);
  let run: RunRef | undefined;
  let failure: Error | undefined;
  try {
    run = await step('begin', (ports) => beginRun({ config, request: { mode: 'failover', ...request }, executionName: name, executionArn }, ports, tools));
    const begun = run;
    if (begun.mode === 'failover') await loop('fence', (ports) => fenceRun({ config, run: begun }, ports, tools));
    for (const index of run.waves) {
      const input = { config, run, wave: index };
      await loop('hooks', (ports) => runHooks({ ...input, phase: 'before' }, ports, tools));
      await loop('launch', (ports) => launchWave(input, ports, tools));
      await loop('check', (ports) => checkWave(input, ports, tools));
      await loop('hooks', (ports) => runHooks({ ...input, phase: 'after' }, ports, tools));
    }
    if (begun.mode === 'failover' && config.cutover !== undefined) await loop('cutover', (ports) => cutOver({ config, run: begun, executionName: name }, ports, tools));
  } catch (error) {
    if (!(error instanceof Error) || error instanceof Killed) throw error;
    failure = error;
  } finally {
    world.executions.running.delete(executionArn);
  }
  const error = failure === undefined ? undefined : { Error: failure.name, Cause: JSON.stringify({ errorMessage: failure.message }) };
  const asked = { mode: 'failover' as const, ...request };
  const outcome = await step('finish', (ports) => finishRun({ config, run, request: asked, executionName: name, error }, ports, tools));
  return { outcome, failure, calls: calls + line.calls, evidence: outcome as Evidence };
}

function portsOf(world: World, wrap: Wrap) {
  const catalogue: FakeCatalogue = wrap(world.catalogue);
  const machines = wrap(world.machines);
  return {
    members: catalogue, points: catalogue, runs: catalogue, leases: catalogue, fences: catalogue, source: wrap(world.oldSide), roles: wrap(world.oldSide),
    recovery: wrap(world.cloud.recovery), executions: wrap(world.executions),
    machines, sourceMachines: wrap(world.machines), roots: machines, functions: wrap(world.functions), commands: wrap(world.commands),
    zones: { states: () => Promise.resolve(world.zones) }, sourceTags: wrap(world.machines),
    back: { members: wrap(world.back), points: wrap(world.back) }, cutovers: wrap(world.cutovers), kinds: kindsOf(wrap(world.traffic)),
  };
}

/** A world whose members all have a recovery point. */
export async function protectedWorld(make: () => World, cycles = 1): Promise<World> {
  const world = make();
  for (let i = 0; i < cycles; i += 1) {
    await world.cycle();
    world.clock.advance(300);
  }
  return world;
}
