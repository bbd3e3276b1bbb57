import { RefusedCall } from '../../lambda/adapters/errors';
import { failBack, failbackConfig, failedOver } from './fakes/failback-driver';
import { recover } from './fakes/run-driver';
import { cutoverNamed } from './fakes/traffic';
import type { World } from './fakes/world';

const NAMES = ['first', 'second', 'third'];
const config = failbackConfig({ cutover: NAMES.map((name) => cutoverNamed(name)) });
const sides = (world: World) => NAMES.map((name) => world.traffic.side(name));
const all = (side: string) => [side, side, side];
const rows = (world: World, runId = 'back-1') => Object.fromEntries([...world.cutovers.rows.values()].filter((row) => row.runId === runId).map(({ name, status }) => [name, status]));
const moved = () => failedOver(undefined, config);

describe('a failback puts traffic back', () => {
  test('in reverse order, once the source side is the active one', async () => {
    const back = await moved();
    const { world } = back;
    expect(sides(world)).toEqual(all('recovery'));
    const done = world.traffic.events.length;
    const { evidence } = await failBack(back, config, { meanwhile: (step) => { if (step === 'switch') expect(sides(world)).toEqual(all('recovery')); } });
    expect(evidence.status).toBe('SUCCEEDED');
    expect(sides(world)).toEqual(all('source'));
    // Each is asked once more, to see that it holds.
    expect(world.traffic.events.slice(done)).toEqual(['third', 'second', 'first'].flatMap((name) => [`rollBack ${name}`, `rollBack ${name}`]));
    expect(rows(world)).toEqual({ first: 'ROLLED_BACK', second: 'ROLLED_BACK', third: 'ROLLED_BACK' });
    expect(rows(world, 'run-1')).toEqual({ first: 'VERIFIED', second: 'VERIFIED', third: 'VERIFIED' });
    expect(evidence.steps.filter(({ name }) => name.startsWith('cutover')).map(({ name, outcome }) => [name, outcome])).toEqual([
      ['cutover', 'SUCCEEDED'], ['cutover/first/roll-back', 'SUCCEEDED'], ['cutover/second/roll-back', 'SUCCEEDED'], ['cutover/third/roll-back', 'SUCCEEDED'],
    ]);
  });

  test('to what it was before the first of several failovers, as of the machines of the last', async () => {
    const back = await moved();
    await recover(back.world, config, { name: 'run-2', request: { again: true } });
    expect([...back.world.cutovers.rows.values()].map(({ before }) => (before as { side: string }).side)).toEqual([...all('source'), ...all('recovery')]);
    const seen: unknown[] = [];
    const { rollBack } = back.world.traffic;
    back.world.traffic.rollBack = function roll(this: typeof back.world.traffic, context, before) {
      seen.push(context.machines);
      return rollBack.call(this, context, before);
    };
    expect((await failBack(back, config)).evidence.status).toBe('SUCCEEDED');
    expect(sides(back.world)).toEqual(all('source'));
    const last = await back.world.catalogue.runMembers('run-2');
    expect(seen[0]).toContainEqual(expect.objectContaining({ memberId: 'web/i-web', instanceId: last.find(({ memberId }) => memberId === 'web/i-web')?.instanceId }));
  });

  test('also what a failed failover could not put back itself', async () => {
    const back = await failedOver();
    back.world.traffic.invisible.add('third');
    back.world.traffic.refuse = (name, call) => { if (name === 'second' && call === 'rollBack') throw new RefusedCall('Roll', 'denied', 'AccessDenied', 'no'); };
    await recover(back.world, config, { name: 'run-2', request: { again: true } });
    expect(sides(back.world)).toEqual(['source', 'recovery', 'source']);
    back.world.traffic.refuse = () => undefined;
    expect((await failBack(back, config)).evidence.status).toBe('SUCCEEDED');
    expect(sides(back.world)).toEqual(all('source'));
    expect(rows(back.world)).toEqual({ second: 'ROLLED_BACK' });
  });

  test('where there is any', async () => {
    const { evidence } = await failBack(await failedOver(), config);
    expect(evidence.steps.find(({ name }) => name === 'cutover')).toMatchObject({ outcome: 'SUCCEEDED', detail: 'no failover had moved traffic' });
  });

  test('and the next failover moves it again, from the source', async () => {
    const back = await moved();
    await failBack(back, config);
    back.world.clock.advance(600);
    await recover(back.world, config, { name: 'run-2' });
    expect(sides(back.world)).toEqual(all('recovery'));
    await failBack(back, config, { name: 'back-2' });
    expect(sides(back.world)).toEqual(all('source'));
  });
});

describe('traffic that cannot be put back', () => {
  const refuse = (world: World) => { world.traffic.refuse = (name, call) => { if (name === 'second' && call === 'rollBack') throw new RefusedCall('Roll', 'denied', 'AccessDenied', 'no permission'); }; };

  test('fails the run, says where it goes, and leaves the source side active', async () => {
    const back = await moved();
    refuse(back.world);
    const { failure, evidence } = await failBack(back, config);
    expect(failure).toMatchObject({ name: 'CutoverFailed', message: expect.stringMatching(/^The source side is active and its machines work, but traffic could not be put back and still goes to the recovery side, whose machines are stopped: second: Roll: AccessDenied: no permission\. Remove the cause and resume with the same runId, or move this traffic by hand\.$/) });
    expect(evidence.status).toBe('FAILED');
    expect(sides(back.world)).toEqual(['source', 'recovery', 'source']);
    expect(back.world.catalogue.leaseRow).toMatchObject({ active: 'source' });
    expect(evidence.steps.map(({ name }) => name)).not.toContain('reopen');
    expect(back.world.oldSide.running()).toHaveLength(3);
  });

  test('is tried again by a run that is resumed, and nothing else is done twice', async () => {
    const back = await moved();
    refuse(back.world);
    await failBack(back, config);
    back.world.traffic.refuse = () => undefined;
    const done = back.world.traffic.events.length;
    const cycles = back.cycles.starts.length;
    const { evidence } = await failBack(back, config, { request: { runId: 'back-1' }, name: 'again' });
    expect(evidence).toMatchObject({ status: 'SUCCEEDED', epoch: 2 });
    expect(back.world.traffic.events.slice(done)).toEqual(['rollBack second', 'rollBack second']);
    expect(back.cycles.starts).toHaveLength(cycles);
    expect(sides(back.world)).toEqual(all('source'));
    expect(back.world.oldSide.running()).toHaveLength(3);
  });

  test('since the project does not declare it any more', async () => {
    const back = await moved();
    const { failure } = await failBack(back, failbackConfig({ cutover: [cutoverNamed('first'), cutoverNamed('third')] }));
    expect(failure?.message).toContain('second: the project does not declare it any more');
  });
});
