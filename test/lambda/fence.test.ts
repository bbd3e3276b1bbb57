import { RefusedCall } from '../../lambda/adapters/errors';
import type { FenceGuardConfig } from '../../lambda/core/config';
import { judgeFencing, type FencingConfig } from '../../lambda/core/fencing';
import { Tag } from '../../lambda/core/tags';
import { guardFence } from '../../lambda/upkeep/fence-guard';
import { protectedWorld, recover, runConfig, type RunOptions } from './fakes/run-driver';
import { cycleConfig, PROJECT, World } from './fakes/world';

const fencingBy = (actions: FencingConfig['actions'], whenUnreachable: FencingConfig['whenUnreachable'] = 'on-request'): FencingConfig => ({
  actions, whenUnreachable, timeoutSeconds: 300, endpoints: cycleConfig().endpoints,
});
const STOP = fencingBy([{ kind: 'stop', forceAfterSeconds: 60 }]);
const ROLE = 'arn:aws:iam::123456789012:role/app';

const ready = () => protectedWorld(() => {
  const world = new World();
  for (const [id, instance] of world.cloud.instances) world.cloud.instances.set(id, { ...instance, instanceProfileArn: ROLE.replace(':role/', ':instance-profile/') });
  return world;
});
const failOver = (world: World, fencing: FencingConfig, options: RunOptions = {}) => recover(world, runConfig({ fencing }), options);
const RUN = 'run-1';

/** What was running in the source when the first machine was launched. */
function watching(world: World): { running: () => string[] | undefined } {
  let seen: string[] | undefined;
  const launch = world.machines.launch.bind(world.machines);
  world.machines.launch = (spec) => {
    seen ??= world.oldSide.running();
    return launch(spec);
  };
  return { running: () => seen };
}

describe('stopping the old machines', () => {
  test('is verified before anything is launched, and in the evidence', async () => {
    const world = await ready();
    const { running } = watching(world);
    const { evidence } = await failOver(world, STOP);
    expect(running()).toEqual([]);
    expect(evidence).toMatchObject({ status: 'SUCCEEDED', fencing: { oldSide: 'fenced' } });
    expect(evidence.fencing?.results.map(({ memberId, action, outcome, detail }) => [memberId, action, outcome, detail])).toEqual(
      ['app', 'db', 'web'].map((name) => [`${name}/i-${name}`, 'stop', 'fenced', 'stopped']));
    for (const { startedAt, verifiedAt } of evidence.fencing!.results) expect(verifiedAt! > startedAt).toBe(true);
    expect(world.cloud.count('source', 'StopInstances')).toBe(1);
    expect(evidence.steps.find(({ name }) => name === 'fence')).toMatchObject({ outcome: 'SUCCEEDED', detail: 'old side fenced; recovery side active under epoch 1' });
  });

  test('finds machines that no cycle has seen, and leaves other endpoints alone', async () => {
    const world = await ready();
    world.cloud.addInstance('i-new', { [Tag.PROJECT]: PROJECT, [Tag.ENDPOINT]: 'db' });
    const { evidence } = await failOver(world, STOP, { request: { endpoints: ['db'] } });
    expect(evidence.fencing?.results.map(({ memberId }) => memberId)).toEqual(['db/i-db', 'db/i-new']);
    expect(world.oldSide.running()).toEqual(['i-web', 'i-app']);
  });

  test('a machine that hangs is switched off; one that is gone is fenced', async () => {
    const world = await ready();
    world.oldSide.of('i-db').hangs = true;
    world.cloud.instances.delete('i-web');
    const { evidence } = await failOver(world, STOP);
    expect(evidence.fencing).toMatchObject({ oldSide: 'fenced', results: [{ outcome: 'fenced' }, { outcome: 'fenced', forcedAt: expect.any(String) }, { detail: 'EC2 does not have the machine any more' }] });
  });

  test('one machine that may not be stopped does not keep the others running; the run ends before it launches', async () => {
    const world = await ready();
    const stop = world.oldSide.stop.bind(world.oldSide);
    world.oldSide.stop = (ids, force) => (ids.includes('i-db') ? Promise.reject(new RefusedCall('StopInstances', 'invalid', 'OperationNotPermitted', 'stop protection')) : stop(ids, force));
    const { failure, evidence } = await failOver(world, STOP);
    expect(failure).toMatchObject({ name: 'FenceFailed', message: expect.stringMatching(/Not known to be fenced: \S+ \(stop\): StopInstances: OperationNotPermitted.*"acceptUnreachable"/) });
    expect(evidence.fencing?.results.filter(({ outcome }) => outcome === 'failed')).toHaveLength(1);
    expect(world.oldSide.running()).toEqual(['i-db']);
    expect(world.machines.alive()).toHaveLength(0);
    expect(world.catalogue.leaseRow).toMatchObject({ active: 'source' });
    world.oldSide.stop = stop;
    const { evidence: resumed } = await failOver(world, STOP, { request: { runId: RUN }, name: 'resumed' });
    expect(resumed).toMatchObject({ status: 'SUCCEEDED', fencing: { oldSide: 'fenced' } });
  });

  test('that is never verified fails after its time', async () => {
    const world = await ready();
    world.oldSide.stop = () => Promise.resolve();
    const { failure } = await failOver(world, STOP);
    expect(failure).toMatchObject({ name: 'FenceFailed', message: expect.stringMatching(/not verified after 3[0-3]\d s: (stopping|running)/) });
  });

  test('throttled calls are made again', async () => {
    const world = await ready();
    world.cloud.failNext('source', 'DescribeInstances', 'throttled', 'RequestLimitExceeded', 2);
    world.cloud.failNext('source', 'StopInstances', 'throttled', 'RequestLimitExceeded', 2);
    expect((await failOver(world, STOP)).evidence.fencing?.oldSide).toBe('fenced');
  });
});

