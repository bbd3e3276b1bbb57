import type { FenceRecord } from '../../core/fencing';
import type { FenceStore } from '../ports/lease';
import { domainOf, type Table } from './table';

export class DynamoFences implements FenceStore {
  constructor(private readonly table: Table) {}

  async fences(runId: string): Promise<FenceRecord[]> {
    return (await this.table.partition(`RUN#${runId}`, 'FENCE#')).map((item) => domainOf<FenceRecord>(item));
  }

  async saveFence(fence: FenceRecord): Promise<void> {
    await this.table.put({ ...fence, pk: `RUN#${fence.runId}`, sk: `FENCE#${fence.memberId}#${fence.action}` });
  }
}
