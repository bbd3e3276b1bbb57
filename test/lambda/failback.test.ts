import type { RunConfig } from '../../lambda/core/config';
import { Tag } from '../../lambda/core/tags';
import { failback, failBack, failbackConfig, failedOver } from './fakes/failback-driver';
import { hookArn, recover } from './fakes/run-driver';
import { World } from './fakes/world';

const states = (world: World) => world.machines.alive().map(({ state }) => state);
const all = (state: string) => [state, state, state];

describe('a failback', () => {
  test('copies, drains, copies again, puts back and makes the source side the active one', async () => {
    const back = await failedOver();
    const { world, cycles } = back;
    const seen: string[] = [];
    const { evidence, failure } = await failBack(back, failbackConfig(), { meanwhile: (step) => {
      const { leaseRow } = world.catalogue;
      if (!seen.includes(step)) seen.push(step);
      if (['sync-first', 'drain', 'sync-final', 'launch', 'switch'].includes(step)) expect([step, leaseRow.active]).toEqual([step, 'recovery']);
      // At no time do both sides run.
      expect(world.oldSide.running().length === 0 || !states(world).includes('running')).toBe(true);
    } });
    expect(failure).toBeUndefined();
    expect(seen).toEqual(['begin', 'sync-first', 'drain-hooks', 'drain', 'sync-final', 'launch', 'switch', 'finish']);
    expect(cycles.starts).toEqual(['back-1-first-1', 'back-1-final-1']);
    expect(cycles.states).toEqual([...all('back-1-first-1: running'), ...all('back-1-final-1: stopped')]);
    expect(world.catalogue.leaseRow).toMatchObject({ active: 'source', oldSide: 'fenced', epoch: 2, activeBy: 'back-1' });
    expect(world.catalogue.leaseRow.holder).toBeUndefined();
    expect(states(world)).toEqual(all('stopped'));
    expect(world.oldSide.running().sort()).toEqual(['i-app', 'i-db', 'i-web']);
    const marked = Math.floor(Date.parse(evidence.endedAt) / 1000) + failback.keepReplacedSeconds;
    for (const { tags } of world.machines.alive()) {
      expect(tags[Tag.REPLACED_BY]).toBe('back-1');
      expect(Math.abs(Number(tags[Tag.EXPIRES_AT]) - marked)).toBeLessThan(60);
    }
    expect([...world.machines.volumeRows.values()].every(({ tags }) => tags[Tag.REPLACED_BY] === 'back-1')).toBe(true);
    expect(world.back.points().flatMap(({ pinnedBy }) => pinnedBy ?? [])).toEqual([]);
  });

  test('plans each machine into its own original, with the last copy', async () => {
    const back = await failedOver();
    let planned: unknown;
    await failBack(back, failbackConfig(), { meanwhile: async (step) => { if (step === 'launch' && planned === undefined) planned = structuredClone(await back.world.catalogue.runMembers('back-1')); } });
    expect(planned).toContainEqual(expect.objectContaining({
      memberId: 'db/i-db', endpoint: 'db', wave: 0, status: 'PLANNED', launchMethod: 'swapped-disks', attempt: 1, pointId: 'p-db/i-db-back-1-final-1',
      replaces: back.world.machines.alive().find(({ tags }) => tags[Tag.MEMBER] === 'db/i-db')?.instanceId,
    }));
    expect((planned as { instanceId?: string }[])[0]?.instanceId).toBeUndefined();
  });

  test('loses nothing that was written before the drain, and says how long the service stood still', async () => {
    const { evidence } = await failBack(await failedOver());
    expect(evidence).toMatchObject({ status: 'SUCCEEDED', mode: 'failback', epoch: 2, achieved: { rpoSeconds: 0 }, objectives: { rpoMet: true }, dataLossWindows: [], fencing: { oldSide: 'fenced' } });
    const step = (name: string) => evidence.steps.find((each) => each.name === name)!;
    const seconds = (Date.parse(step('switch').endedAt!) - Date.parse(step('drain').startedAt)) / 1000;
    expect(evidence.failback).toEqual({ recoverySince: expect.any(String), withoutServiceSeconds: seconds, discardSource: undefined });
    expect(seconds).toBeLessThan(200);
    expect(evidence.achieved.rtoSeconds).toBeLessThanOrEqual(seconds);
    expect(evidence.members[0]).toHaveProperty('replaces', expect.stringMatching(/^i-/));
  });

  test('makes room for the next failover, whose failback takes its own machines', async () => {
    const back = await failedOver();
    await failBack(back);
    back.world.clock.advance(600);
    expect((await recover(back.world, failbackConfig(), { name: 'run-2' })).evidence).toMatchObject({ status: 'SUCCEEDED', epoch: 3 });
    back.world.clock.advance(600);
    const { evidence } = await failBack(back, failbackConfig(), { name: 'back-2' });
    expect(evidence).toMatchObject({ status: 'SUCCEEDED', epoch: 4 });
    const marks = back.world.machines.alive().map(({ tags }) => [tags[Tag.RUN], tags[Tag.REPLACED_BY]].join());
    expect(marks.sort()).toEqual([...all('run-1,back-1'), ...all('run-2,back-2')]);
  });

  test('of failovers of different endpoints brings all back', async () => {
    const back = await failedOver();
    const { world } = back;
    world.catalogue.leaseRow = { ...world.catalogue.leaseRow };
    await failBack(back);
    expect((await recover(world, failbackConfig(), { name: 'a', request: { endpoints: ['db'] } })).evidence.status).toBe('SUCCEEDED');
    world.clock.advance(100);
    // The others are started anew meanwhile, as anybody may: they had not failed over yet.
    world.oldSide.start('i-app');
    world.clock.advance(100);
    expect((await recover(world, failbackConfig(), { name: 'b', request: { endpoints: ['app', 'web'] } })).evidence.status).toBe('SUCCEEDED');
    const { evidence, failure } = await failBack(back, failbackConfig(), { name: 'back-2' });
    expect(failure).toBeUndefined();
    expect(evidence.members.map(({ memberId }) => memberId)).toEqual(['db/i-db', 'app/i-app', 'web/i-web']);
  });

  test('calls its drain hooks with the recovered machines', async () => {
    const config = failbackConfig({ failback: { ...failback, drain: [
      { name: 'close', kind: 'lambda', target: hookArn, timeoutSeconds: 60, onFailure: 'fail' },
      { name: 'flush', kind: 'ssm', target: 'Flush', endpoints: ['db'], timeoutSeconds: 60, onFailure: 'fail' },
    ] } });
    const back = await failedOver(undefined, config);
    const { evidence } = await failBack(back, config);
    const ids = new Map(back.world.machines.alive().map(({ tags, instanceId }) => [tags[Tag.MEMBER], instanceId]));
    const [event] = back.world.functions.events;
    expect(event?.payload).toMatchObject({ mode: 'failback', phase: 'drain', hook: 'close' });
    expect(event?.payload.members).toContainEqual({ memberId: 'web/i-web', endpoint: 'web', instanceId: ids.get('web/i-web'), privateIp: '10.9.9.9' });
    expect(back.world.commands.commands).toMatchObject([{ document: 'Flush', instanceIds: [ids.get('db/i-db')] }]);
    expect(evidence.steps.find(({ name }) => name === 'hooks-drain')?.outcome).toBe('SUCCEEDED');
  });
});

