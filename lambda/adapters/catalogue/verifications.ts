import type { VerificationRecord, VerificationStore } from '../ports/snapshot-blocks';
import { domainOf, type Table } from './table';

export class DynamoVerifications implements VerificationStore {
  constructor(private readonly table: Table) {}

  async verifications(runId: string): Promise<VerificationRecord[]> {
    return (await this.table.partition(`RUN#${runId}`, 'VERIFY#')).map((item) => domainOf<VerificationRecord>(item));
  }

  async saveVerification(record: VerificationRecord): Promise<void> {
    await this.table.put({ ...record, pk: `RUN#${record.runId}`, sk: `VERIFY#${record.memberId}#${record.deviceName}` });
  }
}
