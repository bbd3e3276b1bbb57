import type { Duration } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { ProtectedEndpoint } from '../endpoint/protected-endpoint';

/** Options of every signal. */
export interface SignalOptions {
  /** Unique in its detector; 1 to 64 letters, digits, dots, hyphens, underscores. @default - derived from what is observed */
  readonly name?: string;
  /** Longest time of one observation, from 1 to 30 seconds. @default Duration.seconds(10) */
  readonly timeout?: Duration;
}

/** Options of every probe over the network. */
export interface ProbeOptions extends SignalOptions {
  /** A slower answer is unhealthy. @default - no limit but the timeout */
  readonly maxLatency?: Duration;
  /** A VPC of the recovery Region from which the probe is made, for private addresses. @default - from outside of any VPC */
  readonly vpc?: IVpc;
  /** Of the VPC. @default - its private subnets */
  readonly vpcSubnets?: SubnetSelection;
  /** Of the probe in the VPC. @default - one of its own, with all ways out */
  readonly securityGroups?: ISecurityGroup[];
}

/** Options of an HTTP probe. */
export interface HttpProbeOptions extends ProbeOptions {
  /** Status code, or codes, that are healthy. @default - 200 to 299 */
  readonly status?: number | number[];
  /** What the first 256 KiB of the body must contain, or the expression that they must match. @default - any body */
  readonly bodyMatch?: string | RegExp;
}

/** Options of EC2's status checks. */
export interface InstanceStatusOptions extends SignalOptions {
  /** Machines of the endpoint that must pass; fewer are unhealthy. At least 1. @default 1 */
  readonly minHealthy?: number;
}

/** Options of agents' heartbeats. */
export interface AgentHeartbeatOptions extends SignalOptions {
  /** An older one is unhealthy. At least 1 minute. @default Duration.minutes(5) */
  readonly maxAge?: Duration;
  /** Agents of this endpoint only. @default - all agents; the newest heartbeat counts */
  readonly endpoint?: ProtectedEndpoint;
}

/** Options of the replication lag. */
export interface ReplicationLagOptions extends SignalOptions {
  /** A newest complete recovery point that is older is unhealthy. */
  readonly atMost: Duration;
}

/** How a metric's value is compared with its threshold. */
export enum SignalComparison {
  GREATER_THAN = '>',
  GREATER_THAN_OR_EQUAL = '>=',
  LESS_THAN = '<',
  LESS_THAN_OR_EQUAL = '<=',
}

/** What a metric without a value is. */
export enum MissingValue {
  HEALTHY = 'healthy',
  UNHEALTHY = 'unhealthy',
  UNKNOWN = 'unknown',
}

/** Options of a metric. */
export interface MetricSignalOptions extends SignalOptions {
  readonly threshold: number;
  /** The newest value is unhealthy when it compares so with the threshold. @default SignalComparison.GREATER_THAN */
  readonly unhealthyWhen?: SignalComparison;
  /** @default MissingValue.UNKNOWN */
  readonly missing?: MissingValue;
}

/** Options of a pattern in a log. */
export interface LogPatternOptions extends SignalOptions {
  /** Of the source Region, as a literal. */
  readonly logGroupName: string;
  /** In the syntax of CloudWatch Logs filter patterns. */
  readonly pattern: string;
  /** Matching events in a minute that are unhealthy. At least 1. @default 1 */
  readonly threshold?: number;
  /** For how long a recorded failure counts while the source Region cannot be asked. @default Duration.minutes(15) */
  readonly remember?: Duration;
}

/** Options of a signal that a function reads. */
export interface LambdaSignalOptions extends SignalOptions {
  /** Merged into the event. @default - none */
  readonly payload?: Record<string, unknown>;
}
