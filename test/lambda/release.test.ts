import { releaseFences } from '../../lambda/run/failback/release';
import type { FencingConfig } from '../../lambda/core/fencing';
import { plainTools } from '../../lambda/runtime/tools';
import { protectedWorld, recover, runConfig } from './fakes/run-driver';
import { cycleConfig, World } from './fakes/world';

const ROLE = 'arn:aws:iam::123456789012:role/app';
const POLICY = 'disaster-recovery-shop-fenced';
const fencingBy = (...actions: FencingConfig['actions'][number][]): FencingConfig => ({ actions, whenUnreachable: 'on-request', timeoutSeconds: 300, endpoints: cycleConfig().endpoints });
const ISOLATE = { kind: 'isolate', securityGroupId: 'sg-isolated' } as const;
const REVOKE = { kind: 'revoke-sessions', roleArns: [ROLE], policyName: POLICY } as const;
const ASK = { kind: 'lambda', name: 'storage', target: 'arn:aws:lambda:us-west-2:1:function:storage', timeoutSeconds: 60 } as const;

/** A project that has failed over with this fencing, and a failback that has planned the same members. */
async function failedOver(fencing: FencingConfig) {
  const world = await protectedWorld(() => {
    const made = new World();
    for (const [id, instance] of made.cloud.instances) made.cloud.instances.set(id, { ...instance, instanceProfileArn: ROLE.replace(':role/', ':instance-profile/') });
    return made;
  });
  world.functions.answer = (_arn, { act }) => ({ payload: act === 'fence' ? { fenced: true } : act === 'release' ? { released: true } : { passed: true } });
  const config = runConfig({ fencing });
  const { evidence } = await recover(world, config);
  expect(evidence.status).toBe('SUCCEEDED');
  const failover = (await world.catalogue.run('run-1'))!;
  const back = { ...failover, runId: 'back', mode: 'failback' as const, status: 'RUNNING' as const, epoch: 2 };
  await world.catalogue.createRun(back);
  for (const member of await world.catalogue.runMembers('run-1')) await world.catalogue.createRunMember({ ...member, runId: 'back', status: 'PLANNED' });
  const lease = await world.catalogue.lease();
  await world.catalogue.saveLease({ ...lease, epoch: 2, epochOf: 'back', holder: { runId: 'back', executionArn: 'x', mode: 'failback', since: world.clock.now() }, version: lease.version + 1 }, lease);
  const ports = {
    runs: world.catalogue, leases: world.catalogue, fences: world.catalogue, machines: world.machines, roots: world.machines,
    sourceTags: world.machines, source: world.oldSide, roles: world.oldSide, functions: world.functions,
  };
  const tools = plainTools({ now: () => world.clock.now() });
  const step = () => releaseFences({ config, run: { runId: 'back', mode: 'failback', epoch: 2, waves: [0] } }, ports, tools);
  return { world, step };
}

test('machines get the security groups back that they had', async () => {
  const { world, step } = await failedOver(fencingBy(ISOLATE));
  expect(world.oldSide.of('i-db').groups).toEqual(['sg-isolated']);
  expect(await step()).toMatchObject({ done: false });
  expect(await step()).toMatchObject({ done: true });
  for (const id of ['i-app', 'i-db', 'i-web']) expect(world.oldSide.of(id).groups).toEqual(['sg-app']);
});

test('a machine that somebody has given other groups since stays as it is', async () => {
  const { world, step } = await failedOver(fencingBy(ISOLATE));
  world.oldSide.of('i-db').groups = ['sg-forensics'];
  await step();
  await step();
  expect(world.oldSide.of('i-db').groups).toEqual(['sg-forensics']);
});

test('roles get their power back, and it is seen', async () => {
  const { world, step } = await failedOver(fencingBy(REVOKE));
  expect([...world.oldSide.policies.keys()]).toEqual([`app/${POLICY}`]);
  expect(await step()).toMatchObject({ done: false });
  expect(await step()).toMatchObject({ done: true });
  expect(world.oldSide.policies.size).toBe(0);
});

test('a function of the project is told to release, and must say that it did', async () => {
  const { world, step } = await failedOver(fencingBy(ASK));
  const events: Record<string, unknown>[] = [];
  world.functions.answer = (_arn, event) => { events.push(event); return { payload: { fenced: true } }; };
  expect(await step()).toMatchObject({ done: false });
  expect(events[0]).toMatchObject({ act: 'release', action: 'storage', idempotencyKey: 'back/release/storage' });
  world.functions.answer = () => ({ payload: { released: true } });
  expect(await step()).toMatchObject({ done: true });
});

test('what is never released ends the run, which then reopens', async () => {
  const { world, step } = await failedOver(fencingBy(ASK));
  world.functions.answer = () => ({ payload: { released: false, detail: 'the array is locked' } });
  await step();
  world.clock.advance(400);
  await expect(step()).rejects.toMatchObject({ name: 'ReleaseFailed', message: expect.stringContaining('storage: the array is locked') });
});

test('machines that were only stopped need nothing', async () => {
  const { world, step } = await failedOver(fencingBy({ kind: 'stop', forceAfterSeconds: 60 }));
  const calls = world.cloud.calls.length;
  expect(await step()).toMatchObject({ done: true });
  expect(world.cloud.calls).toHaveLength(calls);
});
