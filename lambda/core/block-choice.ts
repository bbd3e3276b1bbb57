import { createHash } from 'node:crypto';

export interface BlockChoice {
  /** Blocks that hold something on either side, in ascending order. */
  readonly all: readonly number[];
  /** Chosen whatever the sample: those that are known to have changed. */
  readonly always: ReadonlySet<number>;
  /** So many of the others; all of them where it is undefined. */
  readonly sample: number | undefined;
  /** The same seed chooses the same blocks of a disk: a step that is repeated goes on with what it began. */
  readonly seed: string;
}

/** Which blocks are read and compared, in ascending order. A larger sample contains the smaller one. */
export function chooseBlocks({ all, always, sample, seed }: BlockChoice): number[] {
  if (sample === undefined) return [...all];
  const others = all.filter((index) => !always.has(index)).map((index) => ({ index, rank: rankOf(seed, index) }));
  const chosen = new Set(others.sort((a, b) => a.rank - b.rank || a.index - b.index).slice(0, sample).map(({ index }) => index));
  return all.filter((index) => always.has(index) || chosen.has(index));
}

function rankOf(seed: string, index: number): number {
  return createHash('sha256').update(`${seed}/${index}`).digest().readUInt32BE(0);
}
