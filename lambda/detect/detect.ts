import type { DetectConfig, DetectorConfig } from '../core/detection-config';
import { acted, decide, INITIAL_STATE, isRepeated, type DetectorState, type Observation } from '../core/detector';
import { ConflictError } from '../adapters/errors';
import type { DetectorStore } from '../adapters/ports/detection';
import type { LeaseStore } from '../adapters/ports/lease';
import type { Executions } from '../adapters/ports/services';
import type { Tools } from '../runtime/tools';
import { act, type ActPorts } from './act';
import { observe, type ObservePorts } from './observe';

export interface DetectPorts extends ObservePorts, ActPorts {
  readonly detectors: DetectorStore;
  readonly leases: Pick<LeaseStore, 'lease'>;
  readonly executions: Pick<Executions, 'isRunning'>;
}

export interface DetectResult {
  readonly name: string;
  /** `repeated`: an evaluation has just been; `superseded`: another one was at work at the same time. */
  readonly outcome: 'evaluated' | 'repeated' | 'superseded';
  readonly unhealthy: readonly string[];
  readonly unknown: readonly string[];
  readonly incident?: string;
  readonly heldBy?: string;
  /** What came of a decision in this evaluation. */
  readonly action?: string;
}

/** One look at all signals of all detectors. A detector that fails does not keep the others from their work. */
export async function detect({ config }: { readonly config: DetectConfig }, ports: DetectPorts, tools: Tools): Promise<DetectResult[]> {
  const ended = await Promise.allSettled(config.detectors.map((detector) => evaluate(config, detector, ports, tools)));
  const results = ended.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failures: unknown[] = ended.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  tools.metrics([
    { name: 'UnhealthySignals', value: results.reduce((sum, { unhealthy }) => sum + unhealthy.length, 0), unit: 'Count' },
    { name: 'UnknownSignals', value: results.reduce((sum, { unknown }) => sum + unknown.length, 0), unit: 'Count' },
    // Silence is what the alarm listens for: a detector that could not do its work must not sound as if it had.
    ...(failures.length === 0 ? [{ name: 'DetectorRuns', value: 1, unit: 'Count' } as const] : []),
  ]);
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new AggregateError(failures, failures.map(String).join('; '));
  return results;
}

async function evaluate(config: DetectConfig, detector: DetectorConfig, ports: DetectPorts, tools: Tools): Promise<DetectResult> {
  const { policy, name } = detector;
  const now = tools.now();
  const stored = await ports.detectors.detector(policy.scope) ?? INITIAL_STATE;
  if (isRepeated(stored, policy, now)) return { name, outcome: 'repeated', unhealthy: [], unknown: [] };
  const [standby, observations] = await Promise.all([
    standbyReason(ports),
    Promise.all(detector.signals.map((signal) => observe(signal, ports, config.project, now))),
  ]);
  const { state, decision } = decide(stored, observations, policy, { now, standby });
  report(name, stored, state, tools);
  if (!await saved(policy.scope, state, stored, ports)) return { ...resultOf(name, state, observations), outcome: 'superseded' };
  if (decision === undefined) return resultOf(name, state, observations);
  const action = await act(config, detector, decision, ports, tools);
  tools.log.warn('A decision was carried out', { detector: name, incident: decision.incidentId, kind: decision.kind, action });
  await saved(policy.scope, acted(state, decision, action, tools.now()), state, ports);
  return { ...resultOf(name, state, observations), action };
}

/** False when another evaluation was faster: its decision counts. */
async function saved(scope: string, next: DetectorState, read: DetectorState, { detectors }: DetectPorts): Promise<boolean> {
  try {
    await detectors.saveDetector(scope, next, read.version);
    return true;
  } catch (error) {
    if (error instanceof ConflictError) return false;
    throw error;
  }
}

/** A failover makes no sense while one is under way or done. */
async function standbyReason({ leases, executions }: DetectPorts): Promise<string | undefined> {
  const { active, holder } = await leases.lease();
  if (active === 'recovery') return 'the recovery side is active';
  // A run that died holds the lease still; the next one may replace it.
  return holder !== undefined && await executions.isRunning(holder.executionArn) ? `recovery run ${holder.runId} is under way` : undefined;
}

function resultOf(name: string, { incident }: DetectorState, observations: readonly Observation[]): DetectResult {
  const named = (status: Observation['status']): string[] => observations.filter((one) => one.status === status).map(({ signal }) => signal);
  return { name, outcome: 'evaluated', unhealthy: named('unhealthy'), unknown: named('unknown'), incident: incident?.id, heldBy: incident?.heldBy };
}

/** What people look for in the log: incidents, and signals that changed. */
function report(name: string, before: DetectorState, after: DetectorState, { log }: Tools): void {
  if (before.incident?.id !== after.incident?.id) {
    if (before.incident) log.info('Incident closed', { detector: name, incident: before.incident.id });
    if (after.incident) log.warn('Incident opened', { detector: name, incident: after.incident.id, heldBy: after.incident.heldBy });
  }
  for (const { last } of Object.values(after.signals)) {
    const changed = before.signals[last.signal]?.last.status !== last.status;
    if (changed && last.status !== 'healthy') log.warn('Signal changed', { detector: name, ...last });
    else if (changed) log.info('Signal changed', { detector: name, ...last });
  }
}
