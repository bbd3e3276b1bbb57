import { judgeFencing, type FencingConfig } from '../../core/fencing';
import { Tag } from '../../core/tags';
import { fenceOldSide } from '../../fencing/fence';
import type { Tools } from '../../runtime/tools';
import { FENCE_STEP, targetOf, type FenceRunInput, type FenceRunPorts } from '../fence';
import { confirmEpoch } from '../lease';
import { RunFailed, runRecord, timed, type StepResult } from '../run';

const WAIT_SECONDS = 5;
/** Whatever the project's fencing: a machine that is replaced must not run beside its replacement. */
const STOP: FencingConfig = { actions: [{ kind: 'stop', forceAfterSeconds: 60 }], whenUnreachable: 'refuse', timeoutSeconds: 600, endpoints: [] };

/** The machines that are replaced are stopped, seen to be, and marked, so that nothing protects or starts them for what they were. */
export function fenceFailed(input: FenceRunInput, ports: FenceRunPorts, tools: Tools): Promise<StepResult> {
  const { config, run } = input;
  return timed(FENCE_STEP, input, ports.runs, tools, async () => {
    const confirm = (): Promise<void> => confirmEpoch(run, ports.leases);
    await confirm();
    const record = await runRecord(ports.runs, run.runId);
    const members = await ports.runs.runMembers(run.runId);
    const step = (await ports.runs.steps(run.runId)).find(({ name }) => name === FENCE_STEP);
    const { project, sourceRegion } = config;
    const { records, pending } = await fenceOldSide({
      fencing: STOP, project, sourceRegion, runId: run.runId, epoch: record.epoch ?? 0, targets: members.map(targetOf), since: step?.startedAt ?? tools.now(), confirm,
    }, ports, tools);
    if (pending > 0) return { done: false, waitSeconds: WAIT_SECONDS };
    const verdict = judgeFencing(STOP, records, undefined);
    if (!verdict.goOn) throw new RunFailed('FenceFailed', verdict.reason);
    const gone = new Set(records.filter(({ detail }) => detail.includes('does not have the machine')).map(({ memberId }) => memberId));
    const there = members.filter(({ memberId }) => !gone.has(memberId)).flatMap(({ replaces }) => replaces ?? []);
    const expiresAt = Math.floor(Date.parse(tools.now()) / 1000) + (config.repair?.keepReplacedSeconds ?? 0);
    if (there.length > 0) {
      await confirm();
      await ports.sourceTags.tag(there, { [Tag.PROJECT]: project, [Tag.REPLACED_BY]: run.runId, [Tag.EXPIRES_AT]: String(expiresAt) });
    }
    return { done: true, waitSeconds: 0, detail: `${there.length} machines stopped and kept until ${new Date(expiresAt * 1000).toISOString()}` };
  });
}
