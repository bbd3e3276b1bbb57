import type { OldSide } from './lease';

/** The nouns of the domain, as they are stored in the catalogue and passed between steps. Times are ISO 8601 in UTC. */

/**
 * The life of a recovery point. `CREATING`: the intent is recorded, snapshots in the source may not exist yet.
 * `COMPLETE_IN_SOURCE`: every disk's snapshot is complete in the source Region. `COPYING`: at least one copy was started.
 * `COMPLETE`: every disk's copy is complete in the recovery Region; only this state can be recovered from.
 * `EXPIRED` and `FAILED` are final; their snapshots are deleted, after which `cleanedAt` is set.
 */
export type RecoveryPointState = 'CREATING' | 'COMPLETE_IN_SOURCE' | 'COPYING' | 'COMPLETE' | 'EXPIRED' | 'FAILED';

/** One disk of a consistency set. */
export interface PointVolume {
  /** The device name on the source instance, e.g. `/dev/sdf`. */
  readonly deviceName: string;
  readonly isRoot: boolean;
  readonly sourceVolumeId: string;
  readonly sizeGiB: number;
  /** EBS volume type, e.g. `gp3`. */
  readonly volumeType: string;
  readonly iops?: number;
  /** MiB/s; gp3 only. */
  readonly throughput?: number;
  readonly deleteOnTermination: boolean;
  /** Absent until CreateSnapshots has answered, or once retention has removed the source side. */
  readonly sourceSnapshotId?: string;
  /** Absent until CopySnapshot has answered. */
  readonly recoverySnapshotId?: string;
  /** When that copy was started. */
  readonly copyStartedAt?: string;
}

/** A consistency set of one member on its way to, or at, the recovery Region. */
export interface RecoveryPoint {
  readonly project: string;
  /** `EndpointMember.memberId`. */
  readonly memberId: string;
  /** Of a recovered machine, on the way back: the instance. @default - the one that the member's id names */
  readonly instanceId?: string;
  /** Derived from project, member and cycle, so that a repeated step finds its own work. */
  readonly pointId: string;
  readonly cycleId: string;
  readonly state: RecoveryPointState;
  /** The start of the cycle that recorded the intent: the same however often its step is repeated. */
  readonly createdAt: string;
  /** When CreateSnapshots was last about to be called: until its snapshots must be visible, it is not called again. */
  readonly attemptedAt?: string;
  /** The instant that the consistency set shows (the snapshots' start time); absent while `CREATING` has no snapshots. */
  readonly consistentAt?: string;
  /** When the last disk's copy was seen complete in the recovery Region. */
  readonly completedAt?: string;
  readonly volumes: readonly PointVolume[];
  /** Ids of the recovery runs that use this point; it cannot expire while there is one. */
  readonly pinnedBy?: readonly string[];
  /** Why it is `FAILED`, or why it was `EXPIRED`. */
  readonly reason?: string;
  /** When retention ended it. */
  readonly expiredAt?: string;
  /** When the snapshots of an ended point were gone. */
  readonly cleanedAt?: string;
  /** Grows by one with each write; every write is conditional on it. */
  readonly version: number;
}

