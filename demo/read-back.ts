import { EBSClient, GetSnapshotBlockCommand, paginateListSnapshotBlocks } from '@aws-sdk/client-ebs';
import { CreateSnapshotCommand, DeleteSnapshotCommand, DescribeInstancesCommand, EC2Client, waitUntilSnapshotCompleted } from '@aws-sdk/client-ec2';
import type { LocalCloud } from '../local-cloud';
import { BLOCK_BYTES } from './disks/disk-image';

/** A recovered machine's disks as they are now: bytes by block index, by device name. */
export type DiskContents = ReadonlyMap<string, ReadonlyMap<number, Buffer>>;

/** Reads every disk of an instance through the EBS direct APIs, from a snapshot made for it and removed afterwards. */
export async function readInstanceDisks(cloud: LocalCloud, region: string, instanceId: string): Promise<DiskContents> {
  const ec2 = new EC2Client(cloud.clientConfig(region));
  const ebs = new EBSClient(cloud.clientConfig(region));
  try {
    const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }));
    const mappings = Reservations?.[0]?.Instances?.[0]?.BlockDeviceMappings ?? [];
    const disks = await Promise.all(mappings.map(async (mapping) => {
      const { SnapshotId } = await ec2.send(new CreateSnapshotCommand({ VolumeId: mapping.Ebs?.VolumeId }));
      await waitUntilSnapshotCompleted({ client: ec2, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }, { SnapshotIds: [SnapshotId ?? ''] });
      const blocks = await readSnapshot(ebs, SnapshotId ?? '');
      await ec2.send(new DeleteSnapshotCommand({ SnapshotId }));
      return [mapping.DeviceName ?? '', blocks] as const;
    }));
    return new Map(disks);
  } finally {
    ec2.destroy();
    ebs.destroy();
  }
}

async function readSnapshot(ebs: EBSClient, snapshotId: string): Promise<Map<number, Buffer>> {
  const blocks = new Map<number, Buffer>();
  for await (const page of paginateListSnapshotBlocks({ client: ebs }, { SnapshotId: snapshotId })) {
    if (page.BlockSize !== BLOCK_BYTES) throw new Error(`Snapshot ${snapshotId} has blocks of ${page.BlockSize} bytes, not ${BLOCK_BYTES}.`);
    for (const { BlockIndex, BlockToken } of page.Blocks ?? []) {
      const { BlockData } = await ebs.send(new GetSnapshotBlockCommand({ SnapshotId: snapshotId, BlockIndex, BlockToken }));
      blocks.set(BlockIndex ?? -1, Buffer.from((await BlockData?.transformToByteArray()) ?? []));
    }
  }
  return blocks;
}