describe('a failback is refused', () => {
  const refused = async (change: (world: World) => void, request = {}, config: RunConfig = failbackConfig()) => {
    const back = await failedOver();
    change(back.world);
    const epoch = back.world.catalogue.leaseRow.epoch;
    const { failure } = await failBack(back, config, { request });
    expect(failure?.name).toBe('InvalidRequest');
    expect(back.world.catalogue.leaseRow.holder).toBeUndefined();
    expect(back.world.catalogue.leaseRow.epoch).toBe(epoch);
    expect(back.cycles.starts).toEqual([]);
    expect(states(back.world)).not.toContain('stopped');
    return failure?.message;
  };
  const nothing = (): void => undefined;

  test('where none is declared', async () => {
    expect(await refused(nothing, {}, failbackConfig({ failback: undefined }))).toMatch(/declares no failback\. Give it `failback: Failback\.toSource\(\)`/);
  });

  test.each([{ endpoints: ['db'] }, { selection: { kind: 'newest' } }, { again: true }, { acceptUnreachable: 'me' }])('for a part, or another state: %j', async (request) => {
    expect(await refused(nothing, request)).toBe(`A failback brings everything that was recovered back, as it is: leave out "${Object.keys(request)[0]}".`);
  });

  test('without a name of who accepts', async () => {
    expect(await refused(nothing, { discardSource: ' ' })).toBe('"discardSource" must name who accepts it, in 1 to 200 characters');
  });

  test('while the source side is the active one', async () => {
    const { world, cycles } = await failedOver();
    await failBack({ world, cycles });
    const { failure } = await failBack({ world, cycles }, undefined, { name: 'back-2' });
    expect(failure?.message).toMatch(/^The source side is the newer one: active since \S+, by run back-1\. There is nothing to fail back\.$/);
    world.catalogue.leaseRow = { active: 'source', epoch: 0, changedAt: '', changedBy: '', version: 1 };
    expect((await failBack({ world, cycles }, undefined, { name: 'back-3' })).failure?.message).toContain('nothing has failed over yet');
  });

  test('while a machine of the source side runs', async () => {
    expect(await refused(({ oldSide }) => oldSide.start('i-app'))).toMatch(/not known to be fenced: i-app \(running\) in us-east-1, which may be writing\. Stop them and begin again, or give "discardSource"/);
  });

  test('where a machine of the source side was started after the failover', async () => {
    expect(await refused(({ oldSide, clock }) => {
      oldSide.start('i-web');
      clock.advance(60);
      Object.assign(oldSide.of('i-web'), { state: 'stopped' });
    })).toMatch(/started after the failover and may hold newer data.*i-web of web\/i-web \(started 2030-.*give "discardSource"/);
  });

  test('when the source Region does not answer', async () => {
    expect(await refused(({ cloud }) => cloud.refused.add('source'))).toMatch(/^The source Region us-east-1 does not answer .*begin again once it answers/);
  });

  test('without a recovered machine', async () => {
    expect(await refused(({ machines }) => { for (const { instanceId } of machines.alive()) machines.end(instanceId, '', ''); })).toContain('No recovered machine of project shop is found in us-west-2');
  });

  test('for a machine that the catalogue has forgotten', async () => {
    expect(await refused(({ catalogue }) => catalogue.memberRows.delete('web/i-web'))).toContain('The catalogue has forgotten web/i-web');
  });

  test('where the machine is gone and its subnet is not known', async () => {
    expect(await refused(({ cloud }) => cloud.instances.delete('i-web'))).toMatch(/web\/i-web: its machine i-web is gone, and its subnet was not recorded.*settings\.subnetId.*Then begin again\./);
  });
});

test('who accepts it can discard what the source side has written since: its machines are stopped', async () => {
  const back = await failedOver();
  back.world.oldSide.start('i-app');
  const { evidence, failure } = await failBack(back, undefined, { request: { discardSource: 'the operator' }, meanwhile: (step) => {
    if (step === 'sync-final') expect(back.world.oldSide.running()).toEqual([]);
  } });
  expect(failure).toBeUndefined();
  expect(evidence.failback).toMatchObject({ discardSource: 'the operator' });
  expect(back.world.catalogue.runRows.get('back-1')).toMatchObject({ discardSource: 'the operator', oldSide: 'fenced' });
});

test('a machine that is gone comes back as a new one in its subnet', async () => {
  const back = await failedOver(() => {
    const world = new World();
    world.cloud.instances.set('i-web', { ...world.cloud.instances.get('i-web')!, subnetId: 'subnet-home' });
    return world;
  });
  back.world.cloud.instances.delete('i-web');
  await failBack(back);
  expect(back.world.catalogue.runMemberRows.get('back-1|web/i-web')).toMatchObject({ launchMethod: 'registered-image', subnetId: 'subnet-home' });
  expect(back.world.catalogue.runMemberRows.get('back-1|app/i-app')).toMatchObject({ launchMethod: 'swapped-disks' });
});

describe('two runs at once', () => {
  test('two failbacks: one wins, the other ends with a message that names it', async () => {
    const back = await failedOver();
    let second: Awaited<ReturnType<typeof failBack>> | undefined;
    const first = await failBack(back, undefined, { meanwhile: async (step) => { if (step === 'sync-first' && second === undefined) second = await failBack(back, undefined, { name: 'back-2' }); } });
    expect(first.evidence.status).toBe('SUCCEEDED');
    expect(second?.failure).toMatchObject({ name: 'LeaseHeld', message: expect.stringContaining('Run back-1 (failback, epoch 2') });
  });

  test('a failback and a failover', async () => {
    const back = await failedOver();
    let other: Awaited<ReturnType<typeof recover>> | undefined;
    const { evidence } = await failBack(back, undefined, { meanwhile: async (step) => { if (step === 'drain' && other === undefined) other = await recover(back.world, failbackConfig(), { name: 'run-2', request: { again: true } }); } });
    expect(other?.failure?.name).toBe('LeaseHeld');
    expect(evidence.status).toBe('SUCCEEDED');
    await recover(back.world, failbackConfig(), { name: 'run-3', meanwhile: (_world, step) => void (step === 'launch' && failBack(back, undefined, { name: 'back-9' }).then((ran) => { other = ran; })) });
    await new Promise((resolve) => { setTimeout(resolve, 20); });
    expect(['LeaseHeld', 'InvalidRequest']).toContain(other?.failure?.name);
    expect(back.world.catalogue.leaseRow).toMatchObject({ active: 'recovery', activeBy: 'run-3' });
  });
});
