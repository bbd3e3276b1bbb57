import type { RunConfig } from '../core/config';
import type { CutoverConfig, CutoverRecord, RecoveredMachine } from '../core/cutover';
import { DomainError } from '../core/errors';
import { isRefused, messageOf, RefusedCall } from '../adapters/errors';
import type { MemberStore, RunStore } from '../adapters/ports/catalogue';
import type { CutoverContext, CutoverKind, CutoverKinds, CutoverStore, CutoverVerdict } from '../adapters/ports/cutover';
import type { LeaseStore } from '../adapters/ports/lease';
import type { Tools } from '../runtime/tools';
import { confirmEpoch } from './lease';
import type { RunRef } from './run';

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

export const WAIT_SECONDS = 5;
/** Kept of the function's remaining time for storing what was answered. */
const RESERVE_MS = 10_000;
/** A function of the user's runs 15 minutes at most, and so does this one, which must outlive it. */
const LONGEST_BUDGET_MS = 14 * 60_000 - RESERVE_MS;

export type Progress = 'ended' | 'waiting' | 'failed';

/** What moving traffic and putting it back have in common: the rows of the run's cutovers, and the way back of each. */
export class CutoverWork {
  protected readonly cutovers: readonly CutoverConfig[];
  protected readonly rows = new Map<string, CutoverRecord>();
  /** Those that traffic is, or was, sent to. */
  protected machines: readonly RecoveredMachine[] = [];

  constructor(protected readonly input: CutoverInput, protected readonly ports: CutoverPorts, protected readonly tools: Tools) {
    this.cutovers = input.config.cutover ?? [];
  }

  protected async putBack(config: CutoverConfig, read: CutoverRecord): Promise<Progress> {
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

  protected async rollBackOf(config: CutoverConfig, row: CutoverRecord): Promise<{ verdict: CutoverVerdict; final: boolean }> {
    try {
      return { verdict: await this.kindOf(config).rollBack(this.context(config, row), row.before), final: false };
    } catch (error) {
      if (!isTransient(error) && !isFinal(error)) throw error;
      return { verdict: { done: false, detail: messageOf(error) }, final: !isTransient(error) };
    }
  }

  protected context(config: CutoverConfig, row: CutoverRecord): CutoverContext {
    const { run } = this.input;
    return {
      config,
      project: this.input.config.project,
      runId: run.runId,
      mode: run.mode,
      idempotencyKey: `${run.runId}/cutover/${row.name}/${row.attempt}`,
      machines: this.machines,
      budgetMs: this.tools.deadline.remainingMs() - RESERVE_MS,
    };
  }

  /** Each kind's adapter takes its own configuration; which is which, the name of the kind says. */
  protected kindOf(config: CutoverConfig): CutoverKind {
    return this.ports.kinds[config.kind];
  }

  /** A function that cannot end before this one is killed would look as if it had never answered. */
  protected noTime(config: CutoverConfig): boolean {
    if (config.kind !== 'lambda') return this.tools.deadline.near();
    return this.tools.deadline.remainingMs() - RESERVE_MS < Math.min(config.timeoutSeconds * 1000, LONGEST_BUDGET_MS);
  }

  protected late(since: string, { timeoutSeconds }: CutoverConfig): boolean {
    return Date.parse(this.tools.now()) - Date.parse(since) > timeoutSeconds * 1000;
  }

  protected async save(next: CutoverRecord, read: CutoverRecord | undefined): Promise<CutoverRecord> {
    await this.ports.cutovers.saveCutover(next, read);
    this.rows.set(next.name, next);
    return next;
  }
}

export function stepName({ name }: CutoverRecord): string {
  return `cutover/${name}`;
}

/** Waiting may help. */
export function isTransient(error: unknown): boolean {
  return isRefused(error, 'throttled', 'unreachable', 'quota', 'not-ready');
}

export function isFinal(error: unknown): boolean {
  return error instanceof RefusedCall || error instanceof DomainError;
}
