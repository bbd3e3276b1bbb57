import { shortestWait, slowdown, snapshotWait } from '../../lambda/core/waits';

/**
 * History events of one turn: a task is entered, scheduled, started, ended and left (one that waits for a token is submitted,
 * too), a choice entered and left, a wait entered and left.
 */
const TASK = 5;
const CALLBACK = 6;
const CHOICE = 2;
const WAIT = 2;
const HOUR = 3600;
const POLL_SECONDS = 60;

/** Turns of a loop whose steps take no time at all and which is woken as soon as it may be. */
function turns(seconds: number, wait: (age: number) => number): number {
  let count = 0;
  for (let age = 0; age < seconds; age += wait(age)) count += 1;
  return count;
}

test('a cycle of 8 hours that events wake all the time stays below 20,000 history events', () => {
  const replicating = turns(8 * HOUR, (age) => shortestWait(age, POLL_SECONDS)) * (TASK + CHOICE + CALLBACK);
  const snapshotting = turns(8 * HOUR, (age) => snapshotWait(age, POLL_SECONDS)) * (TASK + CHOICE + WAIT);
  expect(replicating).toBeLessThan(15_000);
  expect(replicating + snapshotting).toBeLessThan(20_000);
});

test('a run of a day stays below 20,000 history events', () => {
  expect(turns(24 * HOUR, (age) => 5 * slowdown(age)) * (TASK + CHOICE + WAIT)).toBeLessThan(20_000);
});

test('waits begin short, grow, and leave a callback the time to be answered', () => {
  expect([0, 100, 400, 100_000].map((age) => shortestWait(age, POLL_SECONDS))).toEqual([3, 3, 10, 30]);
  expect([0, 400, 1000, 100_000].map((age) => snapshotWait(age, POLL_SECONDS))).toEqual([10, 10, 25, 60]);
  expect([0, 60, 180, 1000, 3600, 7200].map((age) => 5 * slowdown(age))).toEqual([5, 5, 15, 30, 30, 60]);
  expect(shortestWait(0, 5)).toBe(1);
});
