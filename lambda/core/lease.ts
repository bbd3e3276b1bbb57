import { DomainError } from './errors';
import type { RunMode } from './model';

/** Where the project's endpoints work. */
export type Side = 'source' | 'recovery';

/** `fenced`: cannot write, and that was verified. `unreachable`: could not be fenced, which somebody accepted. `unfenced`: the project declares no fencing. */
export type OldSide = 'fenced' | 'unreachable' | 'unfenced';

export interface LeaseHolder {
  readonly runId: string;
  readonly executionArn: string;
  readonly mode: RunMode;
  /** When the run took its epoch. */
  readonly since: string;
}

/**
 * Which side of a project is active, and which run may change that. One row of the catalogue, in the recovery Region,
 * written only if its version is still the one that was read, and read consistently.
 *
 * A run that changes the world (all but drills) takes the lease before anything else. With it comes an epoch, one higher than
 * any before, that belongs to this run for ever. Each step confirms the epoch before it changes something.
 *
 * **What that guarantees, and what it cannot.** No two runs ever hold the same epoch, and a confirm never passes after a
 * newer epoch was given. But AWS does not know the epoch: a call that was confirmed can take effect after a newer run took
 * over, when the process is slow between the two. That window is open for one call in flight of a run whose execution has
 * already ended, because a holder is replaced only then; and it closes by itself with the time limit of the function that
 * made the call, 15 minutes at most. What slips through it is found: client tokens and tags of machines carry the epoch, so
 * the late machine is one more of an older epoch beside a newer one of the same member; the newer run stops those before it
 * launches anything (fence first), and the fence guard stops those that appear afterwards.
 */
export interface Lease {
  readonly active: Side;
  /** Only grows; 0 before the first run. */
  readonly epoch: number;
  /** The run that the epoch was given to; it may take it up again after it has released the lease, as long as none is newer. */
  readonly epochOf?: string;
  /** Absent while no run is at work. */
  readonly holder?: LeaseHolder;
  /** The epoch and run that made the active side active. Absent before the first failover. */
  readonly activeEpoch?: number;
  readonly activeBy?: string;
  readonly activeSince?: string;
  readonly oldSide?: OldSide;
  /** Who, or which policy, accepted that the old side is not known to be fenced. */
  readonly acceptedBy?: string;
  readonly changedAt: string;
  readonly changedBy: string;
  /** Grows by one with each write; every write is conditional on it. */
  readonly version: number;
}

/** Before anything has ever failed over. */
export const FIRST_LEASE: Lease = { active: 'source', epoch: 0, changedAt: '1970-01-01T00:00:00.000Z', changedBy: 'nobody', version: 0 };

/** The run is not the newest any more: it must not change anything. Ends the run; never repeated. */
export class StaleEpoch extends DomainError {
  override readonly name = 'StaleEpoch';
}

/** Another run holds the lease. Ends the run before it has done anything. */
export class LeaseHeld extends DomainError {
  override readonly name = 'LeaseHeld';
}

export interface LeaseRequest {
  readonly runId: string;
  readonly executionArn: string;
  readonly mode: RunMode;
  /** Of a run that is resumed: the epoch that it had. */
  readonly epoch?: number;
}

export interface Acquired {
  readonly kind: 'acquired';
  readonly lease: Lease;
  readonly epoch: number;
  /** The lease is this execution's already: there is nothing to write. */
  readonly unchanged: boolean;
}

/** The caller finds out whether the holder's execution runs still, and asks again if it does not. */
export interface Refused {
  readonly kind: 'refused';
  readonly holder: LeaseHolder;
  readonly reason: string;
}

/**
 * Takes the lease for a run. An execution that asks again gets what it has. A run that is resumed, by another execution or
 * after it had released the lease, gets its own epoch back; if a newer one was given meanwhile, that is `StaleEpoch`.
 * @param ended the ARN of an execution that the caller found to have ended; only that holder may be replaced
 */
export function acquire(lease: Lease, request: LeaseRequest, now: string, ended?: string): Acquired | Refused {
  const { runId, executionArn, mode } = request;
  const { holder } = lease;
  const own = lease.epochOf === runId;
  if (request.epoch !== undefined && (request.epoch < lease.epoch || !own)) throw staleEpoch(lease, runId, request.epoch);
  if (holder?.runId === runId && holder.executionArn === executionArn) return { kind: 'acquired', lease, epoch: lease.epoch, unchanged: true };
  if (holder !== undefined && holder.executionArn !== ended) return { kind: 'refused', holder, reason: heldBy(lease, holder) };
  const epoch = own ? lease.epoch : lease.epoch + 1;
  const since = holder?.runId === runId ? holder.since : now;
  return {
    kind: 'acquired', epoch, unchanged: false,
    lease: { ...written(lease, runId, now), epoch, epochOf: runId, holder: { runId, executionArn, mode, since } },
  };
}

