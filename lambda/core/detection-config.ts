import type { DetectionPolicy } from './detector';

/** What the constructs tell the detector. All plain JSON. */

interface OfSignal {
  /** Unique in its detector. */
  readonly name: string;
  /** Hard limit of one observation. */
  readonly timeoutMs: number;
}

interface Probe extends OfSignal {
  /** A slower answer is unhealthy. @default no limit but the time-out */
  readonly maxLatencyMs?: number;
  /** A function inside a VPC that makes the probe. @default the detector itself */
  readonly via?: string;
}

export interface HttpProbeConfig extends Probe {
  readonly kind: 'http';
  readonly url: string;
  /** Status codes that are healthy. @default 200 to 299 */
  readonly statuses?: readonly number[];
  /** Regular expression that the body must match. */
  readonly bodyMatch?: { readonly source: string; readonly flags: string };
}

export interface TcpProbeConfig extends Probe {
  readonly kind: 'tcp';
  readonly host: string;
  readonly port: number;
}

export interface InstanceStatusConfig extends OfSignal {
  readonly kind: 'instance-status';
  readonly endpoint: string;
  /** Machines that must pass EC2's checks. */
  readonly minHealthy: number;
}

export interface HeartbeatConfig extends OfSignal {
  readonly kind: 'heartbeat';
  readonly maxAgeSeconds: number;
  /** @default agents of all endpoints; the newest heartbeat counts */
  readonly endpoint?: string;
}

export interface ReplicationLagConfig extends OfSignal {
  readonly kind: 'replication-lag';
  readonly atMostSeconds: number;
}

export type Comparison = '>' | '>=' | '<' | '<=';

export interface MetricConfig extends OfSignal {
  readonly kind: 'metric';
  readonly region: string;
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: string;
  readonly periodSeconds: number;
  /** Unhealthy when the newest value compares so. */
  readonly unhealthyWhen: Comparison;
  readonly threshold: number;
  /** What it is when there is no value. */
  readonly missing: 'healthy' | 'unhealthy' | 'unknown';
}

export interface AlarmConfig extends OfSignal {
  readonly kind: 'alarm';
  readonly region: string;
  readonly alarmName: string;
}

/** An alarm of the source footprint whose changes are also forwarded and recorded as they happen. */
export interface LogPatternConfig extends OfSignal {
  readonly kind: 'log-pattern';
  readonly region: string;
  readonly alarmName: string;
  /** For how long a recorded failure counts when the source Region cannot be asked. */
  readonly rememberSeconds: number;
}

export interface LambdaSignalConfig extends OfSignal {
  readonly kind: 'lambda';
  readonly functionArn: string;
  /** Merged into the event. */
  readonly payload?: Readonly<Record<string, unknown>>;
}

export type ProbeConfig = HttpProbeConfig | TcpProbeConfig;
export type SignalConfig =
  | ProbeConfig | InstanceStatusConfig | HeartbeatConfig | ReplicationLagConfig | MetricConfig | AlarmConfig | LogPatternConfig | LambdaSignalConfig;

export interface DetectorConfig {
  /** For messages and as `requestedBy` of a run. */
  readonly name: string;
  readonly policy: DetectionPolicy;
  readonly signals: readonly SignalConfig[];
  /** Endpoints that are failed over. @default all */
  readonly endpoints?: readonly string[];
  /** What is started for these endpoints. @default failover */
  readonly action?: 'repair';
  /** How long an approval can be given. */
  readonly expiresSeconds?: number;
}

/** Input of the function `detect`. */
export interface DetectConfig {
  readonly project: string;
  readonly recoveryRegion: string;
  readonly detectors: readonly DetectorConfig[];
  readonly runMachineArn: string;
  /** Absent where no detector asks for approval. */
  readonly approvalMachineArn?: string;
  readonly topicArn?: string;
}

/** What the approval state machine's functions are told. */
export interface ApprovalConfig {
  readonly project: string;
  readonly recoveryRegion: string;
  readonly runMachineArn: string;
  readonly approveFunctionName: string;
  readonly topicArn: string;
  /** Base of links in notifications. @default no links */
  readonly linkUrl?: string;
}
