/** The size of a block of EBS, and of the disks of the local cloud. */
export const BLOCK_BYTES = 524_288;

const CONCURRENT_BLOCKS = 8;

/** What a guest would do: reads and writes the bytes of volumes. A block that was never written reads as zeros. */
export class Disks {
  public constructor(private readonly endpoint: string) {}

  /** Writes one block; a shorter buffer is filled up with zeros. */
  public async write(region: string, volumeId: string, blockIndex: number, data: Buffer): Promise<void> {
    if (data.length > BLOCK_BYTES) throw new Error(`A block has ${BLOCK_BYTES} bytes, not ${data.length}.`);
    const block = data.length === BLOCK_BYTES ? data : Buffer.concat([data], BLOCK_BYTES);
    await this.ask('PUT', region, volumeId, blockIndex, block);
  }

  /** Writes a disk image from the first block on, leaving out blocks of zeros where nothing was written before. */
  public async writeImage(region: string, volumeId: string, image: Buffer): Promise<void> {
    const written = new Set(await this.blocks(region, volumeId));
    const indexes = Array.from({ length: Math.ceil(image.length / BLOCK_BYTES) }, (_, index) => index)
      .filter((index) => written.has(index) || blockOf(image, index).some((byte) => byte !== 0));
    await inParallel(indexes, (index) => this.write(region, volumeId, index, blockOf(image, index)));
  }

  public async read(region: string, volumeId: string, blockIndex: number): Promise<Buffer> {
    const response = await this.ask('GET', region, volumeId, blockIndex);
    return response ? Buffer.from(await response.arrayBuffer()) : Buffer.alloc(BLOCK_BYTES);
  }

  /** The whole disk up to its last written block, or up to a length. */
  public async readImage(region: string, volumeId: string, length?: number): Promise<Buffer> {
    const indexes = await this.blocks(region, volumeId);
    const image = Buffer.alloc(length ?? (Math.max(-1, ...indexes) + 1) * BLOCK_BYTES);
    const wanted = indexes.filter((index) => index * BLOCK_BYTES < image.length);
    await inParallel(wanted, async (index) => { (await this.read(region, volumeId, index)).copy(image, index * BLOCK_BYTES); });
    return image;
  }

  /** The indexes of the blocks that were ever written, in order. */
  public async blocks(region: string, volumeId: string): Promise<number[]> {
    const response = await this.ask('GET', region, volumeId);
    const { blocks } = (await response?.json() ?? { blocks: [] }) as { blocks: number[] };
    return blocks.sort((a, b) => a - b);
  }

  private async ask(method: string, region: string, volumeId: string, blockIndex?: number, body?: Buffer): Promise<Response | undefined> {
    const path = `/_emulator/disks/${region}/${volumeId}${blockIndex === undefined ? '' : `/${blockIndex}`}`;
    const response = await fetch(`${this.endpoint}${path}`, { method, ...(body ? { body: new Uint8Array(body) } : {}) });
    if (response.ok) return response;
    const message = await response.text();
    if (response.status === 404 && blockIndex !== undefined && method === 'GET' && message.includes('never written')) return undefined;
    throw new Error(`${method} ${path}: ${response.status} ${message}`);
  }
}

function blockOf(image: Buffer, index: number): Buffer {
  return image.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES);
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(Array.from({ length: CONCURRENT_BLOCKS }, async () => {
    for (const item of queue) await work(item);
  }));
}