describe('other ways', () => {
  test('isolation keeps the former security groups in the record', async () => {
    const world = await ready();
    const { evidence } = await failOver(world, fencingBy([{ kind: 'isolate', securityGroupId: 'sg-none' }]));
    expect(world.oldSide.of('i-db').groups).toEqual(['sg-none']);
    expect(evidence.fencing?.results[0]).toMatchObject({ action: 'isolate', outcome: 'fenced', before: ['sg-app'], detail: 'isolated in sg-none' });
  });

  test('revoked sessions: a policy that names the old machines, read back', async () => {
    const world = await ready();
    const action = { kind: 'revoke-sessions' as const, roleArns: [ROLE], policyName: 'fenced' };
    const { evidence } = await failOver(world, fencingBy([action]));
    const { Statement } = JSON.parse(world.oldSide.policies.get('app/fenced')!) as { Statement: unknown[] };
    expect(Statement).toEqual([
      { Sid: 'OldSessions', Effect: 'Deny', Action: '*', Resource: '*', Condition: { DateLessThan: { 'aws:TokenIssueTime': evidence.fencing!.results[0]!.startedAt } } },
      { Sid: 'OldMachines', Effect: 'Deny', Action: '*', Resource: '*', Condition: { ArnEquals: { 'ec2:SourceInstanceARN': ['app', 'db', 'web'].map((name) => `arn:aws:ec2:us-east-1:123456789012:instance/i-${name}`) } } },
    ]);
    expect(evidence.fencing?.oldSide).toBe('fenced');
    const another = await failOver(await ready(), fencingBy([{ ...action, roleArns: [] }]));
    expect(another.failure?.message).toContain(`its role ${ROLE} is not one that Fencing.revokeSessions names`);
  });

  test('a function is asked once, and told what it needs', async () => {
    const world = await ready();
    const lambda = { kind: 'lambda' as const, name: 'array', target: 'arn:fence', timeoutSeconds: 60, parameters: { volume: 7 } };
    world.functions.answer = () => ({ payload: { fenced: true, detail: 'volume is read-only' } });
    const { evidence } = await failOver(world, fencingBy([lambda, { kind: 'stop', forceAfterSeconds: 60 }]));
    expect(world.functions.events).toEqual([expect.objectContaining({ arn: 'arn:fence', payload: expect.objectContaining({ volume: 7, project: 'shop', epoch: 1, idempotencyKey: 'run-1/fence/array', sourceRegion: 'us-east-1' }) })]);
    expect(evidence.fencing?.results.filter(({ action }) => action === 'array')).toHaveLength(3);
    const refusing = await ready();
    refusing.functions.answer = () => ({ payload: { fenced: false, detail: 'the array does not answer', unreachable: true } });
    expect((await failOver(refusing, fencingBy([lambda], 'accept'))).evidence.fencing).toMatchObject({ oldSide: 'unreachable', acceptedBy: 'policy: UnreachablePolicy.accept()' });
  });
});

