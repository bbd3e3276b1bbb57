/**
 * How long the loops of the state machines wait between two turns. An execution may have 25,000 history events (Step
 * Functions quotas), so a loop that turns every few seconds must become slower as it goes on. Each wait is a share of the time
 * that has passed: what ends soon is seen soon, and what takes hours is seen some percent later.
 */

/** The loop of replicate and wait turns at most this often at first, however many events there are. */
const SHORTEST_SECONDS = 3;
const SNAPSHOT_SECONDS = 10;
const CYCLE_SHARE = 1 / 40;
/** A run's waits grow up to six times after six minutes, and again when it has taken an hour. */
const RUN_STEP_SECONDS = 60;
const RUN_MOST = 6;
const RUN_LONG_STEP_SECONDS = 600;

/** How long a cycle of this age holds back the events that would wake it. A part of the time after which it looks anyway. */
export function shortestWait(ageSeconds: number, pollSeconds: number): number {
  return Math.min(pollSeconds / 2, Math.max(Math.min(SHORTEST_SECONDS, pollSeconds / 5), ageSeconds * CYCLE_SHARE));
}

/** How long a cycle of this age waits for snapshots that EC2 did not let it take. */
export function snapshotWait(ageSeconds: number, pollSeconds: number): number {
  return Math.round(Math.max(SNAPSHOT_SECONDS, Math.min(pollSeconds, ageSeconds * CYCLE_SHARE)));
}

/** What the wait of a run's step is multiplied with when the step is of this age. */
export function slowdown(ageSeconds: number): number {
  return Math.max(1, Math.min(RUN_MOST, ageSeconds / RUN_STEP_SECONDS), ageSeconds / RUN_LONG_STEP_SECONDS);
}
