import { EBSClient, GetSnapshotBlockCommand, ListChangedBlocksCommand, ListSnapshotBlocksCommand } from '@aws-sdk/client-ebs';
import { mockClient } from 'aws-sdk-client-mock';
import { createHash } from 'node:crypto';
import { EbsBlocks } from '../../../lambda/adapters/ebs-blocks';

const ebs = mockClient(EBSClient);
const blocks = new EbsBlocks('us-west-2');
const bytes = (index: number) => Buffer.from(`block ${index}`);
const sha = (data: Buffer, as: 'hex' | 'base64') => createHash('sha256').update(data).digest(as);
const refusal = (name: string, status = 400) => Object.assign(new Error('refused'), { name, $metadata: { httpStatusCode: status } });
const body = (data: Buffer) => ({ transformToByteArray: () => Promise.resolve(new Uint8Array(data)) }) as never;

beforeEach(() => ebs.reset());

/** A snapshot that has these blocks, listed in pages of at most so many. */
function holding(indexes: readonly number[], pageSize = Number.POSITIVE_INFINITY): void {
  ebs.on(ListSnapshotBlocksCommand).callsFake(({ StartingBlockIndex = 0, NextToken, MaxResults }: { StartingBlockIndex?: number; NextToken?: string; MaxResults: number }) => {
    const left = indexes.filter((index) => index >= Number(NextToken ?? StartingBlockIndex));
    const some = left.slice(0, Math.min(MaxResults, pageSize));
    const next = left[some.length];
    return { Blocks: some.map((index) => ({ BlockIndex: index, BlockToken: `token-${index}` })), BlockSize: 524_288, VolumeSize: 100, ...(next === undefined ? {} : { NextToken: String(next) }) };
  });
  ebs.on(GetSnapshotBlockCommand).callsFake(({ BlockIndex, BlockToken }: { BlockIndex: number; BlockToken: string }) => {
    if (BlockToken !== `token-${BlockIndex}`) throw refusal('ValidationException');
    return { BlockData: body(bytes(BlockIndex)), Checksum: sha(bytes(BlockIndex), 'base64'), ChecksumAlgorithm: 'SHA256' };
  });
}

test('lists all pages, also past one that is empty', async () => {
  ebs.on(ListSnapshotBlocksCommand)
    .resolvesOnce({ Blocks: [{ BlockIndex: 3 }, { BlockIndex: 4 }], BlockSize: 524_288, VolumeSize: 8, NextToken: 'a' })
    .resolvesOnce({ Blocks: [], BlockSize: 524_288, VolumeSize: 8, NextToken: 'b' })
    .resolves({ Blocks: [{ BlockIndex: 90 }], BlockSize: 524_288, VolumeSize: 8 });
  const { blockSize, volumeSizeGiB, indexes } = await blocks.list('snap-1');
  expect([blockSize, volumeSizeGiB, [...indexes]]).toEqual([524_288, 8, [3, 4, 90]]);
  expect(ebs.commandCalls(ListSnapshotBlocksCommand).map(({ args }) => args[0].input.NextToken)).toEqual([undefined, 'a', 'b']);
});

test('an empty disk lists nothing', async () => {
  ebs.on(ListSnapshotBlocksCommand).resolves({ BlockSize: 524_288, VolumeSize: 8 });
  expect((await blocks.list('snap-1')).indexes.size).toBe(0);
});

test('what changed is known on whichever side it is listed', async () => {
  ebs.on(ListChangedBlocksCommand).resolvesOnce({ ChangedBlocks: [{ BlockIndex: 1, FirstBlockToken: 'f' }], NextToken: 'a' }).resolves({ ChangedBlocks: [{ BlockIndex: 7, SecondBlockToken: 's' }] });
  expect([...await blocks.changed('snap-1', 'snap-2') ?? []]).toEqual([1, 7]);
});

test.each([
  ['not related', refusal('ValidationException')], ['gone', refusal('ResourceNotFoundException', 404)], ['gone, and its tags with it', refusal('AccessDeniedException', 403)],
])('of a snapshot that is %s nobody knows what changed', async (_, error) => {
  ebs.on(ListChangedBlocksCommand).rejects(error);
  expect(await blocks.changed('snap-1', 'snap-2')).toBeUndefined();
});

test.each([
  ['RequestThrottledException', 400, 'throttled'], ['InternalServerException', 500, 'unreachable'], ['ServiceQuotaExceededException', 402, 'quota'],
])('%s is no answer about what changed', async (name, status, kind) => {
  ebs.on(ListChangedBlocksCommand).rejects(refusal(name, status));
  await expect(blocks.changed('snap-1', 'snap-2')).rejects.toMatchObject({ name: 'RefusedCall', kind, code: name });
});

test.each([
  ['near together', [1, 2, 3, 50, 51], 3], ['far apart', [5, 20_000, 20_001, 90_000], 10_000], ['more than are read at once', Array.from({ length: 200 }, (_, index) => index * 7), 100],
])('hashes of blocks %s are those of their bytes', async (_, indexes, pageSize) => {
  holding([0, ...indexes, 100_000], pageSize);
  const hashes = await blocks.hashes('snap-1', indexes);
  expect([...hashes.keys()].sort((a, b) => a - b)).toEqual(indexes);
  for (const [index, hash] of hashes) expect(hash).toBe(sha(bytes(index), 'hex'));
});

test('blocks that the snapshot does not hold have no hash, and are not asked for', async () => {
  holding([2, 4]);
  expect([...(await blocks.hashes('snap-1', [1, 2, 3, 9000])).keys()]).toEqual([2]);
  expect(ebs.commandCalls(GetSnapshotBlockCommand)).toHaveLength(1);
  expect((await blocks.hashes('snap-1', [])).size).toBe(0);
});

test('bytes that are not those of the checksum are no answer', async () => {
  holding([2]);
  ebs.on(GetSnapshotBlockCommand).resolves({ BlockData: body(bytes(3)), Checksum: sha(bytes(2), 'base64') });
  await expect(blocks.hashes('snap-1', [2])).rejects.toMatchObject({ kind: 'unreachable', code: 'ChecksumMismatch', message: expect.stringContaining('block 2 of snap-1') });
});

test('an answer that breaks off is no answer', async () => {
  holding([2]);
  const broken = { transformToByteArray: () => Promise.reject(Object.assign(new Error('aborted'), { code: 'ECONNRESET' })) } as never;
  ebs.on(GetSnapshotBlockCommand).resolves({ BlockData: broken, Checksum: sha(bytes(2), 'base64') });
  await expect(blocks.hashes('snap-1', [2])).rejects.toMatchObject({ kind: 'unreachable', operation: 'GetSnapshotBlock' });
});
