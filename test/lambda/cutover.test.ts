import { RefusedCall } from '../../lambda/adapters/errors';
import type { LeaseStore } from '../../lambda/adapters/ports/lease';
import type { CutoverConfig } from '../../lambda/core/cutover';
import { FIRST_LEASE, type Lease } from '../../lambda/core/lease';
import type { EndpointMember, RunMember } from '../../lambda/core/model';
import { cutOver } from '../../lambda/run/cutover';
import type { StepResult } from '../../lambda/run/run';
import { FakeCatalogue } from './fakes/catalogue';
import { FakeClock } from './fakes/clock';
import { Killed, Lifeline, type KillAt } from './fakes/lifeline';
import { protectedWorld, recover, runConfig } from './fakes/run-driver';
import { cutoverNamed, FakeCutovers, FakeTraffic, kindsOf } from './fakes/traffic';
import { World } from './fakes/world';

const NAMES = ['first', 'second', 'third'];
const denied = () => new RefusedCall('Apply', 'denied', 'AccessDenied', 'no permission');
const throttled = () => new RefusedCall('Apply', 'throttled', 'Throttling', 'slow down');

/** A failover whose machines have all passed, with traffic in the source still. */
class Switch {
  readonly clock = new FakeClock();
  readonly catalogue = new FakeCatalogue();
  readonly cutovers = new FakeCutovers();
  readonly traffic = new FakeTraffic();
  lease: Lease = { ...FIRST_LEASE, epoch: 3, epochOf: 'run-1', holder: { runId: 'run-1', executionArn: 'arn:e', mode: 'failover', since: FIRST_LEASE.changedAt } };

  constructor(readonly configs: readonly CutoverConfig[] = NAMES.map((name) => cutoverNamed(name))) {
    for (const endpoint of ['db', 'web']) this.add(endpoint);
  }

  add(endpoint: string, status?: RunMember['status']): void {
    const memberId = `${endpoint}/i-${endpoint}`;
    this.catalogue.memberRows.set(memberId, { memberId, endpoint, instanceId: `i-${endpoint}`, findings: [], lastSeenAt: this.clock.now() } as unknown as EndpointMember);
    this.catalogue.runMemberRows.set(`run-1|${memberId}`, { runId: 'run-1', memberId, endpoint, status: status ?? 'PASSED', attempt: 1, instanceId: `i-new-${endpoint}`, actualPrivateIp: '10.0.0.5' } as RunMember);
  }

  get leases(): LeaseStore {
    return { lease: () => Promise.resolve(this.lease), saveLease: () => Promise.reject(new Error('a cutover does not write the lease')) };
  }

  once(line = new Lifeline(), executionName = 'run-1', mode: 'failover' | 'drill' = 'failover'): Promise<StepResult> {
    const { cutovers, catalogue, leases, traffic } = line.wrapAll({ cutovers: this.cutovers, catalogue: this.catalogue, leases: this.leases, traffic: this.traffic });
    const ports = { members: catalogue, runs: catalogue, cutovers, leases, kinds: kindsOf(traffic) };
    const config = runConfig({ cutover: this.configs });
    return cutOver({ config, run: { runId: 'run-1', mode, epoch: 3, waves: [0] }, executionName }, ports, this.clock.tools());
  }

  /** As the state machine does: again until it is done, and again when it was killed. */
  async run(executionName = 'run-1', at?: KillAt, then: 'retry' | 'new-execution' = 'retry'): Promise<{ error?: Error; calls: number }> {
    let line = new Lifeline(at);
    for (let turn = 0; turn < 100; turn += 1) {
      try {
        const { done, waitSeconds } = await this.once(line, executionName);
        if (done) return { calls: line.calls };
        this.clock.advance(waitSeconds);
      } catch (error) {
        if (!(error instanceof Killed)) return { error: error as Error, calls: line.calls };
        if (then === 'new-execution') return this.run('run-1-again');
        line = new Lifeline();
      }
    }
    throw new Error('it does not end');
  }

  sides(): string[] {
    return NAMES.map((name) => this.traffic.side(name));
  }

  statuses(): Record<string, string> {
    return Object.fromEntries([...this.cutovers.rows.values()].map(({ name, status }) => [name, status]));
  }

  steps() {
    return Object.fromEntries([...this.catalogue.stepRows.values()].map(({ name, outcome }) => [name, outcome]));
  }
}

