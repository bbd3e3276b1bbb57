/** How long a step may go on before it must answer `done: false` and be called again. */
export interface Deadline {
  remainingMs(): number;
  /** Too little time is left to begin another piece of work. */
  near(): boolean;
}

/** Enough for the calls in flight to end and for the answer to be written. */
const RESERVE_MS = 20_000;

/** From Lambda's own countdown. */
export function lambdaDeadline(context: { getRemainingTimeInMillis(): number }, reserveMs = RESERVE_MS): Deadline {
  return {
    remainingMs: () => context.getRemainingTimeInMillis(),
    near: () => context.getRemainingTimeInMillis() <= reserveMs,
  };
}

/** For callers without a limit of their own. */
export const noDeadline: Deadline = { remainingMs: () => Number.MAX_SAFE_INTEGER, near: () => false };
