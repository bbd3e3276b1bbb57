import type { CutoverConfig } from './cutover';
import type { Direction } from './direction';
import type { FencingConfig } from './fencing';

/** What the constructs write into the state machines' definitions and the schedules' inputs, and the handlers read. All plain JSON. */

/** Which recovery points stay. Times are seconds, counts are recovery points. */
export type RetentionConfig =
  | { readonly kind: 'last'; readonly count: number }
  | { readonly kind: 'for'; readonly seconds: number }
  | {
      readonly kind: 'tiered';
      readonly hourly: number;
      readonly daily: number;
      readonly weekly: number;
      readonly monthly: number;
      readonly yearly: number;
    };

export interface EndpointConfig {
  readonly name: string;
  /** Every tag must match. `disaster-recovery:*` tags for an endpoint given by construct, the user's own otherwise. */
  readonly tags: Readonly<Record<string, string>>;
  /** Exactly one member is expected; more is a finding. */
  readonly single: boolean;
}

export interface CycleConfig {
  readonly project: string;
  /** `return`: the two Regions below are exchanged, and the machines are those that failovers have launched. @default forward */
  readonly direction?: Direction;
  readonly sourceRegion: string;
  readonly recoveryRegion: string;
  readonly endpoints: readonly EndpointConfig[];
  readonly retention: RetentionConfig;
  readonly sourceRetention: RetentionConfig;
  /** A machine that has been missing for longer is forgotten, with all its recovery points. */
  readonly keepMissingSeconds: number;
  readonly rpoSeconds: number;
  readonly intervalSeconds: number;
  /** Longest wait for a completion event before the snapshots are polled. */
  readonly pollSeconds: number;
  /** The key of the copies in the recovery Region. @default - the key that EBS uses there by default */
  readonly targetKeyArn?: string;
  /** Concurrent CopySnapshot into the recovery Region that this project may use. */
  readonly copyConcurrency: number;
  /** CreateSnapshots per second that this project may use. */
  readonly snapshotsPerSecond: number;
  /** What decides whether a machine can be launched at all: by endpoint name, and for those not named. */
  readonly launch: Readonly<Record<string, LaunchBasis>>;
  readonly launchDefaults: LaunchBasis;
  /** Roles that recovered machines may carry. */
  readonly passableRoleArns: readonly string[];
}

export interface HookConfig {
  /** Unique in its wave and phase. */
  readonly name: string;
  readonly kind: 'lambda' | 'ssm';
  /** Function ARN or SSM document name. */
  readonly target: string;
  /** Lambda: merged into the event. SSM: the document's parameters (string lists). */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** SSM: which endpoints' machines it runs on. @default those of the wave */
  readonly endpoints?: readonly string[];
  readonly timeoutSeconds: number;
  /** `fail` ends the run, `continue` records the failure and goes on. */
  readonly onFailure: 'fail' | 'continue';
}

export interface CheckConfig {
  readonly name: string;
  /** `instance-status`: EC2's own two checks. `lambda` must answer `{ passed: boolean, detail?: string }`. */
  readonly kind: 'instance-status' | 'lambda' | 'ssm';
  readonly target?: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly timeoutSeconds: number;
}

export interface WaveConfig {
  readonly endpoints: readonly string[];
  readonly before: readonly HookConfig[];
  readonly after: readonly HookConfig[];
  readonly checks: readonly CheckConfig[];
}

export interface SubnetConfig {
  readonly subnetId: string;
  readonly cidr?: string;
  readonly availabilityZone?: string;
}

export interface NetworkConfig {
  readonly subnets: readonly SubnetConfig[];
  readonly securityGroupIds: readonly string[];
}

/** What an endpoint's machines are launched with in the recovery Region where it differs from the source. */
export interface LaunchConfig {
  readonly instanceType?: string;
  readonly subnetId?: string;
  readonly securityGroupIds?: readonly string[];
  readonly instanceProfileArn?: string;
  readonly keyName?: string;
  readonly keepPrivateIp?: boolean;
  readonly keepUserData?: boolean;
  readonly tags?: Readonly<Record<string, string>>;
  /** An AMI of the same platform whose root volume is replaced, for machines that need their billing code (Windows, RHEL, SLES). */
  readonly baseImageId?: string;
}

/** What discovery must know to say, long before a recovery, that a machine could not be launched as it is. */
export type LaunchBasis = Pick<LaunchConfig, 'baseImageId' | 'instanceProfileArn'>;

