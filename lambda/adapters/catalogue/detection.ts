import { INITIAL_STATE, type DetectorState, type Observation } from '../../core/detector';
import { ConflictError } from '../errors';
import type { Approval, ApprovalStore, DetectorStore, Heartbeat, ReportStore } from '../ports/detection';
import type { Environment } from '../../runtime/env';
import { ABSENT, documentClient, domainOf, Table } from './table';

const DETECTOR = 'DETECTOR';
const APPROVAL = 'APPROVAL';
const REPORT = 'REPORT';
const HEARTBEAT = 'HEARTBEAT';

const KEPT_DAYS = 400;

/** What the detector keeps and reads. */
export class DynamoDetection implements DetectorStore, ReportStore, ApprovalStore {
  constructor(private readonly table: Table) {}

  async detector(scope: string): Promise<DetectorState | undefined> {
    const item = await this.table.get({ pk: DETECTOR, sk: scope });
    return item === undefined ? undefined : domainOf<DetectorState>(item);
  }

  async saveDetector(scope: string, next: DetectorState, readVersion: number): Promise<void> {
    const condition = readVersion === INITIAL_STATE.version ? ABSENT : { text: '#version = :read', names: { '#version': 'version' }, values: { ':read': readVersion } };
    if (!await this.table.put({ ...next, pk: DETECTOR, sk: scope }, condition)) throw new ConflictError(`Detector ${scope}`);
  }

  async heartbeats(): Promise<Heartbeat[]> {
    const rows = await this.table.partition(HEARTBEAT);
    return rows.flatMap(({ sk, at, endpoint }) => {
      if (typeof at !== 'string') return [];
      return [{ agent: String(sk), at, ...(typeof endpoint === 'string' ? { endpoint } : {}) }];
    });
  }

  async report(signal: string): Promise<Observation | undefined> {
    const item = await this.table.get({ pk: REPORT, sk: signal });
    return item === undefined ? undefined : domainOf<Observation>(item);
  }

  /** Events can overtake each other. */
  async saveReport(observation: Observation): Promise<void> {
    await this.table.put({ ...observation, pk: REPORT, sk: observation.signal }, {
      text: 'attribute_not_exists(#sk) OR #at < :at', names: { '#sk': 'sk', '#at': 'at' }, values: { ':at': observation.at },
    });
  }

  async approval(incidentId: string): Promise<Approval | undefined> {
    const item = await this.table.get({ pk: APPROVAL, sk: incidentId });
    return item === undefined ? undefined : domainOf<Approval>(item);
  }

  ask(approval: Approval): Promise<boolean> {
    const ttl = Math.floor(Date.parse(approval.expiresAt) / 1000) + KEPT_DAYS * 86_400;
    return this.table.put({ ...approval, pk: APPROVAL, sk: approval.incidentId, ttl }, {
      text: 'attribute_not_exists(#sk) OR #status = :pending', names: { '#sk': 'sk', '#status': 'status' }, values: { ':pending': 'PENDING' },
    });
  }

  async answer(incidentId: string, { status, answeredBy = '', answeredAt = '', acceptUnreachable = false }: Pick<Approval, 'status' | 'answeredBy' | 'answeredAt' | 'acceptUnreachable'>): Promise<boolean> {
    const old = await this.table.update({ pk: APPROVAL, sk: incidentId }, {
      update: {
        text: 'SET #status = :status, #by = :by, #at = :at, #accept = :accept',
        names: { '#status': 'status', '#by': 'answeredBy', '#at': 'answeredAt', '#accept': 'acceptUnreachable' },
        values: { ':status': status, ':by': answeredBy, ':at': answeredAt, ':accept': acceptUnreachable },
      },
      condition: { text: '#status = :pending', values: { ':pending': 'PENDING' } },
    });
    return old !== undefined;
  }
}

export function dynamoDetection({ recoveryRegion, table }: Environment): DynamoDetection {
  return new DynamoDetection(new Table(documentClient(recoveryRegion), table));
}
