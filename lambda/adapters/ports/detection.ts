import type { RunRequest } from '../../core/model';
import type { DetectorState, Observation } from '../../core/detector';

/** States of detectors, one for each scope. */
export interface DetectorStore {
  /** Read consistently. */
  detector(scope: string): Promise<DetectorState | undefined>;
  /** Stores `next` if the stored version is `readVersion`; `ConflictError` otherwise. */
  saveDetector(scope: string, next: DetectorState, readVersion: number): Promise<void>;
}

/** What agents and events have reported. */
export interface ReportStore {
  heartbeats(): Promise<Heartbeat[]>;
  report(signal: string): Promise<Observation | undefined>;
  /** Keeps the later one of what is there and `observation`. */
  saveReport(observation: Observation): Promise<void>;
}

export interface Heartbeat {
  readonly agent: string;
  readonly endpoint?: string;
  readonly at: string;
}

export type ApprovalStatus = 'PENDING' | 'APPROVED' | 'REFUSED' | 'EXPIRED';

/** What a person is asked. */
export interface Approval {
  readonly incidentId: string;
  readonly scope: string;
  readonly status: ApprovalStatus;
  readonly token: string;
  readonly request: RunRequest;
  readonly askedAt: string;
  readonly expiresAt: string;
  /** SHA-256 of the link's tokens. Who may read this row cannot make a link of it. */
  readonly links?: Readonly<Record<'approve' | 'refuse', string>>;
  readonly answeredBy?: string;
  readonly answeredAt?: string;
  /** The approver accepts that the source may be unreachable. */
  readonly acceptUnreachable?: boolean;
}

export interface ApprovalStore {
  approval(incidentId: string): Promise<Approval | undefined>;
  /** Stores a question that nobody has answered yet. False when there is an answer. */
  ask(approval: Approval): Promise<boolean>;
  /** Answers it if it is pending. False when it is not any more. */
  answer(incidentId: string, answer: Pick<Approval, 'status' | 'answeredBy' | 'answeredAt' | 'acceptUnreachable'>): Promise<boolean>;
}

export interface Starter {
  /** Starts an execution; false when one of that name was started before. */
  start(stateMachineArn: string, name: string, input: unknown): Promise<boolean>;
}

export interface Notifications {
  publish(topicArn: string, subject: string, message: string): Promise<void>;
}

export type InstanceHealth = 'healthy' | 'initializing' | 'impaired' | 'not-running';

export interface InstanceStatuses {
  /** EC2's own checks in the source Region; an instance that does not exist is `not-running`. */
  healthOf(instanceIds: readonly string[]): Promise<ReadonlyMap<string, InstanceHealth>>;
}

export interface MetricQuery {
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: string;
  readonly periodSeconds: number;
}

export interface Monitoring {
  /** The newest value of the last periods. */
  newestValue(region: string, query: MetricQuery, now: string): Promise<{ readonly value: number; readonly at: string } | undefined>;
  alarm(region: string, alarmName: string): Promise<{ readonly state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA'; readonly reason: string } | undefined>;
}
