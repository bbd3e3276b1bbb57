import { createHash } from 'node:crypto';
import { CreateSnapshotCommand, CreateVolumeCommand, DescribeSnapshotsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { CompleteSnapshotCommand, EBSClient, GetSnapshotBlockCommand, ListChangedBlocksCommand, ListSnapshotBlocksCommand, PutSnapshotBlockCommand, StartSnapshotCommand } from '@aws-sdk/client-ebs';
import { PythonEmulator, until } from './python-emulator';

const REGION = 'us-west-2';
const BLOCK = 524_288;
const block = (text: string) => Buffer.alloc(BLOCK, text);
const sha = (data: Buffer) => createHash('sha256').update(data).digest('base64');
const of = (text: string) => sha(block(text));

let emulator: PythonEmulator;
let ebs: EBSClient;
let ec2: EC2Client;

beforeAll(async () => {
  emulator = await PythonEmulator.start();
  ebs = new EBSClient(emulator.config(REGION));
  ec2 = new EC2Client(emulator.config(REGION));
  await emulator.configure({ snapshotSeconds: 0 });
});
afterAll(() => emulator.stop());

const put = (SnapshotId: string, BlockIndex: number, data: Buffer, extra = {}) => ebs.send(new PutSnapshotBlockCommand({
  SnapshotId, BlockIndex, BlockData: data, DataLength: data.length, Checksum: sha(data), ChecksumAlgorithm: 'SHA256', ...extra,
}));

async function write(blocks: Record<number, string>, extra = {}): Promise<string> {
  const { SnapshotId } = await ebs.send(new StartSnapshotCommand({ VolumeSize: 1, ...extra }));
  for (const [index, text] of Object.entries(blocks)) await put(SnapshotId!, Number(index), block(text));
  await ebs.send(new CompleteSnapshotCommand({ SnapshotId, ChangedBlocksCount: Object.keys(blocks).length }));
  return SnapshotId!;
}

/** Hashes of the blocks: comparing bytes takes jest a second. */
async function read(SnapshotId: string): Promise<Record<number, string>> {
  const { Blocks, BlockSize, VolumeSize } = await ebs.send(new ListSnapshotBlocksCommand({ SnapshotId }));
  expect({ BlockSize, VolumeSize }).toEqual({ BlockSize: BLOCK, VolumeSize: 1 });
  const found: Record<number, string> = {};
  for (const { BlockIndex, BlockToken } of Blocks!) {
    const answer = await ebs.send(new GetSnapshotBlockCommand({ SnapshotId, BlockIndex, BlockToken }));
    const data = Buffer.from(await answer.BlockData!.transformToByteArray());
    expect(answer).toMatchObject({ Checksum: sha(data), DataLength: BLOCK });
    found[BlockIndex!] = sha(data);
  }
  return found;
}

test('what is written is read, by itself and from a volume; a parent gives the blocks that were not written', async () => {
  const parent = await write({ 0: 'a', 5: 'b' });
  const child = await write({ 5: 'c', 9: 'd' }, { ParentSnapshotId: parent });
  expect(await read(child)).toEqual({ 0: of('a'), 5: of('c'), 9: of('d') });
  expect(await read(parent)).toEqual({ 0: of('a'), 5: of('b') });
  const { VolumeId } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: `${REGION}a`, SnapshotId: child }));
  expect((await emulator.readDisk(REGION, VolumeId!, 9))?.equals(block('d'))).toBe(true);
});

