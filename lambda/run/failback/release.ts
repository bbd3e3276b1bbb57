import { isRefused } from '../../adapters/errors';
import { releaseOldSide } from '../../fencing/release';
import type { Tools } from '../../runtime/tools';
import { targetOf, type FenceRunInput, type FenceRunPorts } from '../fence';
import { confirmEpoch } from '../lease';
import { DONE, listed, RunFailed, timed, type StepResult } from '../run';

const WAIT_SECONDS = 2;
const LIMIT_SECONDS = 300;
const STEP = 'release';

/** Before the source machines start again: what fencing has taken from them is given back. Nothing runs there yet. */
export async function releaseFences(input: FenceRunInput, ports: FenceRunPorts, tools: Tools): Promise<StepResult> {
  const { config, run } = input;
  const { fencing } = config;
  if (fencing === undefined || fencing.actions.every(({ kind }) => kind === 'stop')) return DONE;
  return timed(STEP, input, ports.runs, tools, async () => {
    const confirm = (): Promise<void> => confirmEpoch(run, ports.leases);
    await confirm();
    const { activeEpoch = 0 } = await ports.leases.lease();
    const failovers = (await ports.runs.runs()).filter(({ mode, oldSide, epoch = 0 }) => mode === 'failover' && oldSide !== undefined && epoch >= activeEpoch);
    const records = (await Promise.all(failovers.map(({ runId }) => ports.fences.fences(runId)))).flat();
    const targets = (await ports.runs.runMembers(run.runId)).map(targetOf);
    const since = (await ports.runs.steps(run.runId)).find(({ name }) => name === STEP)?.startedAt ?? tools.now();
    let open: readonly string[];
    try {
      const { project, sourceRegion } = config;
      open = await releaseOldSide({ fencing, project, sourceRegion, runId: run.runId, epoch: run.epoch ?? 0, targets, records, confirm }, ports, tools);
    } catch (error) {
      if (!isRefused(error)) throw error;
      const final = error.kind === 'invalid' || error.kind === 'denied';
      if (final) throw new RunFailed('ReleaseFailed', `What fencing did cannot be undone: ${error.message}`);
      open = [error.message];
    }
    if (open.length === 0) return { ...DONE, detail: `${targets.length} machines released` };
    if ((Date.parse(tools.now()) - Date.parse(since)) / 1000 > LIMIT_SECONDS) {
      throw new RunFailed('ReleaseFailed', `What fencing did is not undone after ${LIMIT_SECONDS} s: ${listed(open)}`);
    }
    return { done: false, waitSeconds: WAIT_SECONDS };
  });
}
