import type { ProtectedEndpoint } from '../endpoint/protected-endpoint';
import type { RecoveryCheck } from './recovery-check';
import type { RecoveryHook } from './recovery-hook';

/** Endpoints that are launched together, once the machines of all earlier waves have passed their checks. */
export interface RecoveryWave {
  /** At least one; each endpoint of the project is in one wave only. */
  readonly endpoints: ProtectedEndpoint[];
  /** Run one after the other before the wave's machines are launched. @default - none */
  readonly before?: RecoveryHook[];
  /** Run one after the other once the wave's machines have passed their checks. @default - none */
  readonly after?: RecoveryHook[];
  /** What must hold before the wave counts as recovered. @default [RecoveryCheck.instanceStatus()] */
  readonly checks?: RecoveryCheck[];
}