test('a snapshot of a volume is read block by block, and compared with the one before it', async () => {
  const { VolumeId } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: `${REGION}a`, Size: 1 }));
  const snapshot = async () => {
    const { SnapshotId } = await ec2.send(new CreateSnapshotCommand({ VolumeId }));
    await until(async () => (await ec2.send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId!] }))).Snapshots![0]!.State === 'completed');
    return SnapshotId!;
  };
  await emulator.writeDisk(REGION, VolumeId!, 1, block('one'));
  await emulator.writeDisk(REGION, VolumeId!, 2, block('two'));
  const first = await snapshot();
  await emulator.writeDisk(REGION, VolumeId!, 2, block('TWO'));
  await emulator.writeDisk(REGION, VolumeId!, 7, block('new'));
  const second = await snapshot();

  const { ChangedBlocks } = await ebs.send(new ListChangedBlocksCommand({ FirstSnapshotId: first, SecondSnapshotId: second }));

  expect(ChangedBlocks!.map(({ BlockIndex, FirstBlockToken, SecondBlockToken }) => [BlockIndex, !!FirstBlockToken, !!SecondBlockToken])).toEqual([[2, true, true], [7, false, true]]);
  expect(await read(first)).toEqual({ 1: of('one'), 2: of('two') });
  await expect(ebs.send(new ListChangedBlocksCommand({ FirstSnapshotId: await write({ 0: 'x' }), SecondSnapshotId: second }))).rejects.toMatchObject({ name: 'ValidationException', Reason: 'UNRELATED_SNAPSHOTS' });
});

test('pages hold 100 blocks at least, and the next token goes on where they end', async () => {
  const blocks = Object.fromEntries(Array.from({ length: 130 }, (_, index) => [index, 'x']));
  const SnapshotId = await write(blocks);
  const first = await ebs.send(new ListSnapshotBlocksCommand({ SnapshotId, MaxResults: 100 }));
  const second = await ebs.send(new ListSnapshotBlocksCommand({ SnapshotId, MaxResults: 100, NextToken: first.NextToken }));
  expect([first.Blocks!.length, second.Blocks!.length, second.NextToken]).toEqual([100, 30, undefined]);
});

test('what the service refuses is refused', async () => {
  const { SnapshotId } = await ebs.send(new StartSnapshotCommand({ VolumeSize: 1, ClientToken: 't' }));
  expect((await ebs.send(new StartSnapshotCommand({ VolumeSize: 1, ClientToken: 't' }))).SnapshotId).toBe(SnapshotId);
  await expect(ebs.send(new StartSnapshotCommand({ VolumeSize: 2, ClientToken: 't' }))).rejects.toMatchObject({ name: 'ConflictException' });
  await expect(put(SnapshotId!, 0, block('a'), { Checksum: sha(block('b')) })).rejects.toMatchObject({ name: 'ValidationException' });
  await expect(put(SnapshotId!, 2048, block('a'))).rejects.toMatchObject({ name: 'ValidationException' });
  await expect(put(SnapshotId!, 0, Buffer.alloc(512))).rejects.toMatchObject({ name: 'ValidationException' });
  await put(SnapshotId!, 0, block('a'));
  await expect(ebs.send(new ListSnapshotBlocksCommand({ SnapshotId }))).rejects.toMatchObject({ name: 'ResourceNotFoundException', Reason: 'SNAPSHOT_NOT_FOUND' });
  await expect(ebs.send(new CompleteSnapshotCommand({ SnapshotId, ChangedBlocksCount: 2 }))).rejects.toMatchObject({ name: 'ValidationException' });
  await ebs.send(new CompleteSnapshotCommand({
    SnapshotId, ChangedBlocksCount: 1, ChecksumAlgorithm: 'SHA256', ChecksumAggregationMethod: 'LINEAR',
    Checksum: createHash('sha256').update(createHash('sha256').update(block('a')).digest()).digest('base64'),
  }));
  await expect(put(SnapshotId!, 1, block('a'))).rejects.toMatchObject({ name: 'ValidationException' });
  await expect(ebs.send(new StartSnapshotCommand({ VolumeSize: 1, ParentSnapshotId: SnapshotId, Encrypted: true }))).rejects.toMatchObject({ name: 'ValidationException' });
  await expect(ebs.send(new GetSnapshotBlockCommand({ SnapshotId, BlockIndex: 0, BlockToken: 'of-another' }))).rejects.toMatchObject({ name: 'ValidationException' });
});
