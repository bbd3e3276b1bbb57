import { Tag } from '../../core/tags';
import { isRefused } from '../../adapters/errors';
import { eachOf } from '../../runtime/pool';
import type { Tools } from '../../runtime/tools';
import { confirmEpoch, switchActive } from '../lease';
import { DONE, listed, RunFailed, runRecord, timed, type StepResult } from '../run';
import type { DrainInput, DrainPorts } from './drain';
import { failbackOf, hasSwitched, isStopped, recoveredSide, shown } from './sides';

export const SWITCH_STEP = 'switch';

/**
 * Makes the source side the active one, while nothing writes on the recovery side. The recovered machines are marked as
 * replaced only after that: marked before, they would be removed one day though they work again after a failure in between.
 */
export function switchBack(input: DrainInput, ports: DrainPorts, tools: Tools): Promise<StepResult> {
  return timed(SWITCH_STEP, input, ports.runs, tools, async () => {
    const { run, config } = input;
    await confirmEpoch(run, ports.leases);
    const record = await runRecord(ports.runs, run.runId);
    const recovered = await recoveredSide(record.project, ports.machines);
    if (!hasSwitched(await ports.leases.lease(), run.runId)) {
      const started = recovered.filter((machine) => !isStopped(machine));
      if (started.length > 0) {
        throw new RunFailed('DrainFailed', `Recovered machines were started again after the drain: ${listed(started.map((machine) => shown(machine)))}. What they have written since is not in the source Region; begin a new failback.`);
      }
      await switchActive(run, { active: 'source', oldSide: 'fenced' }, ports.leases, tools);
      tools.log.info('Source side active', { run: run.runId, epoch: run.epoch });
    }
    const { keepReplacedSeconds } = failbackOf(config);
    const expiresAt = Math.floor(Date.parse(tools.now()) / 1000) + keepReplacedSeconds;
    const problems: string[] = [];
    // What an earlier failback has replaced keeps its own time.
    await eachOf(recovered.filter(({ replacedBy }) => replacedBy === undefined || replacedBy === run.runId), async ({ instanceId, volumeIds }) => {
      await confirmEpoch(run, ports.leases);
      try {
        await ports.roots.tag([instanceId, ...volumeIds], { [Tag.REPLACED_BY]: run.runId, [Tag.EXPIRES_AT]: String(expiresAt) });
      } catch (error) {
        // The source side works: that a stopped machine is not removed some day costs money and nothing else.
        if (!isRefused(error, 'denied', 'invalid', 'not-found', 'quota', 'other')) throw error;
        problems.push(`${instanceId}: ${error.message}`);
      }
    });
    await ports.runs.saveRun({ ...record, oldSide: 'fenced' }, record);
    const marks = problems.length === 0 ? '' : `; not marked for removal, remove by hand: ${listed(problems)}`;
    return { ...DONE, detail: `source side active under epoch ${run.epoch ?? 0}; recovery side stopped, kept until ${new Date(expiresAt * 1000).toISOString()}${marks}` };
  });
}
