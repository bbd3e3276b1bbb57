import type { MachineSettings } from '../../core/model';

type Tags = Readonly<Record<string, string>>;

/** One disk of an image or of a machine to be launched. Encryption follows the snapshot and is never named. */
export interface DiskMapping {
  readonly deviceName: string;
  readonly snapshotId: string;
  readonly volumeType: string;
  readonly sizeGiB: number;
  readonly iops?: number;
  readonly throughput?: number;
  readonly deleteOnTermination: boolean;
}

/** What an image must carry over from the source for its machines to boot. */
export interface ImageSpec extends Pick<MachineSettings,
  'architecture' | 'virtualizationType' | 'rootDeviceName' | 'bootMode' | 'enaSupport' | 'sriovNetSupport' | 'tpmSupport' | 'uefiData'> {
  /** Unique in account and Region: what makes the call repeatable. */
  readonly name: string;
  readonly description: string;
  readonly disks: readonly DiskMapping[];
  readonly tags: Tags;
}

export interface ImageFacts {
  readonly imageId: string;
  readonly name: string;
  readonly state: string;
  readonly createdAt: string;
  readonly tags: Tags;
}

export interface LaunchSpec {
  readonly clientToken: string;
  readonly imageId: string;
  readonly instanceType: string;
  readonly subnetId: string;
  readonly privateIp?: string;
  readonly securityGroupIds: readonly string[];
  readonly instanceProfileArn?: string;
  readonly keyName?: string;
  /** Base64. */
  readonly userData?: string;
  readonly httpTokens?: string;
  readonly httpPutResponseHopLimit?: number;
  readonly ebsOptimized?: boolean;
  readonly capacityReservationId?: string;
  readonly capacityReservationGroupArn?: string;
  /** Mappings that the image does not have (a base image) or that differ from it (a drill deletes all on termination). */
  readonly disks: readonly DiskMapping[];
  readonly tags: Tags;
}

export interface MachineFacts {
  readonly instanceId: string;
  /** `pending`, `running`, `shutting-down`, `terminated`, `stopping`, `stopped`. */
  readonly state: string;
  /** Why it is terminated, as `Server.InsufficientInstanceCapacity: …`. */
  readonly stateReason?: string;
  readonly stateReasonCode?: string;
  readonly privateIp?: string;
  readonly availabilityZone?: string;
  readonly rootDeviceName?: string;
  readonly launchTime?: string;
  readonly volumes: readonly { readonly deviceName: string; readonly volumeId: string }[];
  readonly tags: Tags;
}

export interface MachineStatus {
  readonly instanceId: string;
  /** Both of EC2's checks passed. */
  readonly ok: boolean;
  readonly detail: string;
}

/** Images and machines in the recovery Region. */
export interface RecoveryMachines {
  /** Answers the image of that name if it is there already. */
  registerImage(spec: ImageSpec): Promise<string>;
  images(tagKey: string, values: readonly string[]): Promise<ImageFacts[]>;
  deregisterImage(imageId: string): Promise<'removed' | 'absent'>;
  /** RunInstances with a client token: repeated, it answers the machine of the first time. */
  launch(spec: LaunchSpec): Promise<MachineFacts>;
  machines(ids: readonly string[]): Promise<MachineFacts[]>;
  /** Not terminated, with all of the tags. */
  machinesWithTags(tags: Tags): Promise<MachineFacts[]>;
  statuses(ids: readonly string[]): Promise<MachineStatus[]>;
  terminate(ids: readonly string[]): Promise<void>;
}

export interface VolumeSpec {
  readonly clientToken: string;
  readonly availabilityZone: string;
  readonly disk: DiskMapping;
  readonly tags: Tags;
}

export interface RecoveredVolume {
  readonly volumeId: string;
  readonly snapshotId?: string;
  /** `creating`, `available`, `in-use`, … */
  readonly state: string;
  readonly tags: Tags;
}

/** What replacing the root volume of a machine launched from a base image needs. */
export interface RootReplacement {
  /** @param force it is switched off without its system being asked */
  stop(instanceId: string, force?: boolean): Promise<void>;
  start(instanceId: string): Promise<void>;
  volumesWithTags(tags: Tags): Promise<RecoveredVolume[]>;
  /** Repeatable by its client token. */
  createVolume(spec: VolumeSpec): Promise<string>;
  detach(volumeId: string, instanceId: string): Promise<void>;
  attach(volumeId: string, instanceId: string, deviceName: string): Promise<void>;
  setDeleteOnTermination(instanceId: string, deviceName: string, value: boolean): Promise<void>;
  /** Only while stopped. Base64. */
  setUserData(instanceId: string, userData: string): Promise<void>;
  deleteVolume(volumeId: string): Promise<'removed' | 'absent' | 'in-use'>;
  tag(resourceIds: readonly string[], tags: Readonly<Record<string, string>>): Promise<void>;
}
