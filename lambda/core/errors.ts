/** A rule of the domain was broken. The message says what to do; `name` is stable, because state machines match on it. */
export abstract class DomainError extends Error {
  abstract override readonly name: string;
}

/** An event came to a recovery point whose state does not allow it. */
export class IllegalTransition extends DomainError {
  override readonly name: string = 'IllegalTransition';

  constructor(
    readonly pointId: string,
    readonly from: string,
    readonly event: string,
    detail: string,
  ) {
    super(`Recovery point ${pointId} is ${from}: "${event}" is not possible (${detail}). Read the point again and go on from its state.`);
  }
}

/** A recovery run uses the point, so it must stay. */
export class PointPinned extends IllegalTransition {
  override readonly name = 'PointPinned';

  constructor(pointId: string, from: string, event: string, pinnedBy: readonly string[]) {
    super(pointId, from, event, `recovery run ${pinnedBy.join(', ')} uses it; it can expire once the run has ended`);
  }
}

/** The snapshots taken are not those of exactly the point's disks, so they are no consistency set of it. */
export class IncompleteSet extends DomainError {
  override readonly name = 'IncompleteSet';

  constructor(
    readonly pointId: string,
    readonly missing: readonly string[],
    readonly unexpected: readonly string[],
  ) {
    super(
      `The snapshots are not a consistency set of recovery point ${pointId}` +
        (missing.length > 0 ? `; no snapshot of ${missing.join(', ')}` : '') +
        (unexpected.length > 0 ? `; unexpected snapshot of ${unexpected.join(', ')}` : '') +
        '. The machine\'s disks changed after discovery: fail this point, the next cycle takes the disks as they are then.',
    );
  }
}

/** Waves name an endpoint that does not exist, or one twice. */
export class WaveError extends DomainError {
  override readonly name = 'WaveError';
}

/** Endpoints depend on each other in a circle. */
export class CycleError extends DomainError {
  override readonly name = 'CycleError';

  /** @param cycle the endpoints of the circle, the first one repeated at the end */
  constructor(readonly cycle: readonly string[]) {
    super(`Endpoints depend on each other in a circle: ${cycle.join(' -> ')}. Remove one of these dependencies.`);
  }
}

/** A member cannot be launched as configured. */
export class PlanError extends DomainError {
  override readonly name = 'PlanError';

  constructor(
    readonly memberId: string,
    detail: string,
  ) {
    super(`${memberId} cannot be launched: ${detail}`);
  }
}

/** A drill would launch more machines than it may. */
export class DrillLimitExceeded extends DomainError {
  override readonly name = 'DrillLimitExceeded';

  constructor(machines: number, limit: number) {
    super(
      `The drill would launch ${machines} machines, its limit is ${limit}. ` +
        'Name fewer endpoints in the request, or raise `instanceLimit` of the `DrillPolicy` that the project is given as `drill`.',
    );
  }
}

/** A text is not an IPv4 block or address. */
export class InvalidCidr extends DomainError {
  override readonly name = 'InvalidCidr';

  constructor(text: string) {
    super(`"${text}" is not an IPv4 block; write it like 10.64.0.0/20.`);
  }
}

/** A text is not a time. */
export class InvalidTime extends DomainError {
  override readonly name = 'InvalidTime';

  constructor(text: string) {
    super(`"${text}" is not a time; write it in ISO 8601 with its zone, like 2030-01-31T10:00:00Z.`);
  }
}
