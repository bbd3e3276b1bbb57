import type { CycleLock, CycleProgress, CycleStore } from '../ports/catalogue';
import { ConflictError } from '../errors';
import { domainOf, type Key, type Table } from './table';

const HELD_BY = (executionArn: string) => ({
  text: '#executionArn = :holder', names: { '#executionArn': 'executionArn' }, values: { ':holder': executionArn },
});

const OF_CYCLE = (cycleId: string) => ({
  text: '#cycleId = :cycleId', names: { '#cycleId': 'cycleId' }, values: { ':cycleId': cycleId },
});

const NOTHING_YET: CycleProgress = { committed: 0, failed: 0, problems: [], absent: [], departed: [], moreProblems: 0 };

export class DynamoCycle implements CycleStore {
  private readonly lock: Key;
  private readonly wait: Key;

  constructor(private readonly table: Table, prefix = '') {
    this.lock = { pk: `${prefix}LOCK`, sk: 'cycle' };
    this.wait = { pk: `${prefix}WAIT`, sk: 'cycle' };
  }

  async takeLock(lock: CycleLock): Promise<CycleLock | undefined> {
    const taken = await this.table.put({ ...this.lock, ...lock, ...NOTHING_YET }, {
      text: 'attribute_not_exists(#sk)', names: { '#sk': 'sk' },
    });
    if (taken) return undefined;
    const holder = await this.table.get(this.lock);
    if (holder === undefined) throw new ConflictError('The cycle lock');
    return holder.executionArn === lock.executionArn ? undefined : domainOf<CycleLock>(holder);
  }

  replaceLock(lock: CycleLock, holder: CycleLock): Promise<boolean> {
    return this.table.put({ ...this.lock, ...lock, ...NOTHING_YET }, HELD_BY(holder.executionArn));
  }

  async noteProgress(cycleId: string, { committed = 0, failed = 0, moreProblems = 0, problems = [], absent, departed }: Partial<CycleProgress>): Promise<void> {
    const replaced = Object.entries({ absent, departed }).filter(([, list]) => list !== undefined);
    if (committed === 0 && failed === 0 && moreProblems === 0 && problems.length === 0 && replaced.length === 0) return;
    const counts = { committed, failed, moreProblems };
    const fields = ['problems', ...Object.keys(counts), ...replaced.map(([name]) => name)];
    await this.table.update(this.lock, {
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
    const lock = await this.table.get(this.lock);
    if (lock?.cycleId !== cycleId) return undefined;
    const { committed, failed, problems, absent, departed, moreProblems } = { ...NOTHING_YET, ...domainOf<CycleProgress>(lock) };
    return { committed, failed, problems, absent, departed, moreProblems };
  }

  async releaseLock(cycleId: string): Promise<void> {
    await this.table.remove(this.lock, OF_CYCLE(cycleId));
  }

  async storeToken(token: string, cycleId: string, at: string): Promise<boolean> {
    const old = await this.table.update(this.wait, {
      update: {
        text: 'SET #token = :token, #cycleId = :cycleId, #since = :at',
        names: { '#token': 'token', '#cycleId': 'cycleId', '#since': 'since' },
        values: { ':token': token, ':cycleId': cycleId, ':at': at },
      },
    });
    return old?.eventAt !== undefined;
  }

  async forgetEvents(): Promise<void> {
    await this.table.update(this.wait, {
      update: { text: 'REMOVE #eventAt, #token', names: { '#eventAt': 'eventAt', '#token': 'token' } },
    });
  }

  async takeToken(at: string): Promise<string | undefined> {
    const old = await this.table.update(this.wait, {
      update: {
        text: 'SET #eventAt = :at REMOVE #token',
        names: { '#eventAt': 'eventAt', '#token': 'token' },
        values: { ':at': at },
      },
    });
    return old?.token as string | undefined;
  }
}
