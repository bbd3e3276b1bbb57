import type { RunMember, RunRecord } from '../../core/model';
import { Tag } from '../../core/tags';
import { isRefused, messageOf } from '../../adapters/errors';
import type { OldMachine } from '../../adapters/ports/source-fence';
import { eachOf } from '../../runtime/pool';
import type { Tools } from '../../runtime/tools';
import { confirmEpoch } from '../lease';
import { DONE, listed, RunFailed, runRecord, timed, type StepResult } from '../run';
import { REOPEN_STEP } from './admit';
import type { DrainInput, DrainPorts } from './drain';
import { failbackOf, newestOf, noting, originalId, recoveredSide, shown, stopAll, type Changing } from './sides';
import { DRAIN_STEP } from './sync';

const WAIT_SECONDS = 5;

/**
 * After a failure: the recovered machines work again, as long as theirs is the active side. What this run has started in the
 * source Region is stopped first, and seen stopped: never do both sides write.
 */
export async function reopen(input: DrainInput, ports: DrainPorts, tools: Tools): Promise<StepResult> {
  const { run } = input;
  const lease = await ports.leases.lease();
  const holds = lease.epoch === run.epoch && lease.holder?.runId === run.runId;
  const steps = await ports.runs.steps(run.runId);
  if (!holds || lease.active !== 'recovery' || !steps.some(({ name }) => name === DRAIN_STEP)) {
    tools.log.info('Nothing to reopen', { run: run.runId, holds, active: lease.active });
    return DONE;
  }
  const launched = steps.some(({ name }) => /^wave-\d+\/launch$/.test(name));
  return timed(REOPEN_STEP, input, ports.runs, tools, async () => {
    const record = await runRecord(ports.runs, run.runId);
    const limit = failbackOf(input.config).drainTimeoutSeconds;
    const begun = (await ports.runs.steps(run.runId)).find(({ name }) => name === REOPEN_STEP)?.startedAt ?? tools.now();
    const seconds = (Date.parse(tools.now()) - Date.parse(begun)) / 1000;
    const changing: Changing = { force: seconds >= limit / 2, confirm: () => confirmEpoch(run, ports.leases), refusals: new Map() };
    try {
      const source = launched ? await sourceSide(record, ports) : [];
      const open = await stopAll(source, (id, force) => ports.source.stop([id], force), changing);
      if (open.length > 0) {
        if (seconds > limit) throw new RunFailed('DrainFailed', `Machines that this run has started in the source Region are not stopped after ${limit} s: ${listed(open.map((machine) => shown(machine, changing.refusals)))}. ${byHand(input)}`);
        return { done: false, waitSeconds: WAIT_SECONDS };
      }
      const waiting = await startRecovered(record, ports, changing);
      if (waiting.length === 0) {
        await markAbandoned(record, source, input, ports, tools);
        return { ...DONE, detail: `${record.waves.flat().length} recovered machines work again` };
      }
      // Stopping and starting each have the time that was given for stopping.
      if (seconds > 2 * limit) throw new RunFailed('DrainFailed', `Recovered machines do not run again after ${Math.round(seconds)} s: ${listed(waiting)}. ${byHand(input)}`);
    } catch (error) {
      if (!isRefused(error)) throw error;
      if (!isRefused(error, 'unreachable', 'throttled') || seconds > 2 * limit) throw new RunFailed('DrainFailed', `The recovered machines are not started again: ${messageOf(error)}. ${byHand(input)}`);
    }
    return { done: false, waitSeconds: WAIT_SECONDS };
  });
}

function byHand({ config: { sourceRegion, recoveryRegion } }: DrainInput): string {
  return `Make sure that the project's machines in ${sourceRegion} are stopped, then start the recovered ones in ${recoveryRegion}, or begin a new failback, which takes them as they are.`;
}

/** All that may have been started for the run, also what was not recorded any more. */
async function sourceSide(record: RunRecord, { runs, source }: DrainPorts): Promise<OldMachine[]> {
  const ids = (await runs.runMembers(record.runId)).map(({ memberId, instanceId }: RunMember) => instanceId ?? originalId(memberId));
  const found = [...await source.machines(ids), ...await source.machinesWithTags({ [Tag.PROJECT]: record.project, [Tag.RUN]: record.runId })];
  return [...new Map(found.map((machine) => [machine.instanceId, machine])).values()];
}

/** Answers what does not run yet, in words. */
async function startRecovered(record: RunRecord, { machines, roots }: DrainPorts, { confirm, refusals }: Changing): Promise<string[]> {
  const newest = newestOf(await recoveredSide(record.project, machines), record.ends?.epoch ?? 0);
  const own = newest.filter(({ memberId }) => record.waves.flat().includes(memberId));
  await eachOf(own.filter(({ state }) => state === 'stopped'), async ({ instanceId }) => {
    await confirm();
    await noting(instanceId, refusals, () => roots.start(instanceId));
  });
  const gone = record.waves.flat().filter((id) => !own.some(({ memberId }) => memberId === id));
  return [...own.filter(({ state }) => state !== 'running').map((machine) => shown(machine, refusals)), ...gone.map((id) => `${id} (no recovered machine is found)`)];
}

/** New machines that the run had launched for members whose own is gone: nobody's any more, and no machine to protect. */
async function markAbandoned(record: RunRecord, source: readonly OldMachine[], { config }: DrainInput, { sourceTags }: DrainPorts, tools: Tools): Promise<void> {
  const originals = new Set(record.waves.flat().map(originalId));
  const launched = source.filter(({ instanceId, tags, state }) => !originals.has(instanceId) && tags[Tag.RUN] === record.runId && state !== 'terminated').map(({ instanceId }) => instanceId);
  if (launched.length === 0) return;
  const expiresAt = Math.floor(Date.parse(tools.now()) / 1000) + failbackOf(config).keepReplacedSeconds;
  try {
    await sourceTags.tag(launched, { [Tag.REPLACED_BY]: record.runId, [Tag.EXPIRES_AT]: String(expiresAt) });
  } catch (error) {
    if (!isRefused(error)) throw error;
    tools.log.error('Abandoned machines could not be marked', { run: record.runId, instances: launched, reason: error.message });
  }
}