describe('moving traffic', () => {
  test('goes through the cutovers in their order: read, apply, verify', async () => {
    const shop = new Switch();
    expect((await shop.run()).error).toBeUndefined();
    expect(shop.traffic.events).toEqual(NAMES.flatMap((name) => [`before ${name}`, `apply ${name}`, `verify ${name}`, `verify ${name}`]));
    expect(shop.sides()).toEqual(['recovery', 'recovery', 'recovery']);
    expect([...shop.cutovers.rows.values()][0]).toMatchObject({ status: 'VERIFIED', before: { side: 'source' }, handle: 'change-of-first', detail: 'traffic goes to recovery' });
  });

  test('is in the evidence step by step', async () => {
    const shop = new Switch();
    await shop.run();
    expect(shop.steps()).toEqual({ 'cutover': 'SUCCEEDED', 'cutover/first': 'SUCCEEDED', 'cutover/second': 'SUCCEEDED', 'cutover/third': 'SUCCEEDED' });
    expect(shop.catalogue.stepRows.get('run-1|cutover/second')).toMatchObject({ detail: 'traffic goes to recovery', endedAt: expect.any(String) });
    expect(shop.catalogue.stepRows.get('run-1|cutover')?.detail).toBe('first: verified; second: verified; third: verified');
  });

  test('is told of the recovered machines', async () => {
    const shop = new Switch();
    await shop.run();
    expect(shop.traffic.contexts[0]).toMatchObject({ project: 'shop', runId: 'run-1', idempotencyKey: 'run-1/cutover/first/1' });
    expect(shop.traffic.contexts[0]!.machines).toContainEqual({ memberId: 'web/i-web', endpoint: 'web', instanceId: 'i-new-web', privateIp: '10.0.0.5' });
  });

  test('is never done by a drill', async () => {
    const shop = new Switch();
    await expect(shop.once(undefined, undefined, 'drill')).rejects.toThrow('Run run-1 is a drill; only a failover moves traffic.');
    expect(shop.traffic.events).toEqual([]);
    expect(shop.cutovers.rows.size).toBe(0);
  });

  test('is not done by a run that is not the newest, nor is anything put back by it', async () => {
    const shop = new Switch();
    shop.lease = { ...shop.lease, epoch: 4, epochOf: 'run-2' };
    await expect(shop.once()).rejects.toMatchObject({ name: 'StaleEpoch' });
    expect(shop.traffic.events).toEqual(['before first']);
    const late = new Switch();
    late.traffic.refuse = (name, call) => {
      if (name !== 'second' || call !== 'apply') return;
      late.lease = { ...late.lease, epoch: 4, epochOf: 'run-2' };
      throw denied();
    };
    expect((await late.run()).error).toMatchObject({ name: 'StaleEpoch' });
    expect(late.traffic.sides.get('first')).toBe('recovery');
  });

  test('what is refused for now is tried again', async () => {
    const shop = new Switch();
    let refusals = 4;
    shop.traffic.refuse = (name) => {
      if (name === 'second' && refusals > 0) {
        refusals -= 1;
        throw throttled();
      }
    };
    expect((await shop.run()).error).toBeUndefined();
    expect(shop.statuses()).toEqual({ first: 'VERIFIED', second: 'VERIFIED', third: 'VERIFIED' });
  });

  test('without cutovers there is nothing to do', async () => {
    expect(await new Switch([]).once()).toEqual({ done: true, waitSeconds: 0 });
  });
});

describe('what a run has not recovered', () => {
  test('keeps its traffic where it is, and says so', async () => {
    const shop = new Switch([cutoverNamed('first'), cutoverNamed('second', { requires: ['db'] })]);
    shop.catalogue.runMemberRows.delete('run-1|web/i-web');
    expect((await shop.run()).error).toBeUndefined();
    expect(shop.statuses()).toEqual({ first: 'SKIPPED', second: 'VERIFIED' });
    expect(shop.catalogue.stepRows.get('run-1|cutover/first')?.detail).toBe('skipped: this run has not recovered web');
    expect(shop.catalogue.stepRows.get('run-1|cutover')?.detail).toContain('first: skipped: this run has not recovered web; second: verified');
  });

  test('an endpoint whose addresses are used is required; one without machines is not', async () => {
    const shop = new Switch([
      cutoverNamed('first', { kind: 'record', requires: [], values: [{ recovered: 'web' }] }),
      cutoverNamed('second', { requires: ['erp'] }), cutoverNamed('third'),
    ]);
    shop.add('web', 'FAILED');
    await shop.run();
    expect(shop.statuses()).toEqual({ first: 'SKIPPED', second: 'SKIPPED', third: 'SKIPPED' });
    shop.add('web');
    expect((await shop.run('run-1-again')).error).toBeUndefined();
    expect(shop.statuses()).toEqual({ first: 'VERIFIED', second: 'SKIPPED', third: 'VERIFIED' });
  });
});