/** What is needed to launch a machine like the source instance, read in the source Region at discovery. */
export interface MachineSettings {
  readonly instanceType: string;
  /** `x86_64` or `arm64`. */
  readonly architecture: string;
  readonly virtualizationType: string;
  readonly rootDeviceName: string;
  readonly bootMode?: string;
  readonly enaSupport?: boolean;
  readonly sriovNetSupport?: string;
  readonly tpmSupport?: string;
  /** Base64, as GetInstanceUefiData gives it; UEFI instances only. */
  readonly uefiData?: string;
  /** `platformDetails` of EC2, e.g. `Linux/UNIX`, `Windows`, `Red Hat Enterprise Linux`. */
  readonly platformDetails: string;
  readonly productCodes: readonly string[];
  readonly privateIp?: string;
  /** Where it runs: for a machine that takes its place in the same Region. Absent in rows of before this was read. */
  readonly subnetId?: string;
  readonly availabilityZone?: string;
  readonly securityGroupIds?: readonly string[];
  readonly keyName?: string;
  readonly ebsOptimized?: boolean;
  /** Base64. */
  readonly userData?: string;
  readonly instanceProfileArn?: string;
  /** The role inside the profile, for iam:PassRole. */
  readonly instanceRoleArn?: string;
  readonly httpTokens?: string;
  readonly httpPutResponseHopLimit?: number;
  /** The user's own tags; `aws:*` and `disaster-recovery:*` are left out. */
  readonly tags: Readonly<Record<string, string>>;
  readonly volumes: readonly SourceVolume[];
  /** EC2's launch time; it changes with each start, and user data can only change while stopped. */
  readonly launchTime: string;
}

export type SourceVolume = Omit<PointVolume, 'sourceSnapshotId' | 'recoverySnapshotId' | 'copyStartedAt'> & {
  readonly encrypted: boolean;
  readonly kmsKeyId?: string;
};

/** One machine of an endpoint. An endpoint found by tag has as many members as instances carry the tag. */
export interface EndpointMember {
  /** `<endpoint>/<instance id>`. */
  readonly memberId: string;
  readonly project: string;
  /** The name given to `Endpoint.instance` or `Endpoint.instances`. */
  readonly endpoint: string;
  readonly instanceId: string;
  readonly firstSeenAt: string;
  readonly lastSeenAt: string;
  /** When a discovery that did find the endpoint's other members did not find this one. */
  readonly missingSince?: string;
  /** Its endpoint is no longer part of the project: it is missing, and recovered only when the endpoint is asked for by name. */
  readonly withdrawn?: true;
  readonly settings: MachineSettings;
  /** `consistentAt` of the newest `COMPLETE` point: the achieved RPO is now minus this. */
  readonly newestPointAt?: string;
  /** What stands in the way of protecting or recovering this member, in words that say what to do. */
  readonly findings: readonly string[];
}

/**
 * `drill`: recover in the isolated network, move nothing. `failover`: recover in the recovery Region, for good. `failback`:
 * bring what the recovery side has written back to the source Region and make that side active again. `repair`: put a new
 * machine in the place of one that failed alone, in the source Region.
 */
export type RunMode = 'drill' | 'failover' | 'failback' | 'repair';
export type RunStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED';

/** Which recovery points a run takes. `newest-common` is the newest instant at or before which every member has a point. */
export type PointSelection =
  | { readonly kind: 'newest' }
  | { readonly kind: 'newest-common' }
  | { readonly kind: 'before'; readonly time: string };

/** What the caller of a recovery run asks for: the input of the state machine. */
export interface RunRequest {
  readonly mode: RunMode;
  /** @default newest of each member */
  readonly selection?: PointSelection;
  /** Names of endpoints. @default all */
  readonly endpoints?: readonly string[];
  /** Give the id of an interrupted run to resume it. @default the execution's name */
  readonly runId?: string;
  /** Who asked, for the evidence. */
  readonly requestedBy?: string;
  /** Failover: who accepts that the old side may not be known to be fenced. @default - the project's policy decides */
  readonly acceptUnreachable?: string;
  /**
   * Failover: recover again what an earlier failover has recovered, whose machines are stopped first. What was written on
   * them since is not in the recovered machines. @default false
   */
  readonly again?: boolean;
  /**
   * Failback: who accepts that what machines of the source side have written since the failover is not carried on. Needed
   * where such a machine was started after it. @default - failback refuses then
   */
  readonly discardSource?: string;
  /** Repair: ids of the members to put a new machine in the place of. @default all of the endpoints named */
  readonly members?: readonly string[];
  /** Repair: zones in which nothing is launched, beside those that EC2 calls impaired. @default none */
  readonly avoidZones?: readonly string[];
}

