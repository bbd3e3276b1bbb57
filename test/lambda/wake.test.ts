import { directionsOf, waitForEvent, wake } from '../../lambda/cycle/wait';
import { timed } from '../../lambda/run/run';
import { cycleConfig, World } from './fakes/world';

const cycle = { cycleId: 'c-1', startedAt: '2030-01-01T00:00:00Z', deadline: '2030-01-01T00:05:00Z' };

function setting() {
  const world = new World();
  const ports = { cycles: world.catalogue, executions: world.executions };
  const wait = (token: string) => waitForEvent({ config: cycleConfig(), cycle, token }, ports, world.tools());
  return { world, wait, event: () => wake(ports, world.tools()) };
}

test('an event wakes the cycle that waits, and of many events one does', async () => {
  const { world, wait, event } = setting();
  expect(await wait('t1')).toEqual({ woken: false });
  expect(await Promise.all([event(), event(), event()])).toEqual([{ woken: true }, { woken: false }, { woken: false }]);
  expect(world.executions.answered).toEqual(['t1']);
});

test('with nobody waiting an event does nothing', async () => {
  const { world, event } = setting();
  expect(await event()).toEqual({ woken: false });
  expect(world.executions.answered).toEqual([]);
});

test('an event between the look at the snapshots and the wait is not lost', async () => {
  const { world, wait, event } = setting();
  await world.catalogue.forgetEvents();
  await event();
  expect(await wait('t1')).toEqual({ woken: true });
  expect(world.executions.answered).toEqual(['t1']);
});

test('a wait that has timed out is no error', async () => {
  const { world, wait, event } = setting();
  await wait('t1');
  world.executions.stale.add('t1');
  expect(await event()).toEqual({ woken: false });
});

test('a burst of events cannot make the loop spin: each wait lasts a moment', async () => {
  const { world, wait, event } = setting();
  await event();
  const before = Date.parse(world.clock.now());
  await wait('t1');
  expect(Date.parse(world.clock.now()) - before).toBe(3000);
});

test('the moment grows with the age of the cycle', async () => {
  const { world, wait } = setting();
  world.clock.advance(240);
  const before = Date.parse(world.clock.now());
  await wait('t1');
  expect(Date.parse(world.clock.now()) - before).toBe(6000);
});

test('a step of a run that goes on for long is looked at less often', async () => {
  const world = new World();
  const waited: number[] = [];
  for (const seconds of [0, 120, 480]) {
    world.clock.advance(seconds);
    const { waitSeconds } = await timed('wave-0/launch', { run: { runId: 'r', mode: 'drill', waves: [0] } }, world.catalogue, world.tools(), () => Promise.resolve({ done: false, waitSeconds: 5 }));
    waited.push(waitSeconds);
  }
  expect(waited).toEqual([5, 10, 30]);
});

test('an event tells which direction it is of; one that does not is of both', () => {
  const regions = { sourceRegion: 'us-east-1', recoveryRegion: 'us-west-2' };
  const of = (region: string, event: string) => directionsOf({ region, detail: { event } }, regions);
  for (const event of ['createSnapshot', 'createSnapshots']) {
    expect(of('us-east-1', event)).toEqual(['forward']);
    expect(of('us-west-2', event)).toEqual(['return']);
  }
  expect(of('us-west-2', 'copySnapshot')).toEqual(['forward']);
  expect(of('us-east-1', 'copySnapshot')).toEqual(['return']);
  for (const event of [{}, { region: 'us-east-1' }, { region: 'us-east-1', detail: { event: 'shareSnapshot' } }, { region: 'eu-west-1', detail: { event: 'copySnapshot' } }]) {
    expect(directionsOf(event, regions)).toEqual(['forward', 'return']);
  }
});
