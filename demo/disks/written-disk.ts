import { createHash } from 'node:crypto';
import { BLOCK_BYTES, DiskImage } from './disk-image';

/** One block write that reached a disk. `sequence` is shared by all disks of a machine, so it orders their writes. */
interface BlockWrite {
  readonly sequence: number;
  readonly index: number;
  readonly bytes: Buffer;
  readonly hash: string;
}

/** An unbroken stretch of sequence numbers, both ends included. */
export interface SequenceRange {
  readonly from: number;
  readonly to: number;
}

export const hashBlock = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

const ZERO_HASH = hashBlock(Buffer.alloc(BLOCK_BYTES));

/**
 * The history of one disk's block writes. A recovered disk is proven against it: its bytes must be those that the disk
 * held after some number of writes, no byte from before and none from after.
 */
export class WrittenDisk {
  private readonly writes: BlockWrite[] = [];

  record(sequence: number, index: number, bytes: Buffer): void {
    this.writes.push({ sequence, index, bytes: Buffer.from(bytes), hash: hashBlock(bytes) });
  }

  /** The states, as ranges of the sequence, in which this disk held exactly `blocks` (hash by index; absent reads as zeros). */
  rangesMatching(blocks: ReadonlyMap<number, string>, lastSequence: number): SequenceRange[] {
    const indexes = new Set([...this.writes.map((write) => write.index), ...blocks.keys()]);
    let ranges: SequenceRange[] = [{ from: 0, to: lastSequence }];
    for (const index of indexes) {
      ranges = intersect(ranges, this.rangesOfBlock(index, blocks.get(index) ?? ZERO_HASH, lastSequence));
    }
    return ranges;
  }

  /** The disk's image after write number `sequence`. */
  imageAt(sequence: number, sizeBytes: number): DiskImage {
    const bytes = Buffer.alloc(sizeBytes);
    for (const write of this.writes) {
      if (write.sequence <= sequence) write.bytes.copy(bytes, write.index * BLOCK_BYTES);
    }
    return new DiskImage(bytes);
  }

  private rangesOfBlock(index: number, hash: string, lastSequence: number): SequenceRange[] {
    const history = [{ sequence: 0, hash: ZERO_HASH }, ...this.writes.filter((write) => write.index === index)];
    const ranges: SequenceRange[] = [];
    history.forEach((version, position) => {
      const to = (history[position + 1]?.sequence ?? lastSequence + 1) - 1;
      if (version.hash === hash && to >= version.sequence) ranges.push({ from: version.sequence, to });
    });
    return ranges;
  }
}

/** What two sets of ranges share. */
export function intersect(left: readonly SequenceRange[], right: readonly SequenceRange[]): SequenceRange[] {
  return left.flatMap((a) =>
    right
      .map((b) => ({ from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) }))
      .filter((range) => range.from <= range.to),
  );
}
