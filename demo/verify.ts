import { DiskImage } from './disks/disk-image';
import { hashBlock, intersect, type SequenceRange } from './disks/written-disk';
import type { DiskContents } from './read-back';
import type { Machine } from './workload';

/** What the comparison of one recovered machine with its source found. */
export interface MachineProof {
  readonly name: string;
  readonly sourceInstanceId: string;
  readonly recoveredInstanceId: string;
  readonly disks: number;
  readonly blocksCompared: number;
  readonly filesCompared: number;
  /** The write of the source up to which, and no further, the recovered disks hold everything. */
  readonly upToWrite: number;
  /** Writes of the source after that: what the disaster cost. */
  readonly writesLost: number;
  /** When the last write that survived was made. */
  readonly lastWriteKept?: Date;
}

export class NotEqualError extends Error {
  override readonly name = 'NotEqualError';
}

/**
 * Proves that the recovered disks are the source's disks at one instant: there is a write of the machine such that every
 * disk holds all writes up to it and none after, byte for byte; and the files that the two file systems show are equal.
 *
 * @throws NotEqualError naming the disk or file that differs
 */
export async function proveMachine(machine: Machine, recoveredInstanceId: string, recovered: DiskContents): Promise<MachineProof> {
  const where = `${machine.name} (${machine.instanceId} → ${recoveredInstanceId})`;
  const expected = machine.disks.map((disk) => disk.deviceName).sort();
  const found = [...recovered.keys()].sort();
  if (expected.join() !== found.join()) throw new NotEqualError(`${where}: has the disks ${found.join(', ')}, not ${expected.join(', ')}.`);

  let common: SequenceRange[] = [{ from: 0, to: machine.sequence }];
  let blocksCompared = 0;
  for (const disk of machine.disks) {
    const blocks = recovered.get(disk.deviceName) ?? new Map<number, Buffer>();
    const hashes = new Map([...blocks].map(([index, bytes]) => [index, hashBlock(bytes)]));
    const ranges = disk.written.rangesMatching(hashes, machine.sequence);
    if (ranges.length === 0) throw new NotEqualError(`${where}: ${disk.deviceName} holds bytes that the source's disk never held together.`);
    common = intersect(common, ranges);
    blocksCompared += Math.max(hashes.size, disk.image.blockCount);
  }
  const instant = common.at(-1);
  if (instant === undefined) throw new NotEqualError(`${where}: the disks are not of one instant.`);
  // An empty disk matches the state before the first write; that would prove nothing.
  if (instant.to === 0) throw new NotEqualError(`${where}: the disks are empty.`);

  let filesCompared = 0;
  for (const disk of machine.disks) {
    const size = disk.image.bytes.length;
    const source = await disk.written.imageAt(instant.to, size).fileHashes();
    const copy = await imageOf(recovered.get(disk.deviceName) ?? new Map<number, Buffer>(), size).fileHashes();
    for (const path of new Set([...source.keys(), ...copy.keys()])) {
      if (source.get(path) !== copy.get(path)) throw new NotEqualError(`${where}: ${disk.deviceName}:${path} differs.`);
    }
    filesCompared += source.size;
  }
  return {
    name: machine.name,
    sourceInstanceId: machine.instanceId,
    recoveredInstanceId,
    disks: machine.disks.length,
    blocksCompared,
    filesCompared,
    upToWrite: instant.to,
    writesLost: machine.sequence - instant.to,
    lastWriteKept: machine.writtenAt[instant.to - 1],
  };
}

function imageOf(blocks: ReadonlyMap<number, Buffer>, sizeBytes: number): DiskImage {
  const bytes = Buffer.alloc(sizeBytes);
  for (const [index, block] of blocks) block.copy(bytes, index * block.length);
  return new DiskImage(bytes);
}
