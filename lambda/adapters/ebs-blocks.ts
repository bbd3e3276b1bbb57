import { createHash } from 'node:crypto';
import { EBSClient, GetSnapshotBlockCommand, ListChangedBlocksCommand, ListSnapshotBlocksCommand, type Block } from '@aws-sdk/client-ebs';
import { clientSettings } from '../runtime/clients';
import { chunks, eachOf } from '../runtime/pool';
import { isRefused, RefusedCall, refusing } from './errors';
import { BlockSet } from '../core/block-set';
import type { Page } from './paging';
import type { BlockList, SnapshotBlocks } from './ports/snapshot-blocks';

/** EBS direct API reference: at most so many in one page of a list, and at least. */
const PAGE_MAX = 10_000;
const PAGE_MIN = 100;
/** Blocks far apart are listed one page each, near ones together. */
const BATCH = 64;
/** A block has half a megabyte: so many at once are 16 MB in memory. */
const READERS = 32;

export class EbsBlocks implements SnapshotBlocks {
  private readonly client: EBSClient;

  constructor(region: string) {
    this.client = new EBSClient(clientSettings(region));
  }

  async list(snapshotId: string): Promise<BlockList> {
    let size = { blockSize: 0, volumeSizeGiB: 0 };
    const indexes = await indexesOf(async (NextToken) => {
      const page = await refusing('ListSnapshotBlocks', () => this.client.send(new ListSnapshotBlocksCommand({ SnapshotId: snapshotId, MaxResults: PAGE_MAX, NextToken })));
      size = { blockSize: page.BlockSize ?? 0, volumeSizeGiB: page.VolumeSize ?? 0 };
      return { items: page.Blocks ?? [], next: page.NextToken };
    });
    return { ...size, indexes };
  }

  async changed(firstSnapshotId: string, secondSnapshotId: string): Promise<BlockSet | undefined> {
    try {
      return await indexesOf(async (NextToken) => {
        const page = await refusing('ListChangedBlocks', () => this.client.send(new ListChangedBlocksCommand({
          FirstSnapshotId: firstSnapshotId, SecondSnapshotId: secondSnapshotId, MaxResults: PAGE_MAX, NextToken,
        })));
        return { items: page.ChangedBlocks ?? [], next: page.NextToken };
      });
    } catch (error) {
      // Not related, or gone: then nobody knows what changed. The role may read what carries the project's tag, and what is gone carries
      // none: it may look forbidden. Where the role may really not read, listing the blocks says so.
      if (isRefused(error, 'invalid', 'not-found', 'denied')) return undefined;
      throw error;
    }
  }

  async hashes(snapshotId: string, indexes: readonly number[]): Promise<ReadonlyMap<number, string>> {
    const hashes = new Map<number, string>();
    for (const some of chunks(indexes, BATCH)) {
      const tokens = await this.tokens(snapshotId, some);
      await eachOf([...tokens], async ([index, token]) => { hashes.set(index, await this.hash(snapshotId, index, token)); }, READERS);
    }
    return hashes;
  }

  /** A block can be read only with the token that a list gave for it. */
  private async tokens(snapshotId: string, indexes: readonly number[]): Promise<Map<number, string>> {
    const wanted = new Set(indexes);
    const tokens = new Map<number, string>();
    let left = [...indexes].sort((a, b) => a - b);
    for (let first = left[0]; first !== undefined; first = left[0]) {
      const from: number = first;
      const near = left.filter((index) => index < from + PAGE_MAX).length;
      const page = await refusing('ListSnapshotBlocks', () => this.client.send(new ListSnapshotBlocksCommand({
        SnapshotId: snapshotId, StartingBlockIndex: from, MaxResults: near === 1 ? PAGE_MIN : PAGE_MAX,
      })));
      const blocks: Block[] = page.Blocks ?? [];
      for (const { BlockIndex = -1, BlockToken } of blocks) if (wanted.has(BlockIndex) && BlockToken !== undefined) tokens.set(BlockIndex, BlockToken);
      const last = page.NextToken === undefined ? Number.MAX_SAFE_INTEGER : Math.max(from, ...blocks.map(({ BlockIndex = -1 }) => BlockIndex));
      left = left.filter((index) => index > last);
    }
    return tokens;
  }

  private async hash(snapshotId: string, index: number, token: string): Promise<string> {
    const answer = await refusing('GetSnapshotBlock', () => this.client.send(new GetSnapshotBlockCommand({ SnapshotId: snapshotId, BlockIndex: index, BlockToken: token })));
    const bytes = await refusing('GetSnapshotBlock', async () => (await answer.BlockData?.transformToByteArray()) ?? new Uint8Array());
    const hash = createHash('sha256').update(bytes);
    const found = hash.copy().digest('base64');
    if (answer.Checksum !== undefined && answer.Checksum !== found) {
      throw new RefusedCall('GetSnapshotBlock', 'unreachable', 'ChecksumMismatch', `block ${index} of ${snapshotId} came with bytes of another checksum`);
    }
    return hash.digest('hex');
  }
}

/** All pages of a list. A large disk has thousands of them: of each only the numbers are kept. */
async function indexesOf(call: (token: string | undefined) => Promise<Page<{ readonly BlockIndex?: number }>>): Promise<BlockSet> {
  const indexes = new BlockSet();
  let token: string | undefined;
  do {
    const { items, next } = await call(token);
    for (const { BlockIndex } of items) if (BlockIndex !== undefined) indexes.add(BlockIndex);
    token = next === '' ? undefined : next;
  } while (token !== undefined);
  return indexes;
}