describe('a source Region that does not answer', () => {
  const dead = async (): Promise<World> => {
    const world = await ready();
    world.cloud.refused.add('source');
    return world;
  };

  test('ends the run unless somebody accepts it; then the evidence names who', async () => {
    const world = await dead();
    const { failure } = await failOver(world, STOP);
    expect(failure).toMatchObject({ name: 'FenceFailed', message: expect.stringContaining('the source Region does not answer') });
    expect(world.machines.alive()).toHaveLength(0);
    const { evidence } = await failOver(world, STOP, { request: { runId: RUN, acceptUnreachable: 'ada@example.com' }, name: 'resumed' });
    expect(evidence).toMatchObject({ status: 'SUCCEEDED', epoch: 1, fencing: { oldSide: 'unreachable', acceptedBy: 'ada@example.com' } });
    expect(evidence.fencing?.results.map(({ outcome }) => outcome)).toEqual(['unreachable', 'unreachable', 'unreachable']);
    expect(world.catalogue.leaseRow).toMatchObject({ active: 'recovery', oldSide: 'unreachable', acceptedBy: 'ada@example.com' });
  });

  test('is accepted by policy, or never', async () => {
    expect((await failOver(await dead(), fencingBy(STOP.actions, 'accept'))).evidence).toMatchObject({ status: 'SUCCEEDED', fencing: { acceptedBy: 'policy: UnreachablePolicy.accept()' } });
    const refused = await failOver(await dead(), fencingBy(STOP.actions, 'refuse'), { request: { acceptUnreachable: 'ada' } });
    expect(refused.failure?.message).toContain('The project\'s policy is to end the run then');
  });

  test('costs one call, however many machines there are', async () => {
    const world = await dead();
    const before = world.cloud.calls.length;
    await failOver(world, fencingBy(STOP.actions, 'accept'));
    expect(world.cloud.calls.slice(before).filter(({ side }) => side === 'source')).toHaveLength(1);
  });

  test('a call that was refused is not accepted by a policy for unreachable Regions', () => {
    const record = { runId: 'r', memberId: 'db/i-1', action: 'stop', startedAt: '', outcome: 'failed' as const, detail: 'denied' };
    expect(judgeFencing(fencingBy(STOP.actions, 'accept'), [record], undefined)).toMatchObject({ goOn: false });
    expect(judgeFencing(fencingBy(STOP.actions, 'accept'), [record], 'ada')).toMatchObject({ goOn: true, oldSide: 'unreachable', acceptedBy: 'ada' });
  });

  test.each([[7, 'name who accepts'], ['', 'name who accepts']])('acceptUnreachable %j is refused', async (acceptUnreachable, message) => {
    const { failure } = await failOver(await dead(), STOP, { request: { acceptUnreachable: acceptUnreachable as string } });
    expect(failure).toMatchObject({ name: 'InvalidRequest', message: expect.stringContaining(message) });
  });
});

