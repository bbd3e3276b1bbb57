import { RefusedCall } from '../../lambda/adapters/errors';
import { checkArn, hookArn, protectedWorld, recover, runConfig, wave } from './fakes/run-driver';
import { World } from './fakes/world';

const ready = (cycles = 1) => protectedWorld(() => new World(), cycles);

describe('hooks and checks', () => {
  const hook = { name: 'warm', kind: 'lambda' as const, target: hookArn, parameters: { depth: 3 }, timeoutSeconds: 60, onFailure: 'fail' as const };

  test('a hook function is told what it needs, once', async () => {
    const world = await ready();
    await recover(world, runConfig({ waves: [wave(['db'], { after: [hook] }), wave(['app', 'web'])] }));
    expect(world.functions.events).toHaveLength(1);
    expect(world.functions.events[0]).toMatchObject({
      arn: hookArn,
      timeoutMs: 60_000,
      payload: {
        depth: 3, project: 'shop', runId: 'run-1', mode: 'failover', wave: 0, phase: 'after', hook: 'warm', idempotencyKey: 'run-1/0/after/warm',
        members: [{ memberId: 'db/i-db', endpoint: 'db', instanceId: expect.stringMatching(/^i-/), privateIp: '10.0.0.12' }],
      },
    });
  });

  test('a failing hook ends the run, or is recorded, as configured', async () => {
    const world = await ready();
    world.functions.answer = () => ({ payload: { errorMessage: 'no' }, error: 'Unhandled: no' });
    const strict = await recover(world, runConfig({ waves: [wave(['db'], { before: [hook] }), wave(['app', 'web'])] }));
    expect(strict.failure).toMatchObject({ name: 'HookFailed', message: 'Hook warm before wave 1 failed: Unhandled: no' });
    expect(world.machines.alive()).toHaveLength(0);
    const lenient = await recover(world, runConfig({ waves: [wave(['db'], { before: [{ ...hook, onFailure: 'continue' }] }), wave(['app', 'web'])] }), { name: 'run-2' });
    expect(lenient.evidence.status).toBe('SUCCEEDED');
    expect(world.catalogue.hookRows.get('run-2|0|before|warm')).toMatchObject({ status: 'FAILED', detail: 'Unhandled: no' });
  });

  test('a hook that Lambda did not start is started again, within its time', async () => {
    const world = await ready();
    let refusals = 0;
    world.functions.answer = () => {
      refusals += 1;
      if (refusals <= 2) throw new RefusedCall('Invoke', 'throttled', 'TooManyRequestsException', 'Rate Exceeded.');
      return { payload: {} };
    };
    await recover(world, runConfig({ waves: [wave(['db'], { before: [hook] }), wave(['app', 'web'])] }));
    expect(world.catalogue.hookRows.get('run-1|0|before|warm')).toMatchObject({ status: 'SUCCEEDED' });
    expect(new Set(world.functions.events.map(({ payload }) => payload.idempotencyKey))).toEqual(new Set(['run-1/0/before/warm']));

    const another = await ready();
    another.functions.answer = () => { throw new RefusedCall('Invoke', 'throttled', 'TooManyRequestsException', 'Rate Exceeded.'); };
    const { failure } = await recover(another, runConfig({ waves: [wave(['db'], { before: [hook] }), wave(['app', 'web'])] }));
    expect(failure).toMatchObject({ name: 'HookFailed', message: expect.stringContaining('Rate Exceeded') });
  });

  test('a hook whose answer was lost may run still: it is not started a second time beside it', async () => {
    const world = await ready();
    world.functions.answer = () => { throw new RefusedCall('Invoke', 'unreachable', 'ECONNRESET', 'socket hang up'); };
    const { failure } = await recover(world, runConfig({ waves: [wave(['db'], { before: [hook] }), wave(['app', 'web'])] }));
    expect(failure).toMatchObject({ name: 'HookFailed' });
    expect(world.functions.events).toHaveLength(1);
  });

  test('an SSM hook waits for its machines, and is sent once', async () => {
    const world = await ready();
    const ssm = { name: 'dns', kind: 'ssm' as const, target: 'UpdateDns', parameters: { zone: 'a' }, timeoutSeconds: 600, onFailure: 'fail' as const };
    let looks = 0;
    world.commands.state = () => (looks++ < 4 ? 'running' : 'succeeded');
    const { evidence } = await recover(world, runConfig({ waves: [wave(['db'], { after: [ssm] }), wave(['app', 'web'])] }));
    expect(evidence.status).toBe('SUCCEEDED');
    expect(world.commands.commands).toHaveLength(1);
    expect(world.commands.commands[0]).toMatchObject({ document: 'UpdateDns', parameters: { zone: ['a'] }, timeoutSeconds: 600 });
  });

  test('an SSM hook on a machine whose agent never registers fails by its time-out', async () => {
    const world = await ready();
    world.commands.unregistered.add('i-000000');
    const send = world.commands.send.bind(world.commands);
    world.commands.send = (request) => {
      for (const id of request.instanceIds) world.commands.unregistered.add(id);
      return send(request);
    };
    const ssm = { name: 'dns', kind: 'ssm' as const, target: 'UpdateDns', timeoutSeconds: 60, onFailure: 'fail' as const };
    const { failure } = await recover(world, runConfig({ waves: [wave(['db'], { after: [ssm] })] }));
    expect(failure).toMatchObject({ name: 'HookFailed', message: expect.stringContaining('not finished after 60 s') });
  });

  test('a check function decides, until its time-out', async () => {
    const world = await ready();
    let asked = 0;
    world.functions.answer = () => ({ payload: { passed: (asked += 1) > 3, detail: 'warming up' } });
    const check = { name: 'app-health', kind: 'lambda' as const, target: checkArn, timeoutSeconds: 120 };
    expect((await recover(world, runConfig({ waves: [wave(['db', 'app', 'web'], { checks: [check] })] }))).evidence.status).toBe('SUCCEEDED');
    expect(world.functions.events[0]?.payload).toMatchObject({ check: 'app-health', wave: 0, members: expect.arrayContaining([expect.objectContaining({ memberId: 'web/i-web' })]) });
    world.functions.answer = () => ({ payload: { passed: false, detail: 'still warming up' } });
    const { failure } = await recover(world, runConfig({ waves: [wave(['db', 'app', 'web'], { checks: [check] })] }), { name: 'run-2', request: { again: true } });
    expect(failure?.message).toContain('check app-health did not pass within 120 s: still warming up');
  });

  test('an SSM check that fails at first is tried again', async () => {
    const world = await ready();
    let results = 0;
    world.commands.state = () => (results++ < 2 ? 'failed' : 'succeeded');
    const check = { name: 'fsck', kind: 'ssm' as const, target: 'Fsck', timeoutSeconds: 300 };
    const { evidence } = await recover(world, runConfig({ waves: [wave(['db'], { checks: [check] }), wave(['app', 'web'])] }));
    expect(evidence.status).toBe('SUCCEEDED');
    expect(world.commands.commands.length).toBeGreaterThan(1);
  });

  test('endpoints that no wave names come last, and are checked too', async () => {
    const world = await ready();
    const { evidence } = await recover(world, runConfig({ waves: [wave(['db'])] }));
    expect(evidence.members.map(({ endpoint, wave: index }) => [endpoint, index])).toEqual([['db', 0], ['app', 1], ['web', 1]]);
    expect(world.cloud.count('recovery', 'DescribeInstanceStatus')).toBeGreaterThan(1);
  });
});
