import type { RunConfig } from '../core/config';
import { mustRollBack, requiredEndpoints, takenOver, type CutoverConfig, type CutoverRecord } from '../core/cutover';
import { DomainError } from '../core/errors';
import type { RunMember } from '../core/model';
import { isRefused, messageOf, RefusedCall } from '../adapters/errors';
import type { MemberStore, RunStore } from '../adapters/ports/catalogue';
import type { CutoverContext, CutoverKind, CutoverKinds, CutoverStore, CutoverVerdict } from '../adapters/ports/cutover';
import type { LeaseStore } from '../adapters/ports/lease';
import type { Tools } from '../runtime/tools';
import { machineReferences } from './hooks';
import { confirmEpoch } from './lease';
import { InvalidRequest, listed, RunFailed, timed, type RunRef, type StepResult } from './run';

export interface CutoverInput {
  readonly config: RunConfig;
  readonly run: RunRef;
  readonly executionName: string;
}

export interface CutoverPorts {
  readonly members: MemberStore;
  readonly runs: RunStore;
  readonly cutovers: CutoverStore;
  readonly leases: LeaseStore;
  readonly kinds: CutoverKinds;
}

const WAIT_SECONDS = 5;
/** Kept of the function's remaining time for storing what was answered. */
const RESERVE_MS = 10_000;
/** A function of the user's runs 15 minutes at most, and so does this one, which must outlive it. */
const LONGEST_BUDGET_MS = 14 * 60_000 - RESERVE_MS;

type Progress = 'ended' | 'waiting' | 'failed';

/**
 * Moves traffic to the recovered machines: each cutover in its order is read, applied and verified. When one fails, all that
 * this run has applied are put back in reverse order, and the run fails. Only a failover moves traffic.
 */
export async function cutOver(input: CutoverInput, ports: CutoverPorts, tools: Tools): Promise<StepResult> {
  if (input.run.mode !== 'failover') throw new InvalidRequest(`Run ${input.run.runId} is a ${input.run.mode}; only a failover moves traffic.`);
  return timed('cutover', input, ports.runs, tools, () => new CutoverStep(input, ports, tools).run());
}

class CutoverStep {
  private readonly cutovers: readonly CutoverConfig[];
  private readonly rows = new Map<string, CutoverRecord>();
  private members: readonly RunMember[] = [];

  constructor(private readonly input: CutoverInput, private readonly ports: CutoverPorts, private readonly tools: Tools) {
    this.cutovers = input.config.cutover ?? [];
  }

  async run(): Promise<StepResult & { detail?: string }> {
    const { runId } = this.input.run;
    this.members = await this.ports.runs.runMembers(runId);
    for (const row of await this.ports.cutovers.cutovers(runId)) this.rows.set(row.name, row);
    for (const row of [...this.rows.values()]) {
      if (row.executionName !== this.input.executionName) await this.save(takenOver(row, this.input.executionName, this.tools.now()), row);
    }
    for (const config of this.cutovers) {
      if (this.failure() !== undefined) break;
      if (this.noTime(config)) return { done: false, waitSeconds: 1 };
      if (await this.advance(config) === 'waiting') return { done: false, waitSeconds: WAIT_SECONDS };
    }
    const failed = this.failure();
    if (failed !== undefined) return this.rollBack(failed);
    const rows = [...this.rows.values()];
    return { done: true, waitSeconds: 0, detail: rows.map(({ name, status, detail }) => `${name}: ${status === 'SKIPPED' ? detail ?? 'skipped' : 'verified'}`).join('; ') };
  }

  private failure(): CutoverRecord | undefined {
    return [...this.rows.values()].find(({ failure }) => failure !== undefined);
  }

  /** One cutover as far as it gets now. */
  private async advance(config: CutoverConfig): Promise<Progress> {
    const row = await this.begun(config);
    switch (row.status) {
      case 'PLANNED': return this.prepare(config, row);
      case 'READY': return this.apply(config, row);
      case 'APPLIED': return this.verify(config, row);
      case 'VERIFIED': case 'SKIPPED': case 'ROLLING_BACK': case 'ROLLED_BACK': case 'STUCK': return 'ended';
    }
  }

  private async begun(config: CutoverConfig): Promise<CutoverRecord> {
    const known = this.rows.get(config.name);
    if (known !== undefined) return known;
    const { run, executionName } = this.input;
    return this.save({
      runId: run.runId, name: config.name, kind: config.kind, status: 'PLANNED', attempt: 1, executionName, startedAt: this.tools.now(),
    }, undefined);
  }

