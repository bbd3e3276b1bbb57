import type { BlockSet } from '../../core/block-set';

/** Blocks of a snapshot that hold something. */
export interface BlockList {
  /** Bytes. */
  readonly blockSize: number;
  readonly volumeSizeGiB: number;
  readonly indexes: BlockSet;
}

/** Snapshots of one Region, block by block. */
export interface SnapshotBlocks {
  list(snapshotId: string): Promise<BlockList>;
  /** Blocks that differ between two snapshots; undefined where EBS cannot tell: they are not related, or the first is gone. */
  changed(firstSnapshotId: string, secondSnapshotId: string): Promise<BlockSet | undefined>;
  /**
   * SHA-256, in hexadecimal, of the bytes of those of the blocks that hold something.
   * @throws RefusedCall of code `ChecksumMismatch` where the bytes are not those that EBS gives the checksum of
   */
  hashes(snapshotId: string, indexes: readonly number[]): Promise<ReadonlyMap<number, string>>;
}

/** How far the comparison of one disk has got. */
export interface VerificationRecord {
  readonly runId: string;
  readonly memberId: string;
  readonly deviceName: string;
  /** What is compared: another point begins anew. */
  readonly pointId: string;
  /** Blocks to be compared, and blocks that hold something. */
  readonly blocks: number;
  readonly of: number;
  /** Blocks that were found equal, in ascending order of their index. */
  readonly equal: number;
  /** When the last of them were. */
  readonly at: string;
}

export interface VerificationStore {
  verifications(runId: string): Promise<VerificationRecord[]>;
  saveVerification(record: VerificationRecord): Promise<void>;
}
