import type { CycleConfig } from '../core/config';
import { isRefused, messageOf } from '../adapters/errors';
import type { CycleStore, MemberStore, PointStore } from '../adapters/ports/catalogue';
import type { LeaseStore } from '../adapters/ports/lease';
import type { RecoverySnapshots, SourceSnapshots } from '../adapters/ports/snapshots';
import type { Tools } from '../runtime/tools';

/** The cycle that a step belongs to, as `beginCycle` answered it. */
export interface CycleRef {
  readonly cycleId: string;
  readonly startedAt: string;
  /** When the cycle should stop waiting, so that the next scheduled one finds the lock free. */
  readonly deadline: string;
}

export interface CycleInput {
  readonly config: CycleConfig;
  readonly cycle: CycleRef;
}

export interface CyclePorts {
  readonly members: MemberStore;
  readonly points: PointStore;
  readonly cycles: CycleStore;
  readonly leases: LeaseStore;
  readonly source: SourceSnapshots;
  readonly recovery: RecoverySnapshots;
}

/**
 * EC2's reads may lag behind its writes. For this long after CreateSnapshots was (perhaps) called its snapshots are looked
 * for again instead of being made a second time.
 */
export const SETTLE_SECONDS = 60;

/** Problems that a cycle lists; of further ones it only knows the number. They are kept in one row, which has a size limit. */
export const LISTED_PROBLEMS = 20;

/**
 * Something that does not end the cycle and that a person should know; noted once, for the summary. Of `cause` it names what
 * is the same each time: EC2's messages differ with every machine and every call, and stand in the log.
 */
export async function noteProblem(cycles: CycleStore, { cycle, config }: CycleInput, what: string, tools: Tools, cause?: unknown): Promise<void> {
  const problem = cause === undefined ? what : `${what}: ${isRefused(cause) ? `${cause.operation}: ${cause.code}` : legible(messageOf(cause))}`;
  tools.log.warn(problem, { project: config.project, cycle: cycle.cycleId, ...(cause === undefined ? {} : { detail: messageOf(cause) }) });
  const progress = await cycles.cycleProgress(cycle.cycleId);
  if (progress?.problems.includes(problem) === true) return;
  const isFull = progress !== undefined && progress.problems.length >= LISTED_PROBLEMS;
  await cycles.noteProgress(cycle.cycleId, isFull ? { moreProblems: 1 } : { problems: [problem] });
}

/** Without the encoded part that EC2 adds to a refusal for lack of a right: a thousand characters that no person reads. */
export function legible(message: string): string {
  return message.replace(/\s*Encoded authorization failure message: \S+/g, '');
}

/**
 * The source Region as a step sees it: after the first refusal it is left alone for the rest of the step, so that a dead
 * Region costs one time-out and not one for each call.
 */
export class SourceSide {
  private failure: unknown;

  get refused(): boolean {
    return this.failure !== undefined;
  }

  get reason(): unknown {
    return this.failure;
  }

  /** The result, or undefined when the Region refuses or has refused. */
  async ask<T>(call: () => Promise<T>): Promise<T | undefined> {
    if (this.refused) return undefined;
    try {
      return await call();
    } catch (error) {
      this.failure = error;
      return undefined;
    }
  }
}

export function secondsSince(time: string, tools: Pick<Tools, 'now'>): number {
  return (Date.parse(tools.now()) - Date.parse(time)) / 1000;
}
