import type { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Failback } from './failback/failback';
import type { Fencing } from './fencing/fencing';
import type { DrillPolicy } from './network/drill-policy';
import type { RecoveryTarget } from './network/recovery-target';
import type { StagingArea } from './network/staging-area';
import type { ProtectionSchedule } from './policies/protection-schedule';
import type { RecoveryObjectives } from './policies/recovery-objectives';
import type { RetentionPolicy } from './policies/retention-policy';
import type { Repair } from './repair/repair';
import type { ServiceQuotas } from './quotas';
import type { VolumeKey } from './volume-key';

/** Where the protected machines run. The account is that of the recovery stack. */
export interface SourceProps {
  /** The source Region, as a literal: ARNs there are computed. It must differ from the recovery stack's Region. */
  readonly region: string;
  /**
   * Customer-managed keys that encrypt volumes of protected machines; copies of other encrypted volumes fail.
   * @default - none: volumes are unencrypted or under the key that AWS manages
   */
  readonly volumeKeys?: VolumeKey[];
  /**
   * A stack in the source Region that takes the source footprint (one rule and its role). It must not refer to the recovery
   * stack.
   * @default - a stack of its own, beside the recovery stack
   */
  readonly stack?: Stack;
}

/** A fleet as it is expected to become, to check at synthesis whether the quotas allow the RPO. */
export interface ExpectedFleet {
  /** Machines. At least 1. */
  readonly machines: number;
  /** Disks of each machine. @default 2 */
  readonly volumesPerMachine?: number;
  /** How long the copy of what one disk changes in an interval takes. Measure it; it depends on the change rate. */
  readonly averageCopy: Duration;
}

/** Properties of `DisasterRecovery`. */
export interface DisasterRecoveryProps {
  /**
   * Name of the project: 1 to 30 letters, digits and hyphens. Tags, physical names and the catalogue are bound to it, so it
   * must not change once something is protected, and must differ from that of any other project in the account.
   * @default - derived from the path of the construct, which must then stay where it is
   */
  readonly projectName?: string;
  /** Where the protected machines run. */
  readonly source: SourceProps;
  /** What recovery is expected to achieve. */
  readonly objectives: RecoveryObjectives;
  /** When protection cycles start. */
  readonly schedule: ProtectionSchedule;
  /** Which recovery points stay in the recovery Region. */
  readonly retention: RetentionPolicy;
  /**
   * Which snapshots stay in the source Region. They are what the next copy is incremental to.
   * @default RetentionPolicy.keepLast(2)
   */
  readonly sourceRetention?: RetentionPolicy;
  /**
   * How long a machine that is gone (terminated, or of an endpoint taken out of the project) is kept with its recovery points.
   * Afterwards all of them expire, also the newest, which `retention` would keep. Not while a recovery run uses them, and not
   * while nothing at all is found of its endpoint. At least 1 day.
   * @default Duration.days(90)
   */
  readonly keepMissingFor?: Duration;
  /** @default - none: EBS copies the snapshots of EC2 instances by itself */
  readonly staging?: StagingArea;
  /** Where and how machines are launched in a real recovery. */
  readonly target: RecoveryTarget;
  /** @default DrillPolicy.isolated() */
  readonly drill?: DrillPolicy;
  /**
   * How a failover keeps the old side from writing before it launches anything.
   * @default - it does not, and the evidence says so; two sides may write at once
   */
  readonly fencing?: Fencing;
  /**
   * The way back to the source Region after a failover.
   * @default - none: a run in mode `failback` is refused
   */
  readonly failback?: Failback;
  /**
   * How a machine that failed alone is replaced in the source Region.
   * @default - not at all: a run in mode `repair` is refused
   */
  readonly repair?: Repair;
  /**
   * Where alarms go. A topic of the recovery Region, so that it works when the source Region does not. Its policy must let
   * `cloudwatch.amazonaws.com` publish, which a topic without a policy of its own does.
   * @default - alarms notify nobody
   */
  readonly notifications?: ITopic;
  /** @default - the quotas that AWS gives an account at first */
  readonly quotas?: ServiceQuotas;
  /** @default - quotas are not checked against the fleet at synthesis */
  readonly expectedFleet?: ExpectedFleet;
  /** Age from which snapshots and images that belong to nothing are removed. At least 1 hour. @default Duration.days(1) */
  readonly orphanAge?: Duration;
  /** How long logs of functions and state machines are kept. @default RetentionDays.SIX_MONTHS */
  readonly logRetention?: RetentionDays;
  /**
   * What becomes of the catalogue and the project's key when the stack is deleted. With `DESTROY` the copies cannot be used
   * any more.
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}