describe('a cutover that fails', () => {
  test('is rolled back with all before it, in reverse order, and fails the run', async () => {
    const shop = new Switch();
    shop.traffic.invisible.add('third');
    const { error } = await shop.run();
    expect(error).toMatchObject({
      name: 'CutoverFailed',
      message: 'Cutover third failed: not verified within 60 s: traffic goes to recovery. Rolled back: first, second, third; traffic is as it was before.',
    });
    expect(shop.traffic.events.filter((event) => event.startsWith('rollBack'))).toEqual(['rollBack third', 'rollBack second', 'rollBack first']);
    expect(shop.sides()).toEqual(['source', 'source', 'source']);
    expect(shop.steps()).toEqual({
      'cutover': 'FAILED', 'cutover/first': 'SUCCEEDED', 'cutover/second': 'SUCCEEDED', 'cutover/third': 'FAILED',
      'cutover/first/roll-back': 'SUCCEEDED', 'cutover/second/roll-back': 'SUCCEEDED', 'cutover/third/roll-back': 'SUCCEEDED',
    });
  });

  test('before anything was applied leaves nothing to roll back', async () => {
    const shop = new Switch();
    shop.traffic.refuse = (_name, call) => { if (call === 'before') throw denied(); };
    expect((await shop.run()).error?.message).toContain('Apply: AccessDenied: no permission. Rolled back: nothing was applied; traffic is as it was before.');
    expect(shop.traffic.events).toEqual([]);
  });

  test('is rolled back also when its call was refused: it may have taken effect', async () => {
    const shop = new Switch();
    shop.traffic.refuse = (name, call) => { if (name === 'second' && call === 'apply') throw denied(); };
    expect((await shop.run()).error?.name).toBe('CutoverFailed');
    expect(shop.traffic.events.filter((event) => event.startsWith('rollBack'))).toEqual(['rollBack second', 'rollBack first']);
    expect(shop.statuses()).toEqual({ first: 'ROLLED_BACK', second: 'ROLLED_BACK' });
  });

  test.each([['for good', denied], ['for longer than there is time', throttled]])('what cannot be put back, refused %s, is named and does not hold up the rest', async (_how, refusal) => {
    const shop = new Switch();
    shop.traffic.invisible.add('third');
    shop.traffic.refuse = (name, call) => { if (name === 'second' && call === 'rollBack') throw refusal(); };
    const { error } = await shop.run();
    expect(error?.message).toContain('Rolled back: first, third; could not be put back: second.');
    expect(shop.statuses()).toEqual({ first: 'ROLLED_BACK', second: 'STUCK', third: 'ROLLED_BACK' });
    expect(shop.catalogue.stepRows.get('run-1|cutover/second/roll-back')).toMatchObject({ outcome: 'FAILED' });
  });

  test('can be resumed: begun anew, but never forgetting what was there before', async () => {
    const shop = new Switch();
    shop.traffic.invisible.add('third');
    shop.traffic.refuse = (name, call) => { if (name === 'second' && call === 'rollBack') throw denied(); };
    await shop.run();
    expect(shop.traffic.sides.get('second')).toBe('recovery');
    shop.traffic.invisible.clear();
    shop.traffic.refuse = () => undefined;
    expect((await shop.run('run-1-again')).error).toBeUndefined();
    expect(shop.statuses()).toEqual({ first: 'VERIFIED', second: 'VERIFIED', third: 'VERIFIED' });
    for (const { before, attempt } of shop.cutovers.rows.values()) expect([before, attempt]).toEqual([{ side: 'source' }, 2]);
    expect(shop.traffic.keys.size).toBe(6);
  });

  test('a defect is no refusal: it is thrown on, for the step to be repeated', async () => {
    const shop = new Switch();
    shop.traffic.refuse = () => { throw new TypeError('a defect'); };
    expect((await shop.run()).error).toBeInstanceOf(TypeError);
  });
});

