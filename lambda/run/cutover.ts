import { mustRollBack, requiredEndpoints, takenOver, type CutoverConfig, type CutoverRecord } from '../core/cutover';
import type { RunMember } from '../core/model';
import { messageOf } from '../adapters/errors';
import type { CutoverContext, CutoverKind } from '../adapters/ports/cutover';
import type { Tools } from '../runtime/tools';
import { CutoverWork, isFinal, isTransient, stepName, WAIT_SECONDS, type CutoverInput, type CutoverPorts, type Progress } from './cutover-work';
import { cutBack } from './failback/cut-back';
import { machineReferences } from './hooks';
import { confirmEpoch } from './lease';
import { InvalidRequest, listed, RunFailed, timed, type StepResult } from './run';

/**
 * Moves traffic to the recovered machines: each cutover in its order is read, applied and verified. When one fails, all that
 * this run has applied are put back in reverse order, and the run fails. A failback puts back what failovers have moved.
 */
export async function cutOver(input: CutoverInput, ports: CutoverPorts, tools: Tools): Promise<StepResult> {
  if (input.run.mode === 'failback') return cutBack(input, ports, tools);
  if (input.run.mode !== 'failover') throw new InvalidRequest(`Run ${input.run.runId} is a ${input.run.mode}; only a failover moves traffic.`);
  return timed('cutover', input, ports.runs, tools, () => new CutoverStep(input, ports, tools).run());
}

class CutoverStep extends CutoverWork {
  private members: readonly RunMember[] = [];

  async run(): Promise<StepResult & { detail?: string }> {
    const { runId } = this.input.run;
    this.members = await this.ports.runs.runMembers(runId);
    this.machines = machineReferences(this.members);
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

  /** Required endpoints of which this run has not recovered every machine that it was to. */
  private async missing(config: CutoverConfig): Promise<string[]> {
    const known = [...new Set((await this.ports.members.members()).filter(({ missingSince }) => missingSince === undefined).map(({ endpoint }) => endpoint))];
    return requiredEndpoints(config, known).filter((endpoint) => {
      const own = this.members.filter((member) => member.endpoint === endpoint);
      return own.length === 0 || own.some(({ status }) => status !== 'PASSED');
    }).sort();
  }

  /** Before the row that says so: an interrupted step looks again, and ends its mark again. */
  private async endStep(row: CutoverRecord, outcome: 'SUCCEEDED' | 'FAILED', detail: string): Promise<void> {
    await this.ports.runs.endStep({ runId: row.runId, name: stepName(row), startedAt: row.startedAt, endedAt: this.tools.now(), outcome, detail });
  }
}
