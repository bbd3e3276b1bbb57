import type { CyclePorts, CycleRef } from '../../../lambda/cycle/cycle';
import { beginCycle } from '../../../lambda/cycle/begin';
import { discover } from '../../../lambda/cycle/discover';
import { finishCycle, type CycleSummary } from '../../../lambda/cycle/finish';
import { prune } from '../../../lambda/cycle/prune';
import { replicate } from '../../../lambda/cycle/replicate';
import { snapshotMembers } from '../../../lambda/cycle/snapshot';
import type { CycleConfig, UpkeepConfig } from '../../../lambda/core/config';
import { Tag } from '../../../lambda/core/tags';
import type { Metric } from '../../../lambda/runtime/metrics';
import { sweep } from '../../../lambda/upkeep/sweep';
import { FakeCatalogue } from './catalogue';
import { FakeClock } from './clock';
import { FakeCloud, type CloudOptions } from './cloud';
import { Killed, Lifeline, type KillAt } from './lifeline';
import { FakeMachines } from './machines';
import { FakeOldSide } from './old-side';
import { FakeCommands, FakeExecutions, FakeFunctions } from './services';
import { FakeCutovers, FakeTraffic } from './traffic';

export const PROJECT = 'shop';

export const cycleConfig = (change: Partial<CycleConfig> = {}): CycleConfig => ({
  project: PROJECT,
  sourceRegion: 'us-east-1',
  recoveryRegion: 'us-west-2',
  endpoints: ['web', 'app', 'db'].map((name) => ({ name, tags: { [Tag.PROJECT]: PROJECT, [Tag.ENDPOINT]: name }, single: true })),
  retention: { kind: 'last', count: 2 },
  sourceRetention: { kind: 'last', count: 1 },
  keepMissingSeconds: 86_400,
  rpoSeconds: 900,
  intervalSeconds: 300,
  pollSeconds: 15,
  targetKeyArn: 'arn:aws:kms:us-west-2:123456789012:key/k',
  copyConcurrency: 4,
  snapshotsPerSecond: 5,
  launch: {},
  launchDefaults: {},
  passableRoleArns: [],
  ...change,
});

export const upkeepConfig: UpkeepConfig = { project: PROJECT, sourceRegion: 'us-east-1', recoveryRegion: 'us-west-2', orphanAgeSeconds: 3600 };

export interface KillPlan {
  readonly at?: KillAt;
  /** What the state machine does about it: run the killed step again, or nothing, so that a later execution goes on. */
  readonly then?: 'retry-step' | 'new-execution';
}

/** A project of three machines with two disks each, and everything around it, in memory. */
export class World {
  readonly clock = new FakeClock();
  readonly cloud: FakeCloud;
  readonly catalogue = new FakeCatalogue();
  /** Members and points of the way back. */
  readonly back = new FakeCatalogue();
  readonly machines: FakeMachines;
  /** State of the source Region's zones. */
  readonly zones = new Map([['us-east-1a', 'available'], ['us-east-1b', 'available']]);
  readonly oldSide: FakeOldSide;
  readonly executions = new FakeExecutions();
  readonly functions = new FakeFunctions();
  readonly commands = new FakeCommands();
  readonly cutovers = new FakeCutovers();
  readonly traffic = new FakeTraffic();
  readonly metrics: Metric[] = [];
  calls = 0;
  private serial = 0;

  constructor(options?: CloudOptions, private readonly endpoints: readonly string[] = ['web', 'app', 'db']) {
    this.cloud = new FakeCloud(this.clock, options);
    this.machines = new FakeMachines(this.cloud);
    this.oldSide = new FakeOldSide(this.cloud);
    for (const endpoint of this.endpoints) this.cloud.addInstance(`i-${endpoint}`, { [Tag.PROJECT]: PROJECT, [Tag.ENDPOINT]: endpoint, Name: endpoint });
  }

  tools() {
    return this.clock.tools({ metrics: (metrics) => this.metrics.push(...metrics) });
  }

  cyclePorts(): CyclePorts {
    return { members: this.catalogue, points: this.catalogue, cycles: this.catalogue, leases: this.catalogue, source: this.cloud.source, recovery: this.cloud.recovery };
  }

  /** One execution of the cycle's state machine, as far as a kill lets it. */
  async cycle(config: CycleConfig = cycleConfig(), { at, then = 'retry-step' }: KillPlan = {}): Promise<CycleSummary | undefined> {
    this.serial += 1;
    const executionArn = `arn:aws:states:us-west-2:123456789012:execution:cycle:${this.serial}`;
    const startedAt = this.clock.now();
    this.executions.running.add(executionArn);
    const life = { line: new Lifeline(at) };
    const step = async <T>(work: (wrap: <P extends object>(port: P) => P) => Promise<T>): Promise<T> => {
      try {
        return await work((port) => life.line.wrap(port));
      } catch (error) {
        if (!(error instanceof Killed) || then === 'new-execution') throw error;
        this.calls += life.line.calls;
        life.line = new Lifeline();
        this.clock.advance(2);
        return work((port) => life.line.wrap(port));
      }
    };
    try {
      return await this.drive(step, config, executionArn, startedAt);
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      return undefined;
    } finally {
      this.calls += life.line.calls;
      this.executions.running.delete(executionArn);
    }
  }

  private async drive(
    step: <T>(work: (wrap: <P extends object>(port: P) => P) => Promise<T>) => Promise<T>, config: CycleConfig, executionArn: string, startedAt: string,
  ): Promise<CycleSummary> {
    const tools = this.tools();
    const ports = (wrap: <P extends object>(port: P) => P): CyclePorts => {
      const { members, source, recovery } = this.cyclePorts();
      const catalogue = wrap(members) as unknown as FakeCatalogue;
      return { members: catalogue, points: catalogue, cycles: catalogue, leases: catalogue, source: wrap(source), recovery: wrap(recovery) };
    };
    const begun = await step((wrap) => beginCycle({ config, executionArn, startedAt }, { ...ports(wrap), executions: wrap(this.executions) }, tools));
    if (begun.outcome !== 'started') throw new Error(`${begun.outcome}: ${begun.reason ?? ''}`);
    const input = { config, cycle: begun as CycleRef };
    await step((wrap) => discover(input, { ...ports(wrap), machines: wrap<FakeCloud>(this.cloud), profiles: wrap<FakeCloud>(this.cloud) }, tools));
    await this.loop(() => step((wrap) => snapshotMembers(input, ports(wrap), tools)));
    await this.loop(() => step((wrap) => replicate(input, ports(wrap), tools)));
    await this.loop(() => step((wrap) => prune(input, ports(wrap), tools)));
    return step((wrap) => finishCycle(input, ports(wrap), tools));
  }

  private async loop(work: () => Promise<{ done: boolean; waitSeconds?: number }>): Promise<void> {
    for (let turns = 0; turns < 200; turns += 1) {
      const { done, waitSeconds = 1 } = await work();
      if (done) return;
      this.clock.advance(waitSeconds);
    }
    throw new Error('the loop does not end');
  }

  sweep() {
    return sweep({ config: upkeepConfig }, {
      members: this.catalogue, points: this.catalogue, runs: this.catalogue, source: this.cloud.source, recovery: this.cloud.recovery, machines: this.machines, executions: this.executions,
      leases: this.catalogue, disks: this.machines, returns: { ...this.cyclePorts(), members: this.back, points: this.back, cycles: this.back },
    }, this.tools());
  }
}