describe('a whole run', () => {
  const config = runConfig({ cutover: NAMES.map((name) => cutoverNamed(name)) });
  const ready = () => protectedWorld(() => new World());
  const sides = (world: World) => NAMES.map((name) => world.traffic.side(name));

  test('that fails over moves traffic once the last machine has passed, and proves it', async () => {
    const world = await ready();
    const { evidence } = await recover(world, config, { meanwhile: (_world, step) => {
      if (step !== 'cutover') expect([step, sides(world)]).toEqual([step, step === 'finish' ? ['recovery', 'recovery', 'recovery'] : ['source', 'source', 'source']]);
    } });
    expect(evidence.status).toBe('SUCCEEDED');
    expect(evidence.steps.filter(({ name }) => name.startsWith('cutover')).map(({ name, outcome }) => [name, outcome])).toEqual([
      ['cutover', 'SUCCEEDED'], ['cutover/first', 'SUCCEEDED'], ['cutover/second', 'SUCCEEDED'], ['cutover/third', 'SUCCEEDED'],
    ]);
    expect(evidence.steps.at(-1)).toMatchObject({ detail: 'traffic goes to recovery', seconds: 5 });
  });

  test('that is a drill leaves traffic alone', async () => {
    const world = await ready();
    const { evidence } = await recover(world, config, { request: { mode: 'drill' } });
    expect(evidence.status).toBe('SUCCEEDED');
    expect(world.traffic.events).toEqual([]);
    expect(world.cutovers.rows.size).toBe(0);
    expect(evidence.steps.filter(({ name }) => name.startsWith('cutover'))).toEqual([]);
  });

  test('whose traffic cannot be moved ends as failed, with its machines left running, and can be resumed', async () => {
    const world = await ready();
    world.traffic.invisible.add('second');
    const { evidence, failure } = await recover(world, config);
    expect(failure?.name).toBe('CutoverFailed');
    expect(evidence).toMatchObject({ status: 'FAILED', error: expect.stringContaining('Cutover second failed') });
    expect(sides(world)).toEqual(['source', 'source', 'source']);
    expect(world.machines.alive()).toHaveLength(3);
    world.traffic.invisible.clear();
    const resumed = await recover(world, config, { request: { runId: 'run-1' }, name: 'second-execution' });
    expect(resumed.evidence).toMatchObject({ status: 'SUCCEEDED' });
    expect(sides(world)).toEqual(['recovery', 'recovery', 'recovery']);
    expect(world.machines.alive()).toHaveLength(3);
  });

  test('of some endpoints moves only the traffic that needs no others', async () => {
    const world = await ready();
    const partial = runConfig({ cutover: [cutoverNamed('first'), cutoverNamed('second', { requires: ['db'] })] });
    const { evidence } = await recover(world, partial, { request: { endpoints: ['db'] } });
    expect(evidence.status).toBe('SUCCEEDED');
    expect(sides(world)).toEqual(['source', 'recovery', 'source']);
    expect(evidence.steps.find(({ name }) => name === 'cutover/first')?.detail).toBe('skipped: this run has not recovered app, web');
  });
});

describe.each(['retry', 'new-execution'] as const)('killed at every call, then %s', (then) => {
  const every = async (make: () => Switch, when: KillAt['when'], assert: (shop: Switch, error: Error | undefined) => void) => {
    const { calls } = await make().run();
    expect(calls).toBeGreaterThan(20);
    for (let call = 1; call <= calls; call += 1) {
      const shop = make();
      const { error } = await shop.run('run-1', { call, when }, then);
      try {
        for (const { before } of shop.cutovers.rows.values()) expect(before ?? { side: 'source' }).toEqual({ side: 'source' });
        assert(shop, error);
      } catch (failure) {
        throw new Error(`killed ${when} call ${call} of ${calls}: ${String(failure)}`, { cause: failure });
      }
    }
  };

  test.each(['before', 'after'] as const)('%s the call, traffic is moved all the same', async (when) => {
    await every(() => new Switch(), when, (shop, error) => {
      expect(error).toBeUndefined();
      expect(shop.sides()).toEqual(['recovery', 'recovery', 'recovery']);
      expect(shop.statuses()).toEqual({ first: 'VERIFIED', second: 'VERIFIED', third: 'VERIFIED' });
      expect(Object.values(shop.steps())).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
    });
  });

  test.each(['before', 'after'] as const)('%s the call, a failure is rolled back all the same', async (when) => {
    const make = () => {
      const shop = new Switch();
      shop.traffic.invisible.add('third');
      return shop;
    };
    await every(make, when, (shop, error) => {
      expect(error?.name).toBe('CutoverFailed');
      expect(shop.sides()).toEqual(['source', 'source', 'source']);
      expect(Object.values(shop.statuses())).toEqual(['ROLLED_BACK', 'ROLLED_BACK', 'ROLLED_BACK']);
    });
  });
});
