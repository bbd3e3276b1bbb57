import {
  CopySnapshotCommand, CreateSnapshotsCommand, DeleteSnapshotCommand, DescribeSnapshotsCommand,
  type EC2Client, type Filter, type Snapshot,
} from '@aws-sdk/client-ec2';
import { byFilterValues, isoOf, PAGE_SIZE, recordOf, tagSpecifications } from './ec2-common';
import { isRefused, refusing } from './errors';
import type {
  CopyRequest, RecoverySnapshots, Removal, SnapshotFacts, Snapshots, SnapshotSetRequest, SourceSnapshots, StartedSnapshot,
} from './ports/snapshots';

/** Reads by filter and not by id: an id that is gone, or not visible yet, would fail the whole batch. */
export class Ec2Snapshots implements Snapshots {
  constructor(protected readonly client: EC2Client) {}

  withIds(ids: readonly string[]): Promise<SnapshotFacts[]> {
    return this.described(ids, 'snapshot-id');
  }

  withTag(key: string, values: readonly string[]): Promise<SnapshotFacts[]> {
    return this.described(values, `tag:${key}`);
  }

  async remove(snapshotId: string): Promise<Removal> {
    try {
      await refusing('DeleteSnapshot', () => this.client.send(new DeleteSnapshotCommand({ SnapshotId: snapshotId })));
      return 'removed';
    } catch (error) {
      if (isRefused(error, 'not-found')) return 'absent';
      if (isRefused(error, 'in-use')) return 'in-use';
      // The role may delete what carries the project's tag, and what is gone carries none: a repeated deletion may look forbidden.
      if (isRefused(error, 'denied') && (await this.withIds([snapshotId])).length === 0) return 'absent';
      throw error;
    }
  }

  private described(values: readonly string[], filter: string): Promise<SnapshotFacts[]> {
    return byFilterValues(values, async (some, token) => {
      const filters: Filter[] = [{ Name: filter, Values: some }];
      const page = await refusing('DescribeSnapshots', () => this.client.send(new DescribeSnapshotsCommand({
        OwnerIds: ['self'], Filters: filters, MaxResults: PAGE_SIZE, NextToken: token,
      })));
      return { items: (page.Snapshots ?? []).map(factsOf), next: page.NextToken };
    });
  }
}

export class Ec2SourceSnapshots extends Ec2Snapshots implements SourceSnapshots {
  async createSet({ instanceId, description, tags }: SnapshotSetRequest): Promise<StartedSnapshot[]> {
    const answer = await refusing('CreateSnapshots', () => this.client.send(new CreateSnapshotsCommand({
      InstanceSpecification: { InstanceId: instanceId },
      Description: description,
      TagSpecifications: tagSpecifications(tags, 'snapshot'),
    })));
    return (answer.Snapshots ?? []).map((snapshot) => ({
      snapshotId: snapshot.SnapshotId ?? '', volumeId: snapshot.VolumeId ?? '', startTime: isoOf(snapshot.StartTime),
    }));
  }
}

export class Ec2RecoverySnapshots extends Ec2Snapshots implements RecoverySnapshots {
  async copy({ sourceRegion, sourceSnapshotId, keyArn, description, tags }: CopyRequest): Promise<string> {
    const answer = await refusing('CopySnapshot', () => this.client.send(new CopySnapshotCommand({
      SourceRegion: sourceRegion,
      SourceSnapshotId: sourceSnapshotId,
      Encrypted: true,
      KmsKeyId: keyArn,
      Description: description,
      TagSpecifications: tagSpecifications(tags, 'snapshot'),
    })));
    return answer.SnapshotId ?? '';
  }
}

function factsOf(snapshot: Snapshot): SnapshotFacts {
  const state = snapshot.State;
  return {
    snapshotId: snapshot.SnapshotId ?? '',
    volumeId: snapshot.VolumeId ?? '',
    // `recoverable` and `recovering` belong to the recycle bin: not usable, and not in error.
    state: state === 'completed' || state === 'error' ? state : 'pending',
    stateMessage: snapshot.StateMessage,
    startTime: isoOf(snapshot.StartTime),
    sizeGiB: snapshot.VolumeSize ?? 0,
    description: snapshot.Description ?? '',
    tags: recordOf(snapshot.Tags),
  };
}
