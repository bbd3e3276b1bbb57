import { ConflictError } from '../../../lambda/adapters/errors';
import type {
  Approval, ApprovalStore, DetectorStore, Heartbeat, InstanceHealth, InstanceStatuses, Monitoring, Notifications, ReportStore, Starter,
} from '../../../lambda/adapters/ports/detection';
import type { LeaseStore } from '../../../lambda/adapters/ports/lease';
import type { DetectorState, Observation } from '../../../lambda/core/detector';
import { FIRST_LEASE, type Lease } from '../../../lambda/core/lease';
import type { EndpointMember } from '../../../lambda/core/model';

const copy = <T>(value: T): T => structuredClone(value);

/** What the detector keeps, with the conditions that the table's writes have. */
export class FakeDetectionStore implements DetectorStore, ReportStore, ApprovalStore, Pick<LeaseStore, 'lease'> {
  readonly states = new Map<string, DetectorState>();
  readonly reports = new Map<string, Observation>();
  readonly approvals = new Map<string, Approval>();
  beats: Heartbeat[] = [];
  current: Lease = FIRST_LEASE;

  detector(scope: string) {
    return Promise.resolve(copy(this.states.get(scope)));
  }

  saveDetector(scope: string, next: DetectorState, readVersion: number) {
    if ((this.states.get(scope)?.version ?? 0) !== readVersion) return Promise.reject(new ConflictError(scope));
    this.states.set(scope, copy(next));
    return Promise.resolve();
  }

  heartbeats() {
    return Promise.resolve(copy(this.beats));
  }

  report(signal: string) {
    return Promise.resolve(copy(this.reports.get(signal)));
  }

  saveReport(observation: Observation) {
    if ((this.reports.get(observation.signal)?.at ?? '') < observation.at) this.reports.set(observation.signal, copy(observation));
    return Promise.resolve();
  }

  approval(incidentId: string) {
    return Promise.resolve(copy(this.approvals.get(incidentId)));
  }

  ask(approval: Approval) {
    if ((this.approvals.get(approval.incidentId)?.status ?? 'PENDING') !== 'PENDING') return Promise.resolve(false);
    this.approvals.set(approval.incidentId, copy(approval));
    return Promise.resolve(true);
  }

  answer(incidentId: string, answer: Partial<Approval>) {
    const stored = this.approvals.get(incidentId);
    if (stored?.status !== 'PENDING') return Promise.resolve(false);
    this.approvals.set(incidentId, { ...stored, ...answer });
    return Promise.resolve(true);
  }

  lease() {
    return Promise.resolve(copy(this.current));
  }
}

export class FakeStarter implements Starter {
  readonly started = new Map<string, unknown>();
  calls = 0;
  fail: Error | undefined;

  start(stateMachineArn: string, name: string, input: unknown) {
    this.calls += 1;
    if (this.fail) return Promise.reject(this.fail);
    const key = `${stateMachineArn}|${name}`;
    if (this.started.has(key)) return Promise.resolve(false);
    this.started.set(key, copy(input));
    return Promise.resolve(true);
  }
}

export class FakeNotifications implements Notifications {
  readonly published: { topicArn: string; subject: string; message: string }[] = [];
  fail: Error | undefined;

  publish(topicArn: string, subject: string, message: string) {
    if (this.fail) return Promise.reject(this.fail);
    this.published.push({ topicArn, subject, message });
    return Promise.resolve();
  }
}

export class FakeStatuses implements InstanceStatuses {
  readonly health = new Map<string, InstanceHealth>();

  healthOf(instanceIds: readonly string[]) {
    return Promise.resolve(new Map(instanceIds.map((id): [string, InstanceHealth] => [id, this.health.get(id) ?? 'not-running'])));
  }
}

export class FakeMonitoring implements Monitoring {
  value: { value: number; at: string } | undefined;
  state: { state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA'; reason: string } | undefined;
  fail: Error | undefined;

  newestValue() {
    return this.fail ? Promise.reject(this.fail) : Promise.resolve(this.value);
  }

  alarm() {
    return this.fail ? Promise.reject(this.fail) : Promise.resolve(this.state);
  }
}

export function memberOf(change: Partial<EndpointMember>): EndpointMember {
  return { memberId: `${change.endpoint ?? 'web'}/${change.instanceId ?? 'i-1'}`, project: 'shop', endpoint: 'web', instanceId: 'i-1', firstSeenAt: '', lastSeenAt: '', settings: {} as never, findings: [], ...change };
}