export interface RunRecord {
  readonly project: string;
  readonly runId: string;
  readonly executionArn: string;
  readonly mode: RunMode;
  readonly status: RunStatus;
  readonly selection: PointSelection;
  readonly requestedBy?: string;
  readonly acceptUnreachable?: string;
  /** All but drills: the number by which this run was the newest. See `Lease`. */
  readonly epoch?: number;
  /** Failover: what is known of the old side since fencing. */
  readonly oldSide?: OldSide;
  /** Who, or which policy, accepted that the old side is not known to be fenced. */
  readonly acceptedBy?: string;
  /** Failback: who accepted that what the source side has written since the failover is not carried on. */
  readonly discardSource?: string;
  /** Failback: the time on the recovery side that it ends, and the failovers in it, oldest first. */
  readonly ends?: Activation;
  /** When another execution took the run over: time limits count from there. */
  readonly resumedAt?: string;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly error?: string;
  /** Waves of member ids, in order. */
  readonly waves: readonly (readonly string[])[];
  /** Drill only: when teardown removes what this run launched. */
  readonly expiresAt?: string;
}

/** A time in which one side was the active one. */
export interface Activation {
  readonly epoch: number;
  readonly since: string;
  readonly failovers: readonly string[];
}

/**
 * `registered-image`: a new machine, of an image of all disks. `replaced-root`: a new machine of a base image, whose root disk
 * is then replaced. `swapped-disks`: the machine that is there gets new disks; it keeps its id, addresses and registrations.
 */
export type LaunchMethod = 'registered-image' | 'replaced-root' | 'swapped-disks';
export type RunMemberStatus = 'PLANNED' | 'IMAGE_READY' | 'LAUNCHED' | 'RUNNING' | 'PASSED' | 'FAILED';

/** One machine of a run: what is planned, what was done. */
export interface RunMember {
  readonly runId: string;
  readonly memberId: string;
  readonly endpoint: string;
  readonly wave: number;
  readonly status: RunMemberStatus;
  readonly pointId: string;
  readonly consistentAt: string;
  /** `recoverySnapshotId` is the snapshot in the Region in which the machine is launched, whichever that is. */
  readonly volumes: readonly PointVolume[];
  readonly settings: MachineSettings;
  readonly launchMethod: LaunchMethod;
  /** Repair: the instance that this one takes the place of. Failback: the recovered instance whose disks come back. */
  readonly replaces?: string;
  /** `swapped-disks`: the disks that were in the machine before; they are kept for some time. */
  readonly keptVolumes?: readonly { readonly deviceName: string; readonly volumeId: string }[];
  /** Failback: blocks whose bytes were read in both Regions and found equal, of so many. */
  readonly verified?: { readonly blocks: number; readonly of: number };
  /** Grows when a launch is repeated with other parameters (another type, no fixed address); part of the client token. */
  readonly attempt: number;
  /** `<type>@<zone>` for which EC2 had no capacity in this run, `full@<subnet id>` where no address was free. */
  readonly tried?: readonly string[];
  /** EC2 refused this machine the reserved capacity: it is launched without. */
  readonly unreserved?: boolean;
  readonly instanceType: string;
  readonly subnetId: string;
  readonly privateIp?: string;
  readonly imageId?: string;
  readonly instanceId?: string;
  readonly actualPrivateIp?: string;
  readonly launchedAt?: string;
  readonly runningAt?: string;
  readonly passedAt?: string;
  /** What differs from the source, and why. */
  readonly notes: readonly string[];
  readonly error?: string;
}

/** One timed step of a run, for the evidence. */
export interface RunStep {
  readonly runId: string;
  /** e.g. `wave-0/launch`. */
  readonly name: string;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly outcome?: 'SUCCEEDED' | 'FAILED';
  readonly detail?: string;
}