export interface InstanceTypeConfig {
  /** Source type to recovery type; what is not named stays as it is. */
  readonly map: Readonly<Record<string, string>>;
  /** Tried in this order when EC2 has no capacity of the first choice. */
  readonly fallbacks: readonly string[];
}

export interface RunConfig {
  readonly project: string;
  readonly sourceRegion: string;
  readonly recoveryRegion: string;
  readonly rpoSeconds: number;
  readonly rtoSeconds: number;
  readonly waves: readonly WaveConfig[];
  readonly production: NetworkConfig;
  readonly drill: NetworkConfig;
  /** Most machines that one drill may launch. */
  readonly drillInstanceLimit: number;
  /** Seconds after which teardown removes a drill's machines. */
  readonly drillKeepSeconds: number;
  readonly instanceTypes: InstanceTypeConfig;
  /** By endpoint name. */
  readonly launch: Readonly<Record<string, LaunchConfig>>;
  readonly launchDefaults: LaunchConfig;
  /** Roles that recovered machines may carry; a source profile with another role is not attached. */
  readonly passableRoleArns: readonly string[];
  readonly capacityReservationId?: string;
  readonly capacityReservationGroupArn?: string;
  readonly targetKeyArn: string;
  /** RunInstances calls per second and machines in the bucket. */
  readonly launchesPerSecond: number;
  /** How a failover keeps the old side from writing. @default - it does not */
  readonly fencing?: FencingConfig;
  /** In the order in which traffic is moved. @default none */
  readonly cutover?: readonly CutoverConfig[];
  /** @default - the project declares no way back */
  readonly failback?: FailbackConfig;
  /** @default - the project declares no repair */
  readonly repair?: RepairConfig;
}

/** How the recovered machines come back to the source Region. */
export interface FailbackConfig {
  /** State machine of the return cycle. */
  readonly cycleMachineArn: string;
  /** Run before the recovered machines are stopped, e.g. to close connections. */
  readonly drain: readonly HookConfig[];
  /** How long the recovered machines may take to stop. */
  readonly drainTimeoutSeconds: number;
  /** How long one synchronisation may take until every machine has a new point. */
  readonly syncTimeoutSeconds: number;
  /** Blocks of each disk whose bytes are read in both Regions and compared; all where it is absent. */
  readonly verifyBlocks?: number;
  /** What was replaced (the old disks, and the recovered machines) is removed after this time. */
  readonly keepReplacedSeconds: number;
}

/** How a machine that failed alone is replaced in the source Region. */
export interface RepairConfig {
  /** Where a new machine may go if the zone of the old one is not to be used. */
  readonly subnets: readonly SubnetConfig[];
  /** By endpoint name. */
  readonly endpoints: Readonly<Record<string, EndpointRepairConfig>>;
  /** The replaced machine, stopped, is removed after this time. */
  readonly keepReplacedSeconds: number;
}

export interface EndpointRepairConfig {
  /** Run on the new machine once it runs, in this order, before the checks of its wave. */
  readonly redeploy: readonly HookConfig[];
  /** Done in this order once the checks have passed. */
  readonly swapIn: readonly SwapInConfig[];
}

/** What the new machine takes over from the old one. */
export type SwapInConfig =
  | { readonly kind: 'target-group'; readonly targetGroupArn: string; readonly port?: number; readonly timeoutSeconds: number }
  | { readonly kind: 'elastic-ip'; readonly allocationId: string; readonly timeoutSeconds: number }
  | { readonly kind: 'network-interface'; readonly networkInterfaceId: string; readonly deviceIndex: number; readonly timeoutSeconds: number }
  | { readonly kind: 'record'; readonly hostedZoneId: string; readonly recordName: string; readonly ttlSeconds: number; readonly timeoutSeconds: number };

/** Input of the fence guard. */
export interface FenceGuardConfig {
  readonly project: string;
  readonly sourceRegion: string;
  readonly recoveryRegion: string;
  readonly fencing: FencingConfig;
  /** Who is told. */
  readonly topicArn?: string;
}

/** Input of the sweeper and of the drill teardown. */
export interface UpkeepConfig {
  readonly project: string;
  readonly sourceRegion: string;
  readonly recoveryRegion: string;
  /** What carries the project's tag and belongs to no recovery point or run is removed after this age. */
  readonly orphanAgeSeconds: number;
  /** The project replaces machines or disks, which are kept for a time: see `FailbackConfig` and `RepairConfig`. */
  readonly replaces?: boolean;
}
