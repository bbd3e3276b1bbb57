import { createHash } from 'node:crypto';
import { BlockSet } from './block-set';

export interface BlockChoice {
  /** Blocks that hold something on either side. */
  readonly all: BlockSet;
  /** Chosen whatever the sample: those that are known to have changed. */
  readonly always: BlockSet;
  /** So many of the others; all of them where it is undefined. */
  readonly sample: number | undefined;
  /** The same seed chooses the same blocks of a disk: a step that is repeated goes on with what it began. */
  readonly seed: string;
}

interface Ranked {
  readonly index: number;
  readonly rank: number;
}

/** Which blocks are read and compared. A larger sample contains the smaller one. */
export function chooseBlocks({ all, always, sample, seed }: BlockChoice): BlockSet {
  if (sample === undefined) return all;
  const chosen = new BlockSet();
  const start = createHash('sha256').update(seed).digest().readUInt32BE(0);
  // Only those of the lowest ranks are kept: a large disk has more blocks than there is memory for their ranks.
  const room = 2 * sample + 1024;
  let lowest: Ranked[] = [];
  let limit = Number.POSITIVE_INFINITY;
  for (const index of all) {
    if (always.has(index)) {
      chosen.add(index);
      continue;
    }
    const rank = rankOf(start, index);
    if (rank >= limit) continue;
    lowest.push({ index, rank });
    if (lowest.length < room) continue;
    lowest = lowestOf(lowest, sample);
    limit = lowest.at(-1)?.rank ?? 0;
  }
  for (const { index } of lowestOf(lowest, sample)) chosen.add(index);
  return chosen;
}

function lowestOf(ranked: Ranked[], count: number): Ranked[] {
  return ranked.sort((a, b) => a.rank - b.rank).slice(0, count);
}

/** The end of MurmurHash3 (public domain): scatters neighbours, and no two blocks of a disk get the same rank. */
function rankOf(start: number, index: number): number {
  let hash = start ^ index;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
