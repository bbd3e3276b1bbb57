import type { CutoverRecord } from '../../core/cutover';
import { ConflictError } from '../errors';
import type { CutoverStore } from '../ports/cutover';
import { ABSENT, domainOf, type Table } from './table';

export class DynamoCutovers implements CutoverStore {
  constructor(private readonly table: Table) {}

  async cutovers(runId: string): Promise<CutoverRecord[]> {
    return (await this.table.partition(`RUN#${runId}`, 'CUTOVER#')).map((item) => domainOf<CutoverRecord>(item));
  }

  async saveCutover(next: CutoverRecord, read: CutoverRecord | undefined): Promise<void> {
    const written = await this.table.put({ ...next, pk: `RUN#${next.runId}`, sk: `CUTOVER#${next.name}` }, read === undefined ? ABSENT : {
      text: '#status = :status AND #attempt = :attempt',
      names: { '#status': 'status', '#attempt': 'attempt' },
      values: { ':status': read.status, ':attempt': read.attempt },
    });
    if (!written) throw new ConflictError(`Cutover ${next.name} of run ${next.runId}`);
  }
}
