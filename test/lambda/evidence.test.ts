import type { Evidence } from '../../lambda/core/evidence';
import { finishRun } from '../../lambda/run/finish';
import { aRun, aRunMember } from '../core/builders';
import { hookArn, protectedWorld, recover, runConfig, wave } from './fakes/run-driver';
import { World } from './fakes/world';

const storedOf = (world: World, runId: string) => JSON.parse(world.catalogue.evidenceRows.get(runId)!.parts.join('')) as Evidence;

test('the catalogue keeps what the execution answers', async () => {
  const world = await protectedWorld(() => new World());
  const { evidence } = await recover(world);
  expect(evidence.evidenceRows).toBe(1);
  expect(evidence.truncated).toBeUndefined();
  const { evidenceRows: _rows, ...answered } = evidence;
  expect(JSON.parse(JSON.stringify(answered))).toEqual(storedOf(world, 'run-1'));
});

test('of a thousand machines the answer is a summary, and the catalogue keeps the whole', async () => {
  const world = new World();
  await world.catalogue.createRun(aRun({ runId: 'r-1', status: 'RUNNING', mode: 'drill' }));
  for (let i = 0; i < 1000; i += 1) await world.catalogue.createRunMember(aRunMember({ memberId: `db/i-${i}`, passedAt: world.clock.now(), notes: ['a new private address'] }));
  const ports = { runs: world.catalogue, points: world.catalogue, leases: world.catalogue, fences: world.catalogue, machines: world.machines, sourceMachines: world.machines, back: { points: world.back } };
  const answer = await finishRun({ config: runConfig(), run: { runId: 'r-1' } }, ports, world.tools()) as Evidence;
  expect(answer).toMatchObject({ status: 'SUCCEEDED', truncated: true, members: [], endpoints: [{ endpoint: 'db', members: 1000, passed: 1000, failed: 0 }] });
  expect(JSON.stringify(answer).length).toBeLessThan(256 * 1024);
  expect(world.catalogue.evidenceRows.get('r-1')?.parts).toHaveLength(answer.evidenceRows!);
  expect(storedOf(world, 'r-1').members).toHaveLength(1000);
});

describe('a hook that failed and was passed over', () => {
  const hook = { name: 'warm', kind: 'lambda' as const, target: hookArn, timeoutSeconds: 60, onFailure: 'continue' as const };
  const config = runConfig({ waves: [wave(['db'], { before: [hook, { ...hook, name: 'dns' }] }), wave(['app', 'web'])] });

  test('is in the evidence, with its reason, cut', async () => {
    const world = await protectedWorld(() => new World());
    world.functions.answer = () => (world.functions.events.at(-1)?.payload.hook === 'warm' ? { payload: {}, error: `Unhandled: ${'no '.repeat(5000)}` } : { payload: {} });
    const { evidence } = await recover(world, config);
    expect(evidence.status).toBe('SUCCEEDED');
    const step = evidence.steps.find(({ name }) => name === 'wave-0/hooks-before');
    expect(step).toMatchObject({ outcome: 'SUCCEEDED', detail: expect.stringMatching(/^went on without warm: Unhandled: no no/) });
    expect(step!.detail!.length).toBeLessThan(600);
  });

  test('is there too when the step was interrupted after it', async () => {
    const world = await protectedWorld(() => new World());
    world.functions.answer = () => ({ payload: {}, error: 'no' });
    await world.catalogue.saveHook({ runId: 'run-1', wave: 0, phase: 'before', name: 'warm', status: 'FAILED', startedAt: world.clock.now(), detail: 'of before' });
    const { evidence } = await recover(world, config);
    expect(evidence.steps.find(({ name }) => name === 'wave-0/hooks-before')?.detail).toBe('went on without warm: of before, dns: no');
  });
});

test('a hook in a drill is told that it is one', async () => {
  const world = await protectedWorld(() => new World());
  const hook = { name: 'warm', kind: 'lambda' as const, target: hookArn, timeoutSeconds: 60, onFailure: 'fail' as const };
  await recover(world, runConfig({ waves: [wave(['db'], { after: [hook] })] }), { request: { mode: 'drill' } });
  expect(world.functions.events[0]?.payload).toMatchObject({ mode: 'drill' });
});
