import { isRefused } from '../adapters/errors';
import type { Snapshots } from '../adapters/ports/snapshots';

export interface RemovalCount {
  readonly removed: number;
  /** Could not be deleted now: in use by an image, or still being made. */
  readonly left: readonly string[];
}

/** Deletes snapshots of one Region; what is gone already counts as nothing. */
export async function removeAll(ids: readonly string[], snapshots: Snapshots): Promise<RemovalCount> {
  let removed = 0;
  const left: string[] = [];
  for (const id of ids) {
    try {
      const outcome = await snapshots.remove(id);
      if (outcome === 'removed') removed += 1;
      if (outcome === 'in-use') left.push(id);
    } catch (error) {
      if (!isRefused(error, 'not-ready', 'invalid')) throw error;
      left.push(id);
    }
  }
  return { removed, left };
}
