import { bucket, take } from '../core/admission';
import { noDeadline, type Deadline } from './deadline';
import { silentLog, type Log } from './log';
import type { MetricSink } from './metrics';

/** What every step is given besides its ports: time, a limit to it, and where to report. */
export interface Tools {
  readonly log: Log;
  readonly metrics: MetricSink;
  readonly deadline: Deadline;
  /** ISO 8601. */
  now(): string;
  sleep(seconds: number): Promise<void>;
}

export const realTime = {
  now: (): string => new Date().toISOString(),
  sleep: (seconds: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, seconds * 1000); }),
};

/** For a caller that wants no reports and has no limit. */
export function plainTools(change: Partial<Tools> = {}): Tools {
  return { log: silentLog, metrics: () => undefined, deadline: noDeadline, ...realTime, ...change };
}

/** Lets callers go on at a steady rate, with a burst of one second's worth. */
export function pace(perSecond: number, tools: Pick<Tools, 'now' | 'sleep'>): () => Promise<void> {
  let tokens = bucket(Math.max(1, Math.floor(perSecond)), perSecond, Date.parse(tools.now()));
  return async () => {
    for (;;) {
      const turn = take(tokens, Date.parse(tools.now()), 1);
      tokens = turn.bucket;
      if (turn.granted > 0) return;
      await tools.sleep(turn.waitSeconds);
    }
  };
}
