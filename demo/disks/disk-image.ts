import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { withMountedDisk } from 'ext2fs';
import { projectRoot } from '../../local-cloud/project-root';

/** Bytes in one block of the EBS direct APIs. */
export const BLOCK_BYTES = 524_288;

/**
 * An empty ext4 file system of 16 MiB, made once with e2fsprogs:
 * `mkfs.ext4 -O ^has_journal -N 256 -m 0` on a sparse file, then brotli. It is shipped because mkfs is not everywhere.
 */
const EMPTY_EXT4 = join(projectRoot(), 'demo', 'disks', 'empty-ext4-16m.img.br');

/** The random access that ext2fs wants of a disk, over memory. */
class MemoryDisk {
  constructor(private readonly bytes: Buffer) {}

  read(buffer: Buffer, bufferOffset: number, length: number, fileOffset: number) {
    const bytesRead = this.bytes.copy(buffer, bufferOffset, fileOffset, fileOffset + length);
    return Promise.resolve({ bytesRead, buffer });
  }

  write(buffer: Buffer, bufferOffset: number, length: number, fileOffset: number) {
    const bytesWritten = buffer.copy(this.bytes, fileOffset, bufferOffset, bufferOffset + length);
    return Promise.resolve({ bytesWritten, buffer });
  }

  discard() {
    return Promise.resolve();
  }

  flush() {
    return Promise.resolve();
  }
}

/** A disk with a real ext4 file system, in memory. */
export class DiskImage {
  static empty(): DiskImage {
    return new DiskImage(brotliDecompressSync(readFileSync(EMPTY_EXT4)));
  }

  constructor(readonly bytes: Buffer) {}

  clone(): DiskImage {
    return new DiskImage(Buffer.from(this.bytes));
  }

  get blockCount(): number {
    return Math.ceil(this.bytes.length / BLOCK_BYTES);
  }

  block(index: number): Buffer {
    return this.bytes.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES);
  }

  /** Writes files into the file system; folders on the way are made. */
  async writeFiles(files: Readonly<Record<string, Buffer>>): Promise<void> {
    await withMountedDisk(new MemoryDisk(this.bytes), 0, async ({ promises: fs }) => {
      for (const [path, content] of Object.entries(files)) {
        const folders = path.split('/').slice(1, -1);
        for (let depth = 1; depth <= folders.length; depth++) {
          const folder = `/${folders.slice(0, depth).join('/')}`;
          await fs.stat(folder).catch(() => fs.mkdir(folder));
        }
        await fs.writeFile(path, content);
      }
    });
  }

  /** SHA-256 of every regular file, by path. */
  async fileHashes(): Promise<Map<string, string>> {
    const hashes = new Map<string, string>();
    await withMountedDisk(new MemoryDisk(this.bytes), 0, async ({ promises: fs }) => {
      const walk = async (folder: string): Promise<void> => {
        for (const name of (await fs.readdir(folder)).sort()) {
          const path = `${folder === '/' ? '' : folder}/${name}`;
          const stat = await fs.stat(path);
          if (stat.isDirectory()) await walk(path);
          else hashes.set(path, createHash('sha256').update(await fs.readFile(path)).digest('hex'));
        }
      };
      await walk('/');
    });
    return hashes;
  }
}