describe('the guard', () => {
  const config: FenceGuardConfig = { project: PROJECT, sourceRegion: 'us-east-1', recoveryRegion: 'us-west-2', fencing: STOP, topicArn: 'arn:topic' };

  async function failedOver(fencing = fencingBy(STOP.actions, 'accept')) {
    const world = await ready();
    world.cloud.refused.add('source');
    await failOver(world, fencing);
    return guarding(world);
  }

  function guarding(world: World) {
    const told: string[] = [];
    const ports = {
      runs: world.catalogue, leases: world.catalogue, fences: world.catalogue, source: world.oldSide, roles: world.oldSide, functions: world.functions,
      machines: world.machines, roots: world.machines, notifications: { publish: (_topic: string, subject: string) => Promise.resolve(void told.push(subject)) },
    };
    return { world, told, ports, look: () => guardFence({ config }, ports, world.tools()) };
  }

  test('after a failback it stops what was replaced and runs again, unless a run is at work', async () => {
    const { world, told, look } = await failedOver();
    const lease = await world.catalogue.lease();
    const back = { ...lease, active: 'source' as const, activeEpoch: 2, epoch: 2, version: lease.version + 1 };
    await world.catalogue.saveLease({ ...back, holder: { runId: 'next', executionArn: 'x', mode: 'failover', since: world.clock.now() } }, lease);
    const [one, ...rest] = world.machines.alive();
    await world.machines.tag([one!.instanceId], { [Tag.REPLACED_BY]: 'back' });
    world.clock.advance(60);
    expect(await look()).toEqual({ state: 'idle', acted: [] });
    const held = await world.catalogue.lease();
    await world.catalogue.saveLease({ ...back, version: held.version + 1 }, held);
    expect(await look()).toEqual({ state: 'pending', acted: [one!.instanceId] });
    expect(told).toEqual([expect.stringContaining('replaced machines stopped')]);
    expect(await look()).toEqual({ state: 'idle', acted: [] });
    expect(world.machines.alive().filter(({ state }) => state === 'running').map(({ instanceId }) => instanceId).sort()).toEqual(rest.map(({ instanceId }) => instanceId).sort());
  });

  test('does nothing while the source is active', async () => {
    const { look, world } = guarding(await ready());
    const before = world.cloud.calls.length;
    expect(await look()).toEqual({ state: 'idle', acted: [] });
    expect(world.cloud.calls).toHaveLength(before);
  });

  test('fences the old side as soon as its Region answers, tells, and notes it', async () => {
    const { look, world, told } = await failedOver();
    expect(await look()).toEqual({ state: 'unreachable', acted: [] });
    expect(world.oldSide.running()).toHaveLength(3);
    world.cloud.refused.clear();
    expect(await look()).toEqual({ state: 'pending', acted: ['db/i-db', 'app/i-app', 'web/i-web'].sort() });
    world.clock.advance(60);
    expect(await look()).toEqual({ state: 'fenced', acted: [] });
    expect(world.oldSide.running()).toEqual([]);
    expect(told).toEqual(['Disaster recovery shop: the old side runs and is being fenced', 'Disaster recovery shop: the old side is fenced']);
    expect(world.catalogue.leaseRow).toMatchObject({ active: 'recovery', oldSide: 'fenced', changedBy: 'fence-guard' });
    expect(world.catalogue.runRows.get(RUN)).toMatchObject({ oldSide: 'fenced', acceptedBy: 'policy: UnreachablePolicy.accept()' });
  });

  test('fences a machine that somebody started again, and writes nothing while all is well', async () => {
    const world = await ready();
    await failOver(world, STOP);
    const { look, told } = guarding(world);
    const writes = jest.spyOn(world.catalogue, 'saveFence');
    world.clock.advance(60);
    expect(await look()).toMatchObject({ state: 'fenced', acted: [] });
    expect(writes).not.toHaveBeenCalled();
    world.oldSide.of('i-db').state = 'running';
    expect(await look()).toEqual({ state: 'pending', acted: ['db/i-db'] });
    world.clock.advance(60);
    expect(await look()).toMatchObject({ state: 'fenced' });
    expect(told).toEqual(['Disaster recovery shop: the old side runs and is being fenced']);
  });

  test('stands down when a run begins that may change the active side, even between two of its own calls', async () => {
    const { look, world } = await failedOver();
    world.cloud.refused.clear();
    const machinesWithTags = world.oldSide.machinesWithTags.bind(world.oldSide);
    world.oldSide.machinesWithTags = (tags) => {
      world.catalogue.leaseRow = { ...world.catalogue.leaseRow, holder: { runId: 'back', executionArn: 'arn:back', mode: 'failback' as never, since: '' } };
      return machinesWithTags(tags);
    };
    await expect(look()).rejects.toThrow('The fence guard stands down');
    expect(world.oldSide.running()).toHaveLength(3);
    expect(await look()).toMatchObject({ state: 'idle' });
  });

  test('an old side that answers and cannot be fenced is an error, for the alarm', async () => {
    const { look, world } = await failedOver();
    world.cloud.refused.clear();
    world.cloud.failNext('source', 'StopInstances', 'denied', 'UnauthorizedOperation', 10);
    await expect(look()).rejects.toThrow(/The old side cannot be fenced: .*UnauthorizedOperation/);
    expect(world.catalogue.leaseRow.oldSide).toBe('unreachable');
  });

  test('stops a machine that a call of an older run launched too late', async () => {
    const world = await ready();
    await failOver(world, STOP, { request: { endpoints: ['db'] } });
    await failOver(world, STOP, { name: 'run-2', request: { again: true } });
    const [newer] = world.machines.alive().filter(({ tags }) => tags[Tag.MEMBER] === 'db/i-db' && tags[Tag.EPOCH] === '2');
    const [older] = world.machines.alive().filter(({ tags }) => tags[Tag.EPOCH] === '1');
    await world.machines.start(older!.instanceId);
    const { look, told } = guarding(world);
    await look();
    const state = (id: string) => world.machines.alive().find(({ instanceId }) => instanceId === id)?.state;
    expect([state(older!.instanceId), state(newer!.instanceId)]).toEqual(['stopped', 'running']);
    expect(told).toEqual(['Disaster recovery shop: machines of an older run stopped']);
  });
});