  private async prepare(config: CutoverConfig, row: CutoverRecord): Promise<Progress> {
    await this.ports.runs.beginStep({ runId: row.runId, name: stepName(row), startedAt: row.startedAt });
    const missing = await this.missing(config);
    if (missing.length > 0) {
      const detail = `skipped: this run has not recovered ${listed(missing)}`;
      this.tools.log.warn('Cutover skipped', { run: row.runId, cutover: row.name, missing });
      await this.endStep(row, 'SUCCEEDED', detail);
      await this.save({ ...row, status: 'SKIPPED', detail }, row);
      return 'ended';
    }
    return this.attempt(config, row, async (kind, context) => {
      const before = await kind.before(context);
      return () => this.save({ ...row, status: 'READY', before }, row).then((ready) => this.apply(config, ready));
    });
  }

  private async apply(config: CutoverConfig, row: CutoverRecord): Promise<Progress> {
    await confirmEpoch(this.input.run, this.ports.leases);
    return this.attempt(config, row, async (kind, context) => {
      const handle = await kind.apply(context, row.before);
      return () => this.save({ ...row, status: 'APPLIED', appliedAt: this.tools.now(), ...(handle === undefined ? {} : { handle }) }, row)
        .then((applied) => this.verify(config, applied));
    });
  }

  private async verify(config: CutoverConfig, row: CutoverRecord): Promise<Progress> {
    // Looking can change things too: a metric is published until it shows.
    await confirmEpoch(this.input.run, this.ports.leases);
    return this.attempt(config, row, async (kind, context) => {
      const { done, detail } = await kind.verify(context, row.before, row.handle);
      if (!done) return this.notYet(config, row, detail);
      return async () => {
        await this.endStep(row, 'SUCCEEDED', detail);
        await this.save({ ...row, status: 'VERIFIED', verifiedAt: this.tools.now(), detail }, row);
        this.tools.log.info('Cutover verified', { run: row.runId, cutover: row.name, detail });
        return 'ended';
      };
    });
  }

  /** Asks the adapter; what it refuses for now is tried again until the cutover's time is up, what it refuses for good fails. */
  private async attempt(
    config: CutoverConfig, row: CutoverRecord, ask: (kind: CutoverKind, context: CutoverContext) => Promise<() => Promise<Progress>>,
  ): Promise<Progress> {
    let next: () => Promise<Progress>;
    try {
      next = await ask(this.kindOf(config), this.context(config, row));
    } catch (error) {
      if (isTransient(error)) next = this.notYet(config, row, messageOf(error));
      else if (isFinal(error)) next = () => this.fail(row, messageOf(error));
      else throw error;
    }
    return next();
  }

  private notYet(config: CutoverConfig, row: CutoverRecord, detail: string): () => Promise<Progress> {
    if (!this.late(row.startedAt, config)) return () => Promise.resolve('waiting');
    return () => this.fail(row, `not verified within ${config.timeoutSeconds} s: ${detail}`);
  }

  private async fail(row: CutoverRecord, failure: string): Promise<Progress> {
    this.tools.log.error('Cutover failed', { run: row.runId, cutover: row.name, reason: failure });
    await this.endStep(row, 'FAILED', failure);
    await this.save({ ...row, failure }, row);
    return 'failed';
  }

  /** In reverse order. One that cannot be put back does not keep the others from it. */
  private async rollBack(failed: CutoverRecord): Promise<StepResult> {
    for (const config of [...this.cutovers].reverse()) {
      const row = this.rows.get(config.name);
      if (row === undefined || !mustRollBack(row)) continue;
      if (this.noTime(config)) return { done: false, waitSeconds: 1 };
      if (await this.putBack(config, row) === 'waiting') return { done: false, waitSeconds: WAIT_SECONDS };
    }
    const named = (status: CutoverRecord['status']): string[] => [...this.rows.values()].filter((row) => row.status === status).map(({ name }) => name);
    const stuck = named('STUCK');
    const outcome = stuck.length > 0 ? `could not be put back: ${listed(stuck)}` : 'traffic is as it was before';
    throw new RunFailed('CutoverFailed', `Cutover ${failed.name} failed: ${failed.failure ?? ''}. Rolled back: ${listed(named('ROLLED_BACK')) || 'nothing was applied'}; ${outcome}.`);
  }

