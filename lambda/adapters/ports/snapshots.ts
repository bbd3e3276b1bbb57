/** A snapshot as EC2 describes it. */
export interface SnapshotFacts {
  readonly snapshotId: string;
  /** The volume that it was taken from; a copy has an arbitrary one. */
  readonly volumeId: string;
  readonly state: 'pending' | 'completed' | 'error';
  /** Why it is in error, as far as EC2 says. */
  readonly stateMessage?: string;
  readonly startTime: string;
  readonly sizeGiB: number;
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
}

export type Removal = 'removed' | 'absent' | 'in-use';

/** The account's own snapshots in one Region. */
export interface Snapshots {
  /** Ids that do not exist (or that EC2 does not show yet) are left out. */
  withIds(ids: readonly string[]): Promise<SnapshotFacts[]>;
  withTag(key: string, values: readonly string[]): Promise<SnapshotFacts[]>;
  remove(snapshotId: string): Promise<Removal>;
}

export interface SnapshotSetRequest {
  readonly instanceId: string;
  /** The same on all snapshots of the set, and on no other: it tells a set made twice apart. */
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface StartedSnapshot {
  readonly snapshotId: string;
  readonly volumeId: string;
  readonly startTime: string;
}

/** Snapshots in the source Region. */
export interface SourceSnapshots extends Snapshots {
  /** CreateSnapshots: all volumes of the instance at one instant. The API has no client token. */
  createSet(request: SnapshotSetRequest): Promise<StartedSnapshot[]>;
}

export interface CopyRequest {
  readonly sourceRegion: string;
  readonly sourceSnapshotId: string;
  /** @default - the key that EBS uses by default in the Region of the copy */
  readonly keyArn?: string;
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** Snapshots in the recovery Region. */
export interface RecoverySnapshots extends Snapshots {
  /** CopySnapshot, called in the recovery Region. The API has no client token. Refused with kind `quota` when too many are in progress. */
  copy(request: CopyRequest): Promise<string>;
}
