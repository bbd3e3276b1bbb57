import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { VolumeKey } from '../volume-key';

/** What functions, roles and workflows of one project have in common. */
export interface ProjectContext {
  readonly project: string;
  readonly sourceRegion: string;
  readonly recoveryRegion: string;
  readonly account: string;
  readonly partition: string;
  readonly table: ITable;
  /** Of the copies, the recovered disks and the catalogue. */
  readonly key: IKey;
  readonly volumeKeys: readonly VolumeKey[];
  readonly logRetention: RetentionDays;
}
