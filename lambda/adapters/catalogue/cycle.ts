import type { CycleLock, CycleProgress, CycleStore } from '../ports/catalogue';
import { ConflictError } from '../errors';
import { domainOf, type Table } from './table';

const LOCK = { pk: 'LOCK', sk: 'cycle' };
const WAIT = { pk: 'WAIT', sk: 'cycle' };

const HELD_BY = (executionArn: string) => ({
  text: '#executionArn = :holder', names: { '#executionArn': 'executionArn' }, values: { ':holder': executionArn },
});

const OF_CYCLE = (cycleId: string) => ({
  text: '#cycleId = :cycleId', names: { '#cycleId': 'cycleId' }, values: { ':cycleId': cycleId },
});

const NOTHING_YET: CycleProgress = { committed: 0, failed: 0, problems: [], absent: [], departed: [], moreProblems: 0 };

export class DynamoCycle implements CycleStore {
  constructor(private readonly table: Table) {}

  async takeLock(lock: CycleLock): Promise<CycleLock | undefined> {
    const taken = await this.table.put({ ...LOCK, ...lock, ...NOTHING_YET }, {
      text: 'attribute_not_exists(#sk)', names: { '#sk': 'sk' },
    });
    if (taken) return undefined;
    const holder = await this.table.get(LOCK);
    if (holder === undefined) throw new ConflictError('The cycle lock');
    return holder.executionArn === lock.executionArn ? undefined : domainOf<CycleLock>(holder);
  }

  replaceLock(lock: CycleLock, holder: CycleLock): Promise<boolean> {
    return this.table.put({ ...LOCK, ...lock, ...NOTHING_YET }, HELD_BY(holder.executionArn));
  }

  async noteProgress(cycleId: string, { committed = 0, failed = 0, moreProblems = 0, problems = [], absent, departed }: Partial<CycleProgress>): Promise<void> {
    const replaced = Object.entries({ absent, departed }).filter(([, list]) => list !== undefined);
    if (committed === 0 && failed === 0 && moreProblems === 0 && problems.length === 0 && replaced.length === 0) return;
    const counts = { committed, failed, moreProblems };
    const fields = ['problems', ...Object.keys(counts), ...replaced.map(([name]) => name)];
    await this.table.update(LOCK, {
      update: {
        text: `SET ${['#problems = list_append(#problems, :problems)', ...replaced.map(([name]) => `#${name} = :${name}`)].join(', ')} `
          + `ADD ${Object.keys(counts).map((name) => `#${name} :${name}`).join(', ')}`,
        names: Object.fromEntries(fields.map((name) => [`#${name}`, name])),
        values: Object.fromEntries(Object.entries({ problems, ...counts, ...Object.fromEntries(replaced) }).map(([name, value]) => [`:${name}`, value])),
      },
      condition: OF_CYCLE(cycleId),
    });
  }

  async cycleProgress(cycleId: string): Promise<CycleProgress | undefined> {
    const lock = await this.table.get(LOCK);
    if (lock?.cycleId !== cycleId) return undefined;
    const { committed, failed, problems, absent, departed, moreProblems } = { ...NOTHING_YET, ...domainOf<CycleProgress>(lock) };
    return { committed, failed, problems, absent, departed, moreProblems };
  }

  async releaseLock(cycleId: string): Promise<void> {
    await this.table.remove(LOCK, OF_CYCLE(cycleId));
  }

  async storeToken(token: string, cycleId: string, at: string): Promise<boolean> {
    const old = await this.table.update(WAIT, {
      update: {
        text: 'SET #token = :token, #cycleId = :cycleId, #since = :at',
        names: { '#token': 'token', '#cycleId': 'cycleId', '#since': 'since' },
        values: { ':token': token, ':cycleId': cycleId, ':at': at },
      },
    });
    return old?.eventAt !== undefined;
  }

  async forgetEvents(): Promise<void> {
    await this.table.update(WAIT, {
      update: { text: 'REMOVE #eventAt, #token', names: { '#eventAt': 'eventAt', '#token': 'token' } },
    });
  }

  async takeToken(at: string): Promise<string | undefined> {
    const old = await this.table.update(WAIT, {
      update: {
        text: 'SET #eventAt = :at REMOVE #token',
        names: { '#eventAt': 'eventAt', '#token': 'token' },
        values: { ':at': at },
      },
    });
    return old?.token as string | undefined;
  }
}
