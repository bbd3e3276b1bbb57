import type { EndpointMember } from '../../core/model';
import { ConflictError } from '../errors';
import type { MemberProgress, MemberStore } from '../ports/catalogue';
import { domainOf, type Table } from './table';

/**
 * What changes with each cycle is kept apart from the member's settings: a settings row holds user data and UEFI data, tens
 * of kB, and would be billed whole with each write.
 */
const PROGRESS = 'PROGRESS';
const MEMBERS = 'MEMBERS';

export class DynamoMembers implements MemberStore {
  private readonly rows: string;
  private readonly notes: string;

  constructor(private readonly table: Table, prefix = '') {
    this.rows = `${prefix}${MEMBERS}`;
    this.notes = `${prefix}${PROGRESS}`;
  }

  async members(): Promise<EndpointMember[]> {
    const [rows, progress] = await Promise.all([this.table.partition(this.rows), this.progress()]);
    return rows.map((row) => {
      const newestPointAt = progress.get(row.sk as string)?.newestPointAt;
      return { ...domainOf<EndpointMember>(row), ...(newestPointAt === undefined ? {} : { newestPointAt }) };
    });
  }

  async saveMember(member: EndpointMember): Promise<void> {
    const { newestPointAt: _kept, ...settings } = member;
    const written = await this.table.put({ ...settings, pk: this.rows, sk: member.memberId }, {
      text: 'attribute_not_exists(#sk) OR #lastSeenAt <= :lastSeenAt',
      names: { '#sk': 'sk', '#lastSeenAt': 'lastSeenAt' },
      values: { ':lastSeenAt': member.lastSeenAt },
    });
    if (!written) throw new ConflictError(`Member ${member.memberId}`);
  }

  /** The progress first: a kill in between leaves a member that is found again, not a row that nobody looks for. */
  async removeMember(memberId: string): Promise<void> {
    await this.table.remove({ pk: this.notes, sk: memberId });
    await this.table.remove({ pk: this.rows, sk: memberId }, { text: 'attribute_exists(#missing)', names: { '#missing': 'missingSince' } });
  }

  async progress(): Promise<ReadonlyMap<string, MemberProgress>> {
    const rows = await this.table.partition(this.notes);
    return new Map(rows.map((row) => [row.sk as string, domainOf<MemberProgress>(row)]));
  }

  async noteNewestPoint(memberId: string, consistentAt: string): Promise<void> {
    await this.table.update({ pk: this.notes, sk: memberId }, {
      update: { text: 'SET #newest = :at', names: { '#newest': 'newestPointAt' }, values: { ':at': consistentAt } },
      condition: { text: 'attribute_not_exists(#newest) OR #newest < :at' },
    });
  }

  async notePruned(memberId: string, at: string, newestPointAt: string): Promise<void> {
    await this.table.update({ pk: this.notes, sk: memberId }, {
      update: {
        text: 'SET #prunedAt = :at, #prunedNewest = :newest',
        names: { '#prunedAt': 'prunedAt', '#prunedNewest': 'prunedNewest' },
        values: { ':at': at, ':newest': newestPointAt },
      },
      condition: { text: 'attribute_not_exists(#prunedAt) OR #prunedAt <= :at' },
    });
  }
}
