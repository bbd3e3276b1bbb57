/**
 * What a refused call means to a step, whatever service refused it.
 * `quota`: try again when something else has ended. `throttled`: try again soon. `capacity`: EC2 has no machine of that type
 * there. `address-in-use`: the fixed private address is taken. `subnet-full`: no address is free in the subnet. `not-found`, `in-use`, `not-ready`: the thing named. `denied`:
 * a permission is missing. `unreachable`: no answer at all, as from a Region that is gone. `invalid`: the request is wrong.
 */
export type RefusalKind =
  | 'quota' | 'throttled' | 'capacity' | 'address-in-use' | 'subnet-full' | 'not-found' | 'in-use' | 'not-ready'
  | 'duplicate' | 'denied' | 'unreachable' | 'invalid' | 'other';

/** A call that AWS refused, or that got no answer. */
export class RefusedCall extends Error {
  override readonly name = 'RefusedCall';

  constructor(readonly operation: string, readonly kind: RefusalKind, readonly code: string, detail: string, cause?: unknown) {
    super(`${operation}: ${code}: ${detail}`, { cause });
  }
}

/** Another writer was faster: the row is not as it was read. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError';

  constructor(readonly what: string) {
    super(`${what} was changed by another writer since it was read`);
  }
}

const KINDS: Readonly<Record<string, RefusalKind>> = {
  ResourceLimitExceeded: 'quota',
  SnapshotLimitExceeded: 'quota',
  ConcurrentSnapshotLimitExceeded: 'quota',
  PendingSnapshotLimitExceeded: 'quota',
  SnapshotCreationPerVolumeRateExceeded: 'quota',
  ServiceQuotaExceededException: 'quota',
  RequestLimitExceeded: 'throttled',
  ThrottlingException: 'throttled',
  ThrottledException: 'throttled',
  Throttling: 'throttled',
  RequestThrottled: 'throttled',
  RequestThrottledException: 'throttled',
  TooManyRequestsException: 'throttled',
  PriorRequestNotComplete: 'throttled',
  TransactionInProgressException: 'throttled',
  InsufficientInstanceCapacity: 'capacity',
  InsufficientHostCapacity: 'capacity',
  InsufficientReservedInstanceCapacity: 'capacity',
  ReservationCapacityExceeded: 'capacity',
  InstanceLimitExceeded: 'capacity',
  VcpuLimitExceeded: 'capacity',
  MaxSpotInstanceCountExceeded: 'capacity',
  Unsupported: 'capacity',
  'InvalidIPAddress.InUse': 'address-in-use',
  InsufficientFreeAddressesInSubnet: 'subnet-full',
  'InvalidAMIName.Duplicate': 'duplicate',
  'InvalidSnapshot.InUse': 'in-use',
  VolumeInUse: 'in-use',
  'InvalidAMIID.Unavailable': 'not-ready',
  IncorrectInstanceState: 'not-ready',
  IncorrectState: 'not-ready',
  InvalidInstanceId: 'not-ready',
  UnauthorizedOperation: 'denied',
  AccessDenied: 'denied',
  AccessDeniedException: 'denied',
  AuthFailure: 'denied',
  TimeoutError: 'unreachable',
  NetworkingError: 'unreachable',
  RequestTimeout: 'unreachable',
  EndpointTemporarilyUnavailableException: 'unreachable',
  ServiceUnavailable: 'unreachable',
  ServiceUnavailableException: 'unreachable',
  Unavailable: 'unreachable',
  InternalError: 'unreachable',
  InternalFailure: 'unreachable',
};

const SOCKET_CODES = /^(ECONN|EAI_|ENOTFOUND|ETIMEDOUT|EPIPE|EHOSTUNREACH|ENETUNREACH)/;

/** The services name errors in `name`, EC2 also in `Code`; sockets in `code`. */
export function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'Unknown';
  const { code, Code, name } = error as { code?: unknown; Code?: unknown; name?: unknown };
  if (typeof code === 'string' && SOCKET_CODES.test(code)) return code;
  if (typeof Code === 'string') return Code;
  return typeof name === 'string' ? name : 'Unknown';
}

/** One message for a person, of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function classify(error: unknown): RefusalKind {
  const code = errorCode(error);
  const known = KINDS[code];
  if (known !== undefined) return known;
  if (SOCKET_CODES.test(code)) return 'unreachable';
  if (/NotFound|DoesNotExist|NoSuchEntity/.test(code)) return 'not-found';
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  if (status === undefined) return 'other';
  return status >= 500 ? 'unreachable' : 'invalid';
}

/** Runs one call, so that whatever is thrown is a `RefusedCall`. */
export async function refusing<T>(operation: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof RefusedCall) throw error;
    throw new RefusedCall(operation, classify(error), errorCode(error), messageOf(error), error);
  }
}

export function isRefused(error: unknown, ...kinds: RefusalKind[]): error is RefusedCall {
  return error instanceof RefusedCall && (kinds.length === 0 || kinds.includes(error.kind));
}
