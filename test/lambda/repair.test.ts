import { RefusedCall } from '../../lambda/adapters/errors';
import type { SwapInKinds, SwapVerdict } from '../../lambda/adapters/ports/repair';
import type { RunConfig, SwapInConfig } from '../../lambda/core/config';
import type { RunRequest } from '../../lambda/core/model';
import { Tag } from '../../lambda/core/tags';
import { beginRun } from '../../lambda/run/begin';
import { runHooks } from '../../lambda/run/hooks';
import { fenceFailed } from '../../lambda/run/repair/fence';
import { placeFor } from '../../lambda/run/repair/place';
import { swapIn } from '../../lambda/run/repair/swap-in';
import type { RunRef, StepResult } from '../../lambda/run/run';
import { Killed, Lifeline, type KillAt } from './fakes/lifeline';
import { hookArn, protectedWorld, runConfig } from './fakes/run-driver';
import { World } from './fakes/world';

const ARN = 'arn:aws:states:us-west-2:123456789012:execution:run:';
const SWAPS: SwapInConfig[] = [
  { kind: 'target-group', targetGroupArn: 'tg', timeoutSeconds: 60 }, { kind: 'elastic-ip', allocationId: 'eipalloc-1', timeoutSeconds: 60 },
];
const config = (change: Partial<RunConfig> = {}): RunConfig => runConfig({
  repair: {
    subnets: [{ subnetId: 'subnet-b', availabilityZone: 'us-east-1b' }], keepReplacedSeconds: 3600,
    endpoints: { app: { redeploy: [{ name: 'deploy', kind: 'lambda', target: hookArn, timeoutSeconds: 60, onFailure: 'fail' }], swapIn: SWAPS } },
  },
  ...change,
});

/** Every machine has a recovery point, and is in zone a. */
async function ready(): Promise<World> {
  const world = await protectedWorld(() => new World());
  for (const [id, member] of world.catalogue.memberRows) {
    world.catalogue.memberRows.set(id, { ...member, settings: { ...member.settings, subnetId: 'subnet-a', availabilityZone: 'us-east-1a', securityGroupIds: ['sg-app'], privateIp: '10.0.0.9' } });
  }
  return world;
}

const portsOf = (world: World, line = new Lifeline()) => {
  const catalogue = line.wrap(world.catalogue);
  const machines = line.wrap(world.machines);
  return {
    members: catalogue, points: catalogue, runs: catalogue, leases: catalogue, fences: catalogue, recovery: line.wrap(world.cloud.recovery), executions: line.wrap(world.executions), machines,
    sourceMachines: machines, source: line.wrap(world.oldSide), roles: line.wrap(world.oldSide), roots: machines, sourceTags: machines, functions: line.wrap(world.functions), commands: line.wrap(world.commands),
    zones: { states: () => Promise.resolve(world.zones) }, back: { members: line.wrap(world.back), points: line.wrap(world.back) },
  };
};
const begin = (world: World, request: Partial<RunRequest>, given = config(), name = 'fix', line?: Lifeline): Promise<RunRef> => (
  beginRun({ config: given, request: { mode: 'repair', ...request }, executionName: name, executionArn: `${ARN}${name}` }, portsOf(world, line), world.tools()));
const member = async (world: World) => (await world.catalogue.runMembers('fix'))[0]!;

/** A step until it is done; a killed one is called again. */
async function toTheEnd(world: World, step: (line: Lifeline) => Promise<StepResult>, killAt?: KillAt): Promise<number> {
  let line = new Lifeline(killAt);
  for (let turns = 0; turns < 200; turns += 1) {
    try {
      const { done, waitSeconds } = await step(line);
      if (done) return line.calls;
      world.clock.advance(waitSeconds);
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      line = new Lifeline();
    }
  }
  throw new Error('the loop does not end');
}

