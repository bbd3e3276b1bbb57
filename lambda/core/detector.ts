import { incidentId } from './ids';
import { inMaintenance, type MaintenanceWindowConfig } from './maintenance';
import { secondsBetween } from './time';

/** `unknown`: the signal could not be read, which says something about the observer or about the observed. */
export type SignalStatus = 'healthy' | 'unhealthy' | 'unknown';

/** What one signal showed at one time. */
export interface Observation {
  readonly signal: string;
  readonly status: SignalStatus;
  readonly at: string;
  /** For people. */
  readonly detail: string;
}

export type DecisionKind = 'automatic' | 'approval' | 'notify';

/** When a failure is one, and what follows from it. */
export interface DetectionPolicy {
  readonly project: string;
  /** `project`, or the endpoints that the detector watches. */
  readonly scope: string;
  /** Names of the signals that count. */
  readonly signals: readonly string[];
  /** Signals that must show a failure at the same time. */
  readonly quorum: number;
  /** Unhealthy observations in a row after which a signal shows a failure. */
  readonly consecutiveFailures: number;
  /** Healthy observations in a row after which it has recovered. */
  readonly recoveryAfter: number;
  /** What an unknown observation counts as. `ignored`: as if it had not been made. */
  readonly unknown: 'healthy' | 'unhealthy' | 'ignored';
  readonly mode: DecisionKind;
  readonly maintenanceWindows: readonly MaintenanceWindowConfig[];
  /** Most automatic decisions in a period; beyond it people are told instead. @default no limit */
  readonly maxActions?: { readonly count: number; readonly seconds: number };
  /** Time after a decision in which there is no other. */
  readonly cooldownSeconds: number;
  /** An evaluation that comes sooner after the last is a repeated delivery: it must not count twice. */
  readonly spacingSeconds: number;
  /** After a longer silence of the detector what was in a row before is not in a row any more. */
  readonly gapSeconds: number;
}

/** How often in a row a signal was seen so; at most one of the counts is above 0. */
export interface SignalState {
  readonly failures: number;
  readonly healthy: number;
  readonly last: Observation;
}

export interface Decision {
  readonly incidentId: string;
  readonly kind: DecisionKind;
  readonly at: string;
  /** What the signals showed. */
  readonly seen: readonly Observation[];
  /** Why it is not of the policy's own kind. */
  readonly note?: string;
}

/** From the quorum on until enough signals have recovered. */
export interface Incident {
  readonly id: string;
  readonly openedAt: string;
  /** Those that showed a failure at any time of it. */
  readonly signals: readonly string[];
  /** Once there is one, there is no other for this incident. */
  readonly decision?: Decision;
  /** What came of the decision. Until it is set the decision is given again, always the same. */
  readonly acted?: { readonly at: string; readonly outcome: string };
  /** Why nothing is decided yet. */
  readonly heldBy?: string;
}

export interface DetectorState {
  readonly version: number;
  /** Time of the last evaluation. */
  readonly at?: string;
  readonly signals: Readonly<Record<string, SignalState>>;
  readonly incident?: Incident;
  readonly lastDecisionAt?: string;
  /** Times of automatic decisions within the period of `maxActions`. */
  readonly actions: readonly string[];
}

export const INITIAL_STATE: DetectorState = { version: 0, signals: {}, actions: [] };

export interface Situation {
  readonly now: string;
  /** Why a failover would make no sense now, e.g. since the recovery side is active already. */
  readonly standby?: string;
}

export interface Evaluation {
  /** The very state that was given when the evaluation came too soon. */
  readonly state: DetectorState;
  /** To be acted upon now. */
  readonly decision?: Decision;
}

/**
 * One evaluation. An incident opens when a quorum of signals shows a failure at the same time, gets at most one decision, and
 * closes when so many of its signals have recovered that no quorum of them is left.
 */
export function decide(state: DetectorState, observations: readonly Observation[], policy: DetectionPolicy, { now, standby }: Situation): Evaluation {
  if (isRepeated(state, policy, now)) return { state };
  const silent = state.at !== undefined && wasSilent(state.at, policy, now);
  const maintenance = inMaintenance(policy.maintenanceWindows, now);
  const signals = counted(silent ? {} : state.signals, observations, policy, { now, maintenance });
  const down = policy.signals.filter((name) => (signals[name]?.failures ?? 0) >= policy.consecutiveFailures);
  const actions = state.actions.filter((at) => policy.maxActions !== undefined && secondsBetween(at, now) < policy.maxActions.seconds);
  const next: DetectorState = { ...state, version: state.version + 1, at: now, signals, actions, incident: incidentAfter(state, signals, down, policy, now) };
  return decided(next, down, policy, { now, standby, maintenance });
}

