import type { FenceGuardConfig } from '../core/config';
import type { FencingConfig } from '../core/fencing';
import { fencedLater, guarded, StaleEpoch, type Lease } from '../core/lease';
import type { RunRecord } from '../core/model';
import type { RunStore } from '../adapters/ports/catalogue';
import type { Notifications } from '../adapters/ports/detection';
import type { LeaseStore } from '../adapters/ports/lease';
import type { FencePorts } from '../fencing/actions';
import { fenceOldSide, type FenceState } from '../fencing/fence';
import { stopReplaced, stopSuperseded, type SupersededPorts } from '../fencing/superseded';
import { targetOf } from '../run/fence';
import type { Tools } from '../runtime/tools';

export interface FenceGuardPorts extends FencePorts, SupersededPorts {
  readonly runs: RunStore;
  readonly leases: LeaseStore;
  readonly notifications: Notifications;
}

export interface FenceGuardResult {
  /** `idle`: there is no old side to watch. */
  readonly state: 'idle' | 'unreachable' | 'pending' | 'fenced';
  readonly acted: readonly string[];
}

/**
 * While the recovery side is active: as soon as a source Region that was unreachable answers, its machines are fenced,
 * before anything else is done with it, and the operator is told. Later it looks after machines that somebody started again.
 * It never touches the source while that side is active: it reads the lease before each act, and runs a minute at most.
 */
export async function guardFence({ config }: { readonly config: FenceGuardConfig }, ports: FenceGuardPorts, tools: Tools): Promise<FenceGuardResult> {
  const lease = await ports.leases.lease();
  if (isBack(lease)) return guardReplaced(lease, config, ports);
  if (!guarded(lease)) return { state: 'idle', acted: [] };
  const confirm = confirming(lease, ports.leases);
  const late = await stopSuperseded(config.project, ports, confirm);
  if (late.length > 0) {
    await tell(config, ports, 'machines of an older run stopped', `Machines of an older epoch ran beside newer ones of the same members and were stopped: ${late.join(', ')}.`);
  }
  const states = await fenceAll(lease, config, ports, tools, confirm);
  const records = states.flatMap((state) => state.records);
  const acted = [...new Set(states.flatMap((state) => state.acted))];
  if (acted.length > 0) {
    await tell(config, ports, 'the old side runs and is being fenced', `The source Region ${config.sourceRegion} answers, and machines of the old side run though the recovery side is active. They are being fenced: ${acted.join(', ')}.`);
  }
  if (states.some(({ pending }) => pending > 0)) return { state: 'pending', acted };
  const failed = records.filter(({ outcome }) => outcome === 'failed');
  if (failed.length > 0) throw new Error(`The old side cannot be fenced: ${failed.map(({ memberId, detail }) => `${memberId}: ${detail}`).join('; ')}`);
  if (records.some(({ outcome }) => outcome === 'unreachable')) return { state: 'unreachable', acted };
  await settle(lease, config, ports, tools);
  return { state: 'fenced', acted };
}

/** A failback has made the source the active side again, and no run is at work. */
function isBack({ active, activeEpoch, holder }: Lease): boolean {
  return active === 'source' && activeEpoch !== undefined && holder === undefined;
}

/** The recovered machines are kept, stopped: one that somebody starts would write beside the source. */
async function guardReplaced(lease: Lease, config: FenceGuardConfig, ports: FenceGuardPorts): Promise<FenceGuardResult> {
  const acted = await stopReplaced(config.project, ports, async () => {
    const now = await ports.leases.lease();
    if (!isBack(now) || now.activeEpoch !== lease.activeEpoch) throw new StaleEpoch('The fence guard stands down: which side is active has changed, or is about to.');
  });
  if (acted.length > 0) {
    await tell(config, ports, 'replaced machines stopped', `The source side is active since ${lease.activeSince ?? '?'}, and machines that the failback has replaced ran in ${config.recoveryRegion}. They were stopped: ${acted.join(', ')}.`);
  }
  return { state: acted.length > 0 ? 'pending' : 'idle', acted };
}

/** The right to act: still the same activation, and no run that may be about to end it. */
function confirming({ activeEpoch }: Lease, leases: LeaseStore): () => Promise<void> {
  return async () => {
    const now = await leases.lease();
    if (!guarded(now) || now.activeEpoch !== activeEpoch) throw new StaleEpoch('The fence guard stands down: which side is active has changed, or is about to.');
  };
}

/** The members of every failover since the recovery side became active. */
async function fenceAll(lease: Lease, config: FenceGuardConfig, ports: FenceGuardPorts, tools: Tools, confirm: () => Promise<void>): Promise<FenceState[]> {
  const fencing = duty(config.fencing, lease);
  const states: FenceState[] = [];
  if (fencing.actions.length === 0) return states;
  const failovers = (await ports.runs.runs()).filter(({ mode, oldSide, epoch = 0 }) => mode === 'failover' && oldSide !== undefined && epoch >= (lease.activeEpoch ?? 0));
  for (const { runId, epoch = 0 } of failovers) {
    const targets = (await ports.runs.runMembers(runId)).map(targetOf);
    const { project, sourceRegion } = config;
    states.push(await fenceOldSide({ fencing, project, sourceRegion, runId, epoch, targets, since: tools.now(), watch: true, confirm }, ports, tools));
  }
  return states;
}

/**
 * Once the old side is fenced, all that can change is that somebody starts or re-groups a machine: roles and the user's own
 * functions are not asked each minute. Without a time limit: what is not verified now is looked at by the next call.
 */
function duty(fencing: FencingConfig, { oldSide }: Lease): FencingConfig {
  const actions = oldSide === 'unreachable' ? fencing.actions : fencing.actions.filter(({ kind }) => kind === 'stop' || kind === 'isolate');
  return { ...fencing, actions, timeoutSeconds: Number.MAX_SAFE_INTEGER };
}

/** Told first and noted then: a guard that is killed between the two tells twice rather than never. */
async function settle(lease: Lease, config: FenceGuardConfig, ports: FenceGuardPorts, tools: Tools): Promise<void> {
  if (lease.oldSide !== 'unreachable') return;
  await tell(config, ports, 'the old side is fenced', `The old side in ${config.sourceRegion}, unreachable when run ${lease.activeBy ?? ''} failed over (accepted by ${lease.acceptedBy ?? 'nobody'}), is fenced now and verified. Nothing of it writes. Fail back when you are ready.`);
  const current = await ports.leases.lease();
  const next = fencedLater(current, lease.activeEpoch ?? 0, 'fence-guard', tools.now());
  if (next === undefined || !await ports.leases.saveLease(next, current)) return;
  await noteRun(await ports.runs.run(lease.activeBy ?? ''), ports.runs);
  tools.log.warn('Old side fenced after it was unreachable', { project: config.project, run: lease.activeBy });
}

async function noteRun(run: RunRecord | undefined, runs: RunStore): Promise<void> {
  if (run !== undefined && run.status !== 'RUNNING') await runs.saveRun({ ...run, oldSide: 'fenced' }, run);
}

async function tell({ project, topicArn }: FenceGuardConfig, { notifications }: FenceGuardPorts, what: string, message: string): Promise<void> {
  if (topicArn !== undefined) await notifications.publish(topicArn, `Disaster recovery ${project}: ${what}`, message);
}