describe('what is asked for', () => {
  test.each<[string, Partial<RunRequest>, RegExp]>([
    ['no endpoint', {}, /needs "endpoints".*app, db, web/],
    ['an unknown endpoint', { endpoints: ['apps'] }, /No endpoint is called apps/],
    ['a machine of another endpoint', { endpoints: ['app'], members: ['web/i-web'] }, /web\/i-web is no machine of app; there is app\/i-app/],
    ['a time before there was anything', { endpoints: ['app'], selection: { kind: 'before', time: '2020-01-01T00:00:00Z' } }, /Nothing was changed. app\/i-app: /],
    ['a zone without an alternative', { endpoints: ['app'], avoidZones: ['us-east-1a', 'us-east-1b'] }, /zone us-east-1a is to be avoided, and the project's repair names no subnet/],
  ])('%s is refused, and nothing is changed', async (_name, request, message) => {
    const world = await ready();
    await expect(begin(world, request)).rejects.toMatchObject({ name: 'InvalidRequest', message: expect.stringMatching(message) });
    expect(await world.catalogue.runs()).toEqual([]);
    expect((await world.catalogue.lease()).epoch).toBe(0);
  });

  test('a project without repair, and one whose recovery side is active, are told what to do', async () => {
    const world = await ready();
    await expect(begin(world, { endpoints: ['app'] }, runConfig())).rejects.toThrow('Give it `repair: Repair.inSource()`');
    const lease = await world.catalogue.lease();
    await world.catalogue.saveLease({ ...lease, active: 'recovery', activeSince: world.clock.now(), version: 1 }, lease);
    await expect(begin(world, { endpoints: ['app'] })).rejects.toThrow('The recovery side is active since');
  });

  test('a platform that needs its billing code, and points whose snapshots are gone from the source, are refused with the way out', async () => {
    const world = await ready();
    const app = world.catalogue.memberRows.get('app/i-app')!;
    world.catalogue.memberRows.set('app/i-app', { ...app, settings: { ...app.settings, platformDetails: 'Windows' } });
    await expect(begin(world, { endpoints: ['app'] })).rejects.toThrow(/platform "Windows" needs its billing code.*Replace its root volume in EC2 from snapshot snap-/s);
    const other = await ready();
    const [point] = await other.catalogue.completePoints('app/i-app');
    await other.catalogue.savePoint({ ...point!, volumes: point!.volumes.map(({ sourceSnapshotId: _gone, ...volume }) => volume), version: point!.version + 1 }, point!.version);
    await expect(begin(other, { endpoints: ['app'] })).rejects.toThrow(/sourceRetention.*Recover it in the recovery Region instead/s);
  });

  test('a source Region that does not answer is not repaired in', async () => {
    const world = await ready();
    const ports = { ...portsOf(world), zones: { states: () => Promise.reject(new RefusedCall('DescribeAvailabilityZones', 'unreachable', 'TimeoutError', 'no answer')) } };
    await expect(beginRun({ config: config(), request: { mode: 'repair', endpoints: ['app'] }, executionName: 'fix', executionArn: ARN }, ports, world.tools())).rejects.toThrow(/us-east-1 does not answer .* fail over/);
  });
});

describe('the plan', () => {
  test('a new machine in the old one\'s subnet, from the snapshots that are there', async () => {
    const world = await ready();
    expect(await begin(world, { endpoints: ['app'] })).toMatchObject({ mode: 'repair', epoch: 1, waves: [1] });
    const planned = await member(world);
    expect(planned).toMatchObject({ status: 'PLANNED', launchMethod: 'registered-image', replaces: 'i-app', subnetId: 'subnet-a', notes: [expect.stringContaining('a new private address')] });
    expect(planned.volumes.every(({ recoverySnapshotId, sourceSnapshotId }) => recoverySnapshotId === sourceSnapshotId)).toBe(true);
    expect((await world.catalogue.completePoints('app/i-app')).find(({ pointId }) => pointId === planned.pointId)?.pinnedBy).toEqual(['fix']);
    expect(await world.catalogue.lease()).toMatchObject({ active: 'source', holder: { mode: 'repair' } });
  });

  test('in another zone where EC2 calls its own impaired', async () => {
    const world = await ready();
    world.zones.set('us-east-1a', 'impaired');
    await begin(world, { endpoints: ['app'] });
    expect(await member(world)).toMatchObject({ subnetId: 'subnet-b', notes: [expect.stringContaining('zone us-east-1a is impaired'), expect.anything()] });
  });

  test('killed at any call and begun again by the next execution, it is the same plan', async () => {
    const first = await ready();
    const line = new Lifeline();
    await begin(first, { endpoints: ['app'] }, config(), 'fix', line);
    for (let call = 1; call <= line.calls; call += 1) {
      for (const when of ['before', 'after'] as const) {
        const world = await ready();
        await begin(world, { endpoints: ['app'] }, config(), 'fix', new Lifeline({ call, when })).catch(() => undefined);
        await begin(world, { endpoints: ['app'], runId: 'fix' }, config(), 'again');
        expect(await world.catalogue.runMembers('fix')).toHaveLength(1);
        expect(await member(world)).toMatchObject({ replaces: 'i-app', subnetId: 'subnet-a', status: 'PLANNED' });
      }
    }
  }, 60_000);

  test('zones', () => {
    const states = new Map([['a', 'available'], ['b', 'impaired'], ['c', 'available']]);
    const repair = { subnets: [{ subnetId: 'sb', availabilityZone: 'b' }, { subnetId: 'sc', availabilityZone: 'c' }], endpoints: {}, keepReplacedSeconds: 1 };
    expect(placeFor({ subnetId: 'sa', availabilityZone: 'a' }, repair, states, [])).toEqual({ subnetId: 'sa' });
    expect(placeFor({ subnetId: 'sa', availabilityZone: 'a' }, repair, states, ['a'])).toMatchObject({ subnetId: 'sc' });
    expect(placeFor({ subnetId: 'sx', availabilityZone: 'gone' }, repair, states, [])).toMatchObject({ subnetId: 'sc', note: expect.stringContaining('is not listed') });
    expect(placeFor({ availabilityZone: 'a' }, repair, states, [])).toHaveProperty('problem');
  });
});

test('the failed machine is stopped and marked, whatever the project\'s fencing; the others run on', async () => {
  const world = await ready();
  const run = await begin(world, { endpoints: ['app'] });
  const tagged: string[][] = [];
  world.machines.tag = (ids, tags) => { tagged.push([...ids, ...Object.keys(tags)]); return Promise.resolve(); };
  await toTheEnd(world, (line) => fenceFailed({ config: config(), run }, portsOf(world, line), world.tools()));
  expect(world.oldSide.running()).toEqual(['i-web', 'i-db']);
  expect(tagged).toEqual([['i-app', Tag.PROJECT, Tag.REPLACED_BY, Tag.EXPIRES_AT]]);
  expect(await world.catalogue.lease()).toMatchObject({ active: 'source' });
});

test('redeploy hooks run on the new machines of their endpoint only', async () => {
  const world = await ready();
  const run = await begin(world, { endpoints: ['app', 'web'] });
  for (const each of await world.catalogue.runMembers('fix')) await world.catalogue.saveRunMember({ ...each, status: 'RUNNING', instanceId: `new-${each.endpoint}` }, each);
  world.functions.answer = () => ({ payload: {} });
  await toTheEnd(world, (line) => runHooks({ config: config(), run, wave: 1, phase: 'redeploy' }, portsOf(world, line), world.tools()));
  expect(world.functions.events.map(({ payload }) => [payload.hook, payload.phase, (payload.members as { instanceId: string }[]).map(({ instanceId }) => instanceId)])).toEqual([['app.deploy', 'redeploy', ['new-app']]]);
});

describe('swap-in', () => {
  interface Fake { readonly log: string[]; readonly kinds: SwapInKinds }

  /** Each takes three looks: it acts, it waits, it is done. */
  const kindsOf = (verdict?: (kind: string, look: number) => SwapVerdict | Error): Fake => {
    const log: string[] = [];
    const looks = new Map<string, number>();
    const kind = (name: string) => ({
      advance: async ({ old, fresh, confirm }: { old: { instanceId: string }; fresh: { instanceId: string }; confirm: () => Promise<void> }): Promise<SwapVerdict> => {
        const look = (looks.get(name) ?? 0) + 1;
        looks.set(name, look);
        const answer = verdict?.(name, look) ?? { done: look >= 3, detail: `${name} of ${old.instanceId} is ${fresh.instanceId}'s` };
        if (answer instanceof Error) throw answer;
        if (look === 1) {
          await confirm();
          log.push(name);
        }
        return answer;
      },
    });
    return { log, kinds: { 'target-group': kind('target-group'), 'elastic-ip': kind('elastic-ip'), 'network-interface': kind('network-interface'), 'record': kind('record') } };
  };

  async function repaired(): Promise<{ world: World; run: RunRef }> {
    const world = await ready();
    const run = await begin(world, { endpoints: ['app'] });
    const planned = await member(world);
    await world.catalogue.saveRunMember({ ...planned, status: 'PASSED', instanceId: 'i-new', actualPrivateIp: '10.0.0.99' }, planned);
    return { world, run };
  }

  const swap = (world: World, run: RunRef, fake: Fake, killAt?: KillAt) => toTheEnd(world, (line) => (
    swapIn({ config: config(), run }, { ...portsOf(world, line), kinds: fake.kinds }, world.tools())), killAt);

  test('each in its order, the next once the one before is seen', async () => {
    const { world, run } = await repaired();
    const fake = kindsOf();
    await swap(world, run, fake);
    expect(fake.log).toEqual(['target-group', 'elastic-ip']);
    const steps = await world.catalogue.steps('fix');
    expect(steps.filter(({ name }) => name.startsWith('swap-in/')).map(({ name, outcome }) => [name, outcome])).toEqual([['swap-in/app/i-app/1-target-group', 'SUCCEEDED'], ['swap-in/app/i-app/2-elastic-ip', 'SUCCEEDED']]);
    expect(steps.find(({ name }) => name === 'swap-in')?.detail).toContain("target-group of i-app is i-new's");
  });

  test('killed at any call it goes on', async () => {
    const { world: first, run: firstRun } = await repaired();
    const calls = await swap(first, firstRun, kindsOf());
    for (let call = 1; call <= calls; call += 1) {
      const { world, run } = await repaired();
      await swap(world, run, kindsOf(), { call, when: 'after' });
      expect((await world.catalogue.steps('fix')).find(({ name }) => name === 'swap-in')).toMatchObject({ outcome: 'SUCCEEDED' });
    }
  }, 60_000);

  test('what must not be changed, or does not show in time, fails the run and names what is done', async () => {
    const { world, run } = await repaired();
    const others = kindsOf((kind) => (kind === 'elastic-ip' ? new RefusedCall('AssociateAddress', 'invalid', 'InUseByOthers', 'is i-other\'s') : { done: true, detail: 'registered' }));
    await expect(swap(world, run, others)).rejects.toMatchObject({ name: 'SwapInFailed', message: expect.stringMatching(/elastic-ip: .*InUseByOthers.*Done before: registered/) });
    const late = await repaired();
    await expect(swap(late.world, late.run, kindsOf(() => ({ done: false, detail: 'i-new is unhealthy' })))).rejects.toMatchObject({ message: expect.stringMatching(/not done within 60 s: i-new is unhealthy/) });
  });

  test('a run that a newer one has overtaken changes nothing', async () => {
    const { world, run } = await repaired();
    const lease = await world.catalogue.lease();
    await world.catalogue.saveLease({ ...lease, epoch: 9, epochOf: 'other', version: lease.version + 1 }, lease);
    const fake = kindsOf();
    await expect(swap(world, run, fake)).rejects.toMatchObject({ name: 'StaleEpoch' });
    expect(fake.log).toEqual([]);
  });
});
