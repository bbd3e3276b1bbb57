import { FIRST_LEASE, type Lease } from '../../core/lease';
import type { LeaseStore } from '../ports/lease';
import { ABSENT, domainOf, type Table } from './table';

const LEASE = { pk: 'LEASE', sk: 'project' };

/** The lease's row. Reads are consistent and writes conditional on the version, so that of two writers one always learns of the other. */
export class DynamoLease implements LeaseStore {
  constructor(private readonly table: Table) {}

  async lease(): Promise<Lease> {
    const item = await this.table.get(LEASE);
    return item === undefined ? FIRST_LEASE : domainOf<Lease>(item);
  }

  saveLease(next: Lease, read: Lease): Promise<boolean> {
    return this.table.put({ ...next, ...LEASE }, read.version === 0 ? ABSENT : {
      text: '#version = :version AND #epoch <= :epoch',
      names: { '#version': 'version', '#epoch': 'epoch' },
      values: { ':version': read.version, ':epoch': next.epoch },
    });
  }
}
