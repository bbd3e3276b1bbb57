import type { RecoveryPoint } from '../../core/model';
import { needsWork } from '../../core/point-state';
import { ConflictError } from '../errors';
import type { PointStore } from '../ports/catalogue';
import { ABSENT, domainOf, type Item, type Key, type Table } from './table';

const OPEN = 'POINT';

/** The record of a point that is gone stays for as long as somebody may ask what became of it. */
const RECORD_SECONDS = 90 * 24 * 3600;

export class DynamoPoints implements PointStore {
  constructor(private readonly table: Table, private readonly prefix = '') {}

  createPoint(point: RecoveryPoint): Promise<boolean> {
    return this.table.put(this.itemOf(point), ABSENT);
  }

  async point(memberId: string, createdAt: string, pointId: string): Promise<RecoveryPoint | undefined> {
    const item = await this.table.get({ pk: this.partition(memberId), sk: `${createdAt}#${pointId}` });
    return item === undefined ? undefined : pointOf(item);
  }

  async savePoint(next: RecoveryPoint, readVersion: number): Promise<void> {
    const written = await this.table.put(this.itemOf(next), {
      text: '#version = :version', names: { '#version': 'version' }, values: { ':version': readVersion },
    });
    if (!written) throw new ConflictError(`Recovery point ${next.pointId} of ${next.memberId}`);
  }

  async openPoints(): Promise<RecoveryPoint[]> {
    return (await this.table.withWork(`${this.prefix}${OPEN}`)).map(pointOf);
  }

  async allPoints(memberId: string): Promise<RecoveryPoint[]> {
    return (await this.table.partition(this.partition(memberId))).map(pointOf);
  }

  async completePoints(memberId: string): Promise<RecoveryPoint[]> {
    return (await this.table.withWork(this.liveWork(memberId))).map(pointOf);
  }

  async pin(point: RecoveryPoint, runId: string): Promise<boolean> {
    const old = await this.table.update(this.keyOf(point), {
      update: {
        text: 'ADD #pinnedBy :run, #version :one',
        names: { '#pinnedBy': 'pinnedBy', '#version': 'version' },
        values: { ':run': new Set([runId]), ':one': 1 },
      },
      condition: { text: '#state = :complete', names: { '#state': 'state' }, values: { ':complete': 'COMPLETE' } },
    });
    return old !== undefined;
  }

  /** A point that is not pinned by this run is left as it is. */
  async unpin(point: RecoveryPoint, runId: string): Promise<void> {
    await this.table.update(this.keyOf(point), {
      update: {
        text: 'DELETE #pinnedBy :runs ADD #version :one',
        names: { '#pinnedBy': 'pinnedBy', '#version': 'version' },
        values: { ':runs': new Set([runId]), ':one': 1 },
      },
      condition: { text: 'contains(#pinnedBy, :run)', values: { ':run': runId } },
    });
  }

  private partition(memberId: string): string {
    return `${this.prefix}POINT#${memberId}`;
  }

  private liveWork(memberId: string): string {
    return `${this.prefix}LIVE#${memberId}`;
  }

  private keyOf(point: RecoveryPoint): Key {
    return { pk: this.partition(point.memberId), sk: `${point.createdAt}#${point.pointId}` };
  }

  private itemOf(point: RecoveryPoint): Item & Key {
    const { pinnedBy, ...rest } = point;
    const work = needsWork(point) ? `${this.prefix}${OPEN}` : point.state === 'COMPLETE' ? this.liveWork(point.memberId) : undefined;
    return {
      ...rest,
      ...(pinnedBy === undefined || pinnedBy.length === 0 ? {} : { pinnedBy: new Set(pinnedBy) }),
      ...this.keyOf(point),
      ...(work === undefined ? {} : { work, sk2: `${point.createdAt}#${point.pointId}` }),
      ...(point.cleanedAt === undefined ? {} : { ttl: Math.floor(Date.parse(point.cleanedAt) / 1000) + RECORD_SECONDS }),
    };
  }
}

function pointOf(item: Item): RecoveryPoint {
  const { pinnedBy, ...rest } = domainOf<Omit<RecoveryPoint, 'pinnedBy'> & { pinnedBy?: Set<string> }>(item);
  return pinnedBy === undefined ? rest : { ...rest, pinnedBy: [...pinnedBy].sort() };
}
