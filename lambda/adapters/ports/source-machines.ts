import type { MachineSettings } from '../../core/model';

/** An instance as DescribeInstances shows it; what takes calls of its own is not in it. */
export interface FoundInstance extends Omit<MachineSettings, 'volumes' | 'userData' | 'uefiData' | 'instanceRoleArn'> {
  readonly instanceId: string;
  readonly volumes: readonly AttachedVolume[];
}

export interface AttachedVolume {
  readonly deviceName: string;
  readonly volumeId: string;
  readonly deleteOnTermination: boolean;
}

export interface VolumeFacts {
  readonly volumeId: string;
  readonly sizeGiB: number;
  readonly volumeType: string;
  readonly iops?: number;
  readonly throughput?: number;
  readonly encrypted: boolean;
  readonly kmsKeyId?: string;
}

/** Machines in the source Region; all reads. */
export interface SourceMachines {
  /** Instances that carry all of the tags and are not terminated. */
  withTags(tags: Readonly<Record<string, string>>): Promise<FoundInstance[]>;
  volumes(ids: readonly string[]): Promise<VolumeFacts[]>;
  /** Base64. */
  userData(instanceId: string): Promise<string | undefined>;
  /** Base64; absent where the instance has no UEFI variable store. */
  uefiData(instanceId: string): Promise<string | undefined>;
}

export interface InstanceProfiles {
  /** The ARN of the role inside the profile. */
  roleOf(instanceProfileArn: string): Promise<string | undefined>;
}
