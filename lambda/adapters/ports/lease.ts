import type { FenceRecord } from '../../core/fencing';
import type { Lease } from '../../core/lease';

/** Which side is active, and which run may change that. */
export interface LeaseStore {
  /** Read consistently; `FIRST_LEASE` before the first run. */
  lease(): Promise<Lease>;
  /** Stores `next` if the stored version is that of `read`; false otherwise. */
  saveLease(next: Lease, read: Lease): Promise<boolean>;
}

/** What was done to keep the old side from writing, by run. */
export interface FenceStore {
  fences(runId: string): Promise<FenceRecord[]>;
  saveFence(fence: FenceRecord): Promise<void>;
}
