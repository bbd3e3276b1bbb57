import { mustRollBack, takenOver, type CutoverConfig, type CutoverRecord, type RecoveredMachine } from '../../core/cutover';
import type { CutoverVerdict } from '../../adapters/ports/cutover';
import type { Tools } from '../../runtime/tools';
import { CutoverWork, WAIT_SECONDS, type CutoverInput, type CutoverPorts } from '../cutover-work';
import { machineReferences } from '../hooks';
import { listed, RunFailed, runRecord, timed, type StepResult } from '../run';

/** A cutover that failovers have made and that may be in place. */
interface Moved {
  /** Of the first of them: it knows how things were before any of them. */
  readonly first: CutoverRecord;
  /** Of the last: its machines are those that traffic goes to. */
  readonly last: CutoverRecord;
}

/**
 * Puts back, in reverse order, the traffic that failovers have moved since the recovery side became active. The source side
 * is the active one by now: what cannot be put back is named, keeps nothing else from it, and ends the run as failed.
 */
export async function cutBack(input: CutoverInput, ports: CutoverPorts, tools: Tools): Promise<StepResult> {
  return timed('cutover', input, ports.runs, tools, () => new CutBackStep(input, ports, tools).run());
}

class CutBackStep extends CutoverWork {
  async run(): Promise<StepResult & { detail?: string }> {
    const { runId } = this.input.run;
    const moved = await this.movedTraffic((await runRecord(this.ports.runs, runId)).ends?.failovers ?? []);
    for (const row of await this.ports.cutovers.cutovers(runId)) this.rows.set(row.name, row);
    for (const config of [...this.cutovers].reverse()) {
      const one = moved.get(config.name);
      if (one === undefined) continue;
      if (this.noTime(config)) return { done: false, waitSeconds: 1 };
      const row = await this.begun(config, one);
      if (!mustRollBack(row)) continue;
      this.machines = await this.machinesOf(one.last.runId);
      if (await this.putBack(config, row) === 'waiting') return { done: false, waitSeconds: WAIT_SECONDS };
    }
    this.checkAll([...moved.keys()].filter((name) => !this.cutovers.some((config) => config.name === name)));
    const rows = [...this.rows.values()];
    return { done: true, waitSeconds: 0, detail: rows.map(({ name, detail = 'put back' }) => `${name}: ${detail}`).join('; ') || 'no failover had moved traffic' };
  }

  /** What somebody has to do is said: the machines that this traffic goes to are stopped. */
  private checkAll(undeclared: readonly string[]): void {
    const stuck = [...this.rows.values()].filter(({ status }) => status === 'STUCK').map(({ name, detail = '' }) => `${name}: ${detail}`);
    const problems = [...stuck, ...undeclared.map((name) => `${name}: the project does not declare it any more`)];
    if (problems.length === 0) return;
    throw new RunFailed(
      'CutoverFailed',
      `The source side is active and its machines work, but traffic could not be put back and still goes to the recovery side, whose machines are stopped: ${listed(problems)}. `
      + 'Remove the cause and resume with the same runId, or move this traffic by hand.',
    );
  }

  private async movedTraffic(failovers: readonly string[]): Promise<Map<string, Moved>> {
    const moved = new Map<string, Moved>();
    for (const runId of failovers) {
      for (const row of await this.ports.cutovers.cutovers(runId)) {
        if (mustRollBack(row) || row.status === 'STUCK') moved.set(row.name, { first: moved.get(row.name)?.first ?? row, last: row });
      }
    }
    return moved;
  }

  /** The row of this run, from the start in the state of one that was applied. */
  private async begun({ name, kind }: CutoverConfig, { first }: Moved): Promise<CutoverRecord> {
    const { run, executionName } = this.input;
    const known = this.rows.get(name);
    if (known === undefined) {
      return this.save({ runId: run.runId, name, kind, status: 'READY', attempt: 1, executionName, startedAt: this.tools.now(), before: first.before }, undefined);
    }
    if (known.executionName === executionName || known.status === 'ROLLED_BACK') return known;
    return this.save(takenOver(known, executionName, this.tools.now()), known);
  }

  private async machinesOf(runId: string): Promise<readonly RecoveredMachine[]> {
    return machineReferences(await this.ports.runs.runMembers(runId));
  }

  /** Asked once more when it says that it has put it back: what was answered is seen to hold. */
  protected override async rollBackOf(config: CutoverConfig, row: CutoverRecord): Promise<{ verdict: CutoverVerdict; final: boolean }> {
    const answered = await super.rollBackOf(config, row);
    return answered.verdict.done ? super.rollBackOf(config, row) : answered;
  }
}
