import type { RunConfig } from '../../core/config';
import type { RunRecord } from '../../core/model';
import { isRefused, messageOf } from '../../adapters/errors';
import type { RunStore } from '../../adapters/ports/catalogue';
import type { LeaseStore } from '../../adapters/ports/lease';
import type { RecoveryMachines, RootReplacement } from '../../adapters/ports/recovery-machines';
import type { OldMachine, SourceFence } from '../../adapters/ports/source-fence';
import type { Tools } from '../../runtime/tools';
import { confirmEpoch } from '../lease';
import { DONE, listed, RunFailed, runRecord, timed, type RunRef, type StepResult } from '../run';
import { reopen } from './reopen';
import { failbackOf, hasSwitched, isStopped, newestOf, originalId, recoveredSide, secondsInStep, shown, startedFor, stopAll, type Changing, type Recovered } from './sides';
import { switchBack } from './switch';
import { DRAIN_STEP } from './sync';

export interface DrainInput {
  readonly config: RunConfig;
  readonly run: RunRef;
  /** `drain`: the recovered machines stop. `switch`: the source side becomes the active one. `reopen`: the recovered machines start again. */
  readonly phase: 'drain' | 'switch' | 'reopen';
}

export interface DrainPorts {
  readonly runs: RunStore;
  readonly leases: LeaseStore;
  /** In the recovery Region. */
  readonly machines: Pick<RecoveryMachines, 'machinesWithTags'>;
  readonly roots: Pick<RootReplacement, 'stop' | 'start' | 'tag'>;
  /** In the source Region. */
  readonly source: Pick<SourceFence, 'machines' | 'machinesWithTags' | 'stop'>;
  readonly sourceTags: Pick<RootReplacement, 'tag'>;
}

const WAIT_SECONDS = 5;

export function drain(input: DrainInput, ports: DrainPorts, tools: Tools): Promise<StepResult> {
  switch (input.phase) {
    case 'drain': return stopRecovered(input, ports, tools);
    case 'switch': return switchBack(input, ports, tools);
    case 'reopen': return reopen(input, ports, tools);
  }
}

/** Stops the recovered machines, and sees them stopped: from then on nothing writes anywhere. */
function stopRecovered(input: DrainInput, ports: DrainPorts, tools: Tools): Promise<StepResult> {
  return timed(DRAIN_STEP, input, ports.runs, tools, async () => {
    const confirm = (): Promise<void> => confirmEpoch(input.run, ports.leases);
    await confirm();
    const { runId } = input.run;
    if (hasSwitched(await ports.leases.lease(), runId)) return DONE;
    const record = await runRecord(ports.runs, runId);
    const step = (await ports.runs.steps(runId)).find(({ name }) => name === DRAIN_STEP);
    const { drainTimeoutSeconds } = failbackOf(input.config);
    const seconds = secondsInStep(step?.startedAt ?? tools.now(), record, tools);
    const changing: Changing = { force: seconds >= drainTimeoutSeconds / 2, confirm, refusals: new Map() };
    const recovered = await recoveredSide(record.project, ports.machines);
    checkComplete(record, recovered);
    try {
      // The source side first: what stands in the way there must not cost a stop of the service.
      const open = [...await stopSource(record, ports, changing), ...await stopAll(recovered, (id, force) => ports.roots.stop(id, force), changing)];
      if (open.length === 0) return { ...DONE, detail: `${recovered.length} machines stopped${changing.force ? ', by force where they did not by themselves' : ''}` };
      // Somebody has started them since: what was copied meanwhile is not the last.
      if (step?.outcome === 'SUCCEEDED') await ports.runs.endStep({ runId, name: DRAIN_STEP, startedAt: step.startedAt, detail: 'begun again: machines had been started' });
      if (seconds > drainTimeoutSeconds) {
        throw new RunFailed('DrainFailed', `Not stopped after ${drainTimeoutSeconds} s, though by force: ${listed(open.map((machine) => shown(machine, changing.refusals)))}.`);
      }
    } catch (error) {
      if (!isRefused(error)) throw error;
      if (!isRefused(error, 'unreachable', 'throttled') || seconds > drainTimeoutSeconds) throw new RunFailed('DrainFailed', `The recovery side cannot be drained: ${messageOf(error)}`);
      tools.log.warn('Drain delayed', { run: runId, reason: error.message });
    }
    return { done: false, waitSeconds: WAIT_SECONDS };
  });
}

/** A recovered machine that is gone has taken with it what was written since its last copy. */
function checkComplete({ waves, ends }: RunRecord, recovered: readonly Recovered[]): void {
  const there = new Set(newestOf(recovered, ends?.epoch ?? 0).map(({ memberId }) => memberId));
  const gone = waves.flat().filter((id) => !there.has(id));
  if (gone.length > 0) throw new RunFailed('DrainFailed', `The recovered machine of ${listed(gone)} is terminated: its last state cannot be brought back. Begin a new failback for what is left.`);
}

/** What this run has started itself, before it was interrupted, goes on; what anybody else has started must not. */
async function stopSource(record: RunRecord, { runs, source }: DrainPorts, changing: Changing): Promise<OldMachine[]> {
  const [members, steps] = await Promise.all([runs.runMembers(record.runId), runs.steps(record.runId)]);
  const drained = steps.find(({ name, outcome }) => name === DRAIN_STEP && outcome === 'SUCCEEDED')?.endedAt;
  const own = new Set(members.flatMap((member) => startedFor(member, steps) ?? []));
  const open = (await source.machines(record.waves.flat().map(originalId)))
    .filter((machine) => !isStopped(machine) && !(own.has(machine.instanceId) && drained !== undefined && (machine.launchTime ?? '') >= drained));
  if (open.length === 0) return [];
  if (record.discardSource !== undefined) return stopAll(open, (id, force) => source.stop([id], force), changing);
  throw new RunFailed('DrainFailed', `Machines of the source side run, and may be writing: ${listed(open.map((machine) => shown(machine)))}. Stop them; what they have written since the failover is not carried on.`);
}
