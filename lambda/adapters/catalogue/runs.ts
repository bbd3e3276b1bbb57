import type { RunMember, RunRecord, RunStep } from '../../core/model';
import { ConflictError } from '../errors';
import type { HookRecord, RunStore } from '../ports/catalogue';
import { ABSENT, domainOf, type Item, type Key, type Table } from './table';

const RUNS = 'RUN';
const partition = (runId: string): string => `RUN#${runId}`;
const memberKey = (runId: string, memberId: string): Key => ({ pk: partition(runId), sk: `MEMBER#${memberId}` });
const stepKey = (runId: string, name: string): Key => ({ pk: partition(runId), sk: `STEP#${name}` });

export class DynamoRuns implements RunStore {
  constructor(private readonly table: Table) {}

  createRun(run: RunRecord): Promise<boolean> {
    return this.table.put(runItem(run), ABSENT);
  }

  async run(runId: string): Promise<RunRecord | undefined> {
    const item = await this.table.get({ pk: partition(runId), sk: 'RUN' });
    return item === undefined ? undefined : domainOf<RunRecord>(item);
  }

  async saveRun(next: RunRecord, read: RunRecord): Promise<void> {
    const written = await this.table.put(runItem(next), {
      text: '#executionArn = :read', names: { '#executionArn': 'executionArn' }, values: { ':read': read.executionArn },
    });
    if (!written) throw new ConflictError(`Run ${next.runId}`);
  }

  async runMembers(runId: string): Promise<RunMember[]> {
    return (await this.table.partition(partition(runId), 'MEMBER#')).map((item) => domainOf<RunMember>(item));
  }

  createRunMember(member: RunMember): Promise<boolean> {
    return this.table.put({ ...member, ...memberKey(member.runId, member.memberId) }, ABSENT);
  }

  async saveRunMember(next: RunMember, read: RunMember): Promise<void> {
    const written = await this.table.put({ ...next, ...memberKey(next.runId, next.memberId) }, {
      text: '#status = :status AND #attempt = :attempt',
      names: { '#status': 'status', '#attempt': 'attempt' },
      values: { ':status': read.status, ':attempt': read.attempt },
    });
    if (!written) throw new ConflictError(`Member ${next.memberId} of run ${next.runId}`);
  }

  async steps(runId: string): Promise<RunStep[]> {
    return (await this.table.partition(partition(runId), 'STEP#')).map((item) => domainOf<RunStep>(item));
  }

  async beginStep(step: RunStep): Promise<RunStep> {
    const key = stepKey(step.runId, step.name);
    if (await this.table.put({ ...step, ...key }, ABSENT)) return step;
    const item = await this.table.get(key);
    return item === undefined ? step : domainOf<RunStep>(item);
  }

  async endStep(step: RunStep): Promise<void> {
    await this.table.put({ ...step, ...stepKey(step.runId, step.name) }, {
      text: 'attribute_exists(#sk)', names: { '#sk': 'sk' },
    });
  }

  async hooks(runId: string): Promise<HookRecord[]> {
    return (await this.table.partition(partition(runId), 'HOOK#')).map((item) => domainOf<HookRecord>(item));
  }

  /** What has succeeded stays as it is. */
  async saveHook(hook: HookRecord): Promise<void> {
    await this.table.put({ ...hook, pk: partition(hook.runId), sk: `HOOK#${hook.wave}#${hook.phase}#${hook.name}` }, {
      text: 'attribute_not_exists(#sk) OR #status <> :succeeded',
      names: { '#sk': 'sk', '#status': 'status' },
      values: { ':succeeded': 'SUCCEEDED' },
    });
  }

  /** A row of a later end stays as it is: the one who writes is late then. Rows too many are emptied, as the run's end may not delete. */
  async saveEvidence(runId: string, endedAt: string, parts: readonly string[]): Promise<void> {
    const stored = await this.table.partition(partition(runId), 'EVIDENCE#');
    for (let row = 0; row < Math.max(parts.length, stored.length); row += 1) {
      await this.table.put({ pk: partition(runId), sk: `EVIDENCE#${String(row).padStart(4, '0')}`, runId, endedAt, text: parts[row] ?? '' }, {
        text: 'attribute_not_exists(#sk) OR #endedAt <= :endedAt',
        names: { '#sk': 'sk', '#endedAt': 'endedAt' },
        values: { ':endedAt': endedAt },
      });
    }
  }

  async runs(): Promise<RunRecord[]> {
    return (await this.table.withWork(RUNS)).map((item) => domainOf<RunRecord>(item));
  }
}

function runItem(run: RunRecord): Item & Key {
  return { ...run, pk: partition(run.runId), sk: 'RUN', work: RUNS, sk2: run.startedAt };
}