/** Throws `StaleEpoch` unless the run holds the lease under this epoch. To be called right before each change. */
export function confirm(lease: Lease, runId: string, epoch: number): void {
  if (lease.epoch !== epoch || lease.holder?.runId !== runId) throw staleEpoch(lease, runId, epoch);
}

export interface SwitchTo {
  readonly active: Side;
  readonly oldSide?: OldSide;
  readonly acceptedBy?: string;
}

/**
 * Makes a side the active one. Repeated by the same run it changes nothing. A run that finds its side active already (a
 * second failover, of other endpoints) adds to what the first one knows of the old side: the worse of the two counts.
 */
export function switchOver(lease: Lease, run: { readonly runId: string; readonly epoch: number }, to: SwitchTo, now: string): Lease {
  confirm(lease, run.runId, run.epoch);
  const stays = lease.active === to.active && lease.activeEpoch !== undefined;
  const { oldSide, acceptedBy } = stays && rank(lease.oldSide) >= rank(to.oldSide) ? lease : to;
  if (stays && oldSide === lease.oldSide && acceptedBy === lease.acceptedBy) return lease;
  const { oldSide: _old, acceptedBy: _accepted, ...rest } = written(lease, run.runId, now);
  return {
    ...rest,
    active: to.active,
    ...(stays ? {} : { activeEpoch: run.epoch, activeBy: run.runId, activeSince: now }),
    ...(oldSide === undefined ? {} : { oldSide }),
    ...(acceptedBy === undefined ? {} : { acceptedBy }),
  };
}

const WORSE: readonly (OldSide | undefined)[] = [undefined, 'fenced', 'unfenced', 'unreachable'];

function rank(oldSide: OldSide | undefined): number {
  return WORSE.indexOf(oldSide);
}

/** Gives the lease back, if this execution of the run holds it. The epoch stays: the next run's is higher. */
export function release(lease: Lease, run: { readonly runId: string; readonly executionArn: string }, now: string): Lease {
  const { holder, ...rest } = lease;
  if (holder?.runId !== run.runId || holder.executionArn !== run.executionArn) return lease;
  return written(rest, run.runId, now);
}

/** Notes that the old side, unreachable at failover, is fenced now. `undefined` when the lease does not ask for it any more. */
export function fencedLater(lease: Lease, activeEpoch: number, by: string, now: string): Lease | undefined {
  if (!guarded(lease) || lease.activeEpoch !== activeEpoch || lease.oldSide !== 'unreachable') return undefined;
  return { ...written(lease, by, now), oldSide: 'fenced' };
}

/**
 * Whether the fence guard may act on the old side: while the recovery side is active and no run holds the lease that may
 * be about to change that. A failover only fences the same side.
 */
export function guarded({ active, oldSide, holder }: Lease): boolean {
  return active === 'recovery' && (oldSide === 'unreachable' || oldSide === 'fenced') && (holder === undefined || holder.mode === 'failover');
}

function written<T extends Partial<Lease>>(lease: T, changedBy: string, changedAt: string): T & Pick<Lease, 'changedAt' | 'changedBy' | 'version'> {
  return { ...lease, changedAt, changedBy, version: (lease.version ?? 0) + 1 };
}

function staleEpoch(lease: Lease, runId: string, epoch: number): StaleEpoch {
  const { holder } = lease;
  if (lease.epoch === epoch && lease.epochOf === runId && holder === undefined) {
    return new StaleEpoch(`Run ${runId} (epoch ${epoch}) has released the lease: it has ended. Resume it with the same runId to go on.`);
  }
  const newer = lease.epochOf === undefined ? 'no run' : `run ${lease.epochOf}`;
  const state = holder === undefined ? 'which has ended' : `which holds the lease since ${holder.since}`;
  return new StaleEpoch(
    `Run ${runId} (epoch ${epoch}) must not change anything any more: epoch ${lease.epoch} was given to ${newer}, ${state}. ` +
    'Look at that run; what this one has launched is of an older epoch. To recover again, begin a run under a new id.',
  );
}

function heldBy(lease: Lease, { runId, mode, since, executionArn }: LeaseHolder): string {
  return `Run ${runId} (${mode}, epoch ${lease.epoch}, execution ${executionArn}) holds the lease since ${since}: only one run at a time may change which side is active. `
    + 'Wait for it to end, or stop its execution, and begin again.';
}