  private async putBack(config: CutoverConfig, read: CutoverRecord): Promise<Progress> {
    await confirmEpoch(this.input.run, this.ports.leases);
    const row = read.status === 'ROLLING_BACK' ? read : await this.save({ ...read, status: 'ROLLING_BACK', rollBackAt: this.tools.now() }, read);
    const name = `${stepName(row)}/roll-back`;
    const startedAt = row.rollBackAt ?? this.tools.now();
    await this.ports.runs.beginStep({ runId: row.runId, name, startedAt });
    const { verdict, final } = await this.rollBackOf(config, row);
    if (!verdict.done && !final && !this.late(startedAt, config)) return 'waiting';
    const status = verdict.done ? 'ROLLED_BACK' : 'STUCK';
    if (!verdict.done) this.tools.log.error('Cutover could not be rolled back', { run: row.runId, cutover: row.name, reason: verdict.detail });
    await this.ports.runs.endStep({ runId: row.runId, name, startedAt, endedAt: this.tools.now(), outcome: verdict.done ? 'SUCCEEDED' : 'FAILED', detail: verdict.detail });
    await this.save({ ...row, status, detail: verdict.detail }, row);
    return 'ended';
  }

  private async rollBackOf(config: CutoverConfig, row: CutoverRecord): Promise<{ verdict: CutoverVerdict; final: boolean }> {
    try {
      return { verdict: await this.kindOf(config).rollBack(this.context(config, row), row.before), final: false };
    } catch (error) {
      if (!isTransient(error) && !isFinal(error)) throw error;
      return { verdict: { done: false, detail: messageOf(error) }, final: !isTransient(error) };
    }
  }

  /** Required endpoints of which this run has not recovered every machine that it was to. */
  private async missing(config: CutoverConfig): Promise<string[]> {
    const known = [...new Set((await this.ports.members.members()).filter(({ missingSince }) => missingSince === undefined).map(({ endpoint }) => endpoint))];
    return requiredEndpoints(config, known).filter((endpoint) => {
      const own = this.members.filter((member) => member.endpoint === endpoint);
      return own.length === 0 || own.some(({ status }) => status !== 'PASSED');
    }).sort();
  }

  private context(config: CutoverConfig, row: CutoverRecord): CutoverContext {
    const { run } = this.input;
    return {
      config,
      project: this.input.config.project,
      runId: run.runId,
      mode: run.mode,
      idempotencyKey: `${run.runId}/cutover/${row.name}/${row.attempt}`,
      machines: machineReferences(this.members),
      budgetMs: this.tools.deadline.remainingMs() - RESERVE_MS,
    };
  }

  /** Each kind's adapter takes its own configuration; which is which, the name of the kind says. */
  private kindOf(config: CutoverConfig): CutoverKind {
    return this.ports.kinds[config.kind];
  }

  /** A function that cannot end before this one is killed would look as if it had never answered. */
  private noTime(config: CutoverConfig): boolean {
    if (config.kind !== 'lambda') return this.tools.deadline.near();
    return this.tools.deadline.remainingMs() - RESERVE_MS < Math.min(config.timeoutSeconds * 1000, LONGEST_BUDGET_MS);
  }

  private late(since: string, { timeoutSeconds }: CutoverConfig): boolean {
    return Date.parse(this.tools.now()) - Date.parse(since) > timeoutSeconds * 1000;
  }

  /** Before the row that says so: an interrupted step looks again, and ends its mark again. */
  private async endStep(row: CutoverRecord, outcome: 'SUCCEEDED' | 'FAILED', detail: string): Promise<void> {
    await this.ports.runs.endStep({ runId: row.runId, name: stepName(row), startedAt: row.startedAt, endedAt: this.tools.now(), outcome, detail });
  }

  private async save(next: CutoverRecord, read: CutoverRecord | undefined): Promise<CutoverRecord> {
    await this.ports.cutovers.saveCutover(next, read);
    this.rows.set(next.name, next);
    return next;
  }
}

function stepName({ name }: CutoverRecord): string {
  return `cutover/${name}`;
}

/** Waiting may help. */
function isTransient(error: unknown): boolean {
  return isRefused(error, 'throttled', 'unreachable', 'quota', 'not-ready');
}

function isFinal(error: unknown): boolean {
  return error instanceof RefusedCall || error instanceof DomainError;
}
