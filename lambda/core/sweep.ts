import type { RecoveryPoint } from './model';
import { isOpen } from './point-state';
import { Tag } from './tags';

/** A snapshot or an image as the sweeper finds it. */
export interface TaggedResource {
  readonly id: string;
  readonly region: string;
  readonly createdAt: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface SweepScope {
  /** Snapshots that a recovery point records, on either side. */
  readonly liveSnapshotIds: ReadonlySet<string>;
  /** Points still on their way: a snapshot that carries their tag may yet be adopted. */
  readonly openPointIds: ReadonlySet<string>;
}

export interface SweepInput<T extends TaggedResource> extends SweepScope {
  readonly project: string;
  readonly snapshots: readonly T[];
  readonly images: readonly T[];
  /** Runs that have not ended. */
  readonly liveRuns: ReadonlySet<string>;
  readonly now: string;
  readonly orphanAgeSeconds: number;
}

/** What the points of a project refer to. Give it every point whose snapshots are not cleaned up yet. */
export function sweepScope(points: Iterable<RecoveryPoint>): SweepScope {
  const liveSnapshotIds = new Set<string>();
  const openPointIds = new Set<string>();
  for (const point of points) {
    if (point.cleanedAt !== undefined) continue;
    if (isOpen(point)) openPointIds.add(point.pointId);
    for (const volume of point.volumes) {
      if (volume.sourceSnapshotId !== undefined) liveSnapshotIds.add(volume.sourceSnapshotId);
      if (volume.recoverySnapshotId !== undefined) liveSnapshotIds.add(volume.recoverySnapshotId);
    }
  }
  return { liveSnapshotIds, openPointIds };
}

/**
 * What the project made and nothing refers to: a snapshot that no point records (also a second one of a disk that has
 * another on record), an image of no run in progress. Younger things may belong to a step that has not written yet.
 *
 * The project's tag alone proves nothing: backup services copy a machine's tags to snapshots and images of their own,
 * and those are not ours to delete. Only our own carry a point's or a run's id.
 */
export function findOrphans<T extends TaggedResource>(input: SweepInput<T>): { snapshots: T[]; images: T[] } {
  const before = Date.parse(input.now) - input.orphanAgeSeconds * 1000;
  // A time that cannot be read compares as false: such a thing stays.
  const isOldOwn = (resource: T) => resource.tags[Tag.PROJECT] === input.project && Date.parse(resource.createdAt) < before;
  return {
    snapshots: input.snapshots.filter((snapshot) => {
      const pointId = snapshot.tags[Tag.POINT];
      return isOldOwn(snapshot) && pointId !== undefined && !input.liveSnapshotIds.has(snapshot.id) && !input.openPointIds.has(pointId);
    }),
    images: input.images.filter((image) => {
      const runId = image.tags[Tag.RUN];
      return isOldOwn(image) && runId !== undefined && !input.liveRuns.has(runId);
    }),
  };
}