/** Whether an evaluation has just been; the schedule may deliver twice. */
export function isRepeated({ at }: DetectorState, policy: DetectionPolicy, now: string): boolean {
  return at !== undefined && !wasSilent(at, policy, now) && secondsBetween(at, now) < policy.spacingSeconds;
}

/** A clock that was far ahead is silence too. */
function wasSilent(at: string, { gapSeconds }: DetectionPolicy, now: string): boolean {
  return Math.abs(secondsBetween(at, now)) > gapSeconds;
}

/** Notes what came of a decision, after which it is not given again. */
export function acted(state: DetectorState, decision: Decision, outcome: string, at: string): DetectorState {
  if (state.incident?.decision?.incidentId !== decision.incidentId) return state;
  return { ...state, version: state.version + 1, incident: { ...state.incident, acted: { at, outcome } } };
}

/** In maintenance nothing adds up to a failure: after it, the failure must show anew. Recovery is always seen. */
function counted(
  before: DetectorState['signals'], observations: readonly Observation[], policy: DetectionPolicy, { now, maintenance }: { now: string; maintenance: boolean },
): Record<string, SignalState> {
  const observed = new Map(observations.map((observation) => [observation.signal, observation]));
  return Object.fromEntries(policy.signals.map((name) => {
    const last = observed.get(name) ?? { signal: name, status: 'unknown', at: now, detail: 'not observed' };
    const { failures = 0, healthy = 0 } = before[name] ?? {};
    switch (meaning(last.status, policy)) {
      case 'healthy': return [name, { failures: 0, healthy: healthy + 1, last }];
      case 'unhealthy': return [name, { failures: maintenance ? 0 : failures + 1, healthy: 0, last }];
      case 'ignored': return [name, { failures: maintenance ? 0 : failures, healthy, last }];
    }
  }));
}

function meaning(status: SignalStatus, { unknown }: DetectionPolicy): DetectionPolicy['unknown'] {
  return status === 'unknown' ? unknown : status;
}

/** The incident that is open now. */
function incidentAfter({ incident }: DetectorState, signals: DetectorState['signals'], down: readonly string[], policy: DetectionPolicy, now: string): Incident | undefined {
  if (incident === undefined) {
    return down.length < policy.quorum ? undefined : { id: incidentId(policy.project, policy.scope, now), openedAt: now, signals: down };
  }
  const involved = policy.signals.filter((name) => incident.signals.includes(name) || down.includes(name));
  const left = involved.filter((name) => (signals[name]?.healthy ?? 0) < policy.recoveryAfter);
  return left.length < policy.quorum ? undefined : { ...incident, signals: involved };
}

function decided(state: DetectorState, down: readonly string[], policy: DetectionPolicy, given: Situation & { readonly maintenance: boolean }): Evaluation {
  const { incident } = state;
  if (incident === undefined || incident.acted !== undefined) return { state };
  const heldBy = hold(state, down, policy, given);
  if (heldBy !== undefined) return { state: { ...state, incident: { ...incident, heldBy } } };
  // Decided before and not acted upon since the detector was killed: the same decision, under the same id.
  const decision = incident.decision ?? newDecision(state, incident, policy, given.now);
  if (incident.decision !== undefined) return { state: { ...state, incident: { ...incident, heldBy: undefined } }, decision };
  const actions = decision.kind === 'automatic' && policy.maxActions ? [...state.actions, decision.at] : state.actions;
  return { state: { ...state, actions, lastDecisionAt: decision.at, incident: { ...incident, decision, heldBy: undefined } }, decision };
}

/** Why nothing may be decided, or done, now. */
function hold({ lastDecisionAt, incident }: DetectorState, down: readonly string[], policy: DetectionPolicy, { now, standby, maintenance }: Situation & { readonly maintenance: boolean }): string | undefined {
  if (maintenance) return 'a maintenance window is open';
  if (down.length < policy.quorum) return `${down.length} of ${policy.quorum} signals show a failure at the same time`;
  if (standby !== undefined) return standby;
  const cooled = lastDecisionAt === undefined ? Infinity : secondsBetween(lastDecisionAt, now);
  if (incident?.decision === undefined && cooled < policy.cooldownSeconds) return `the last decision was at ${lastDecisionAt}, less than ${policy.cooldownSeconds} s ago`;
  return undefined;
}

function newDecision({ signals, actions }: DetectorState, { id }: Incident, policy: DetectionPolicy, now: string): Decision {
  const seen = policy.signals.flatMap((name) => signals[name]?.last ?? []);
  const decision: Decision = { incidentId: id, kind: policy.mode, at: now, seen };
  const { maxActions } = policy;
  if (policy.mode !== 'automatic' || maxActions === undefined || actions.length < maxActions.count) return decision;
  return { ...decision, kind: 'notify', note: `${actions.length} automatic actions in ${maxActions.seconds} s are the most that the policy allows` };
}
