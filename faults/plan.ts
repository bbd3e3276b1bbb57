import { generator, type FaultSpec } from '../local-cloud/faults/fault';
import type { CallRecord } from '../local-cloud/gateway/call-log';

/** One call of the recorded sequence: the `nth` of this operation that this caller makes. */
export interface RecordedCall {
  /** As the call log names it, without the ends that CloudFormation makes up. */
  readonly principal: string;
  readonly region: string;
  readonly service: string;
  readonly operation: string;
  readonly nth: number;
}

/** What one phase does when nothing goes wrong. */
export interface Recording {
  readonly phase: string;
  readonly calls: readonly RecordedCall[];
  /** Names of the states entered, each once. */
  readonly states: readonly string[];
}

/** What goes wrong in one try: a fault at one call, or the execution stopped in one state. */
export type Disturbance =
  | { readonly kind: 'fault'; readonly name: string; readonly call: RecordedCall; readonly spec: FaultSpec }
  | { readonly kind: 'stop'; readonly name: 'stop execution'; readonly state: string };

export interface Try {
  readonly phase: string;
  readonly what: Disturbance;
}

/** Callers whose calls are disturbed; operators are not. */
export const OF_PROJECT = /^(function|state-machine|rule|schedule):/;

/** The SDK gives up after five attempts, and the step fails. */
const SDK_ATTEMPTS = 5;

type Variant = readonly [name: string, spec: Pick<FaultSpec, 'kind' | 'when' | 'times' | 'delayMs'>];

const EVERY_CALL: readonly Variant[] = [
  ['throttled', { kind: 'throttle' }],
  ['error 5xx', { kind: 'error' }],
  [`error 5xx ×${SDK_ATTEMPTS}`, { kind: 'error', times: SDK_ATTEMPTS }],
  ['Region refused', { kind: 'refuse-region' }],
  ['killed before', { kind: 'kill-caller', when: 'before' }],
];
/** Of a call that changes nothing these cannot be told from an error, or from a kill before the next call. */
const CHANGES: readonly Variant[] = [
  ['timed out', { kind: 'timeout' }],
  ['slow', { kind: 'slow', delayMs: 1500 }],
  ['answer lost', { kind: 'drop-answer' }],
  ['delivered twice', { kind: 'duplicate' }],
  ['killed after', { kind: 'kill-caller', when: 'after' }],
];
/** A state machine and a rule are no processes that could be killed, and Step Functions' own way of waiting for Lambda is not ours to disturb. */
const OF_SERVICES = new Set(['throttled', 'error 5xx', 'slow', 'delivered twice']);

/** E.g. of `rule:Stack-Rule1A2B3C4D-0123456789AB`. */
const MADE_UP = /-[A-Z0-9]{12}$/;

const READS = /^(Describe|Get|List|Query|Scan|BatchGet)/;

/** Counts the calls of a log by caller and operation. */
export function recorded(calls: readonly CallRecord[]): RecordedCall[] {
  const counts = new Map<string, number>();
  return calls.filter(({ principal }) => OF_PROJECT.test(principal)).map(({ principal: label, region, service, operation }) => {
    const principal = label.replace(MADE_UP, '');
    const key = [principal, region, service, operation].join();
    const nth = (counts.get(key) ?? 0) + 1;
    counts.set(key, nth);
    return { principal, region, service, operation, nth };
  });
}

/** Every fault that applies to every recorded call, and a stop in every state. */
export function allTries({ phase, calls, states }: Recording): Try[] {
  const faults = calls.flatMap((call) => variantsFor(call).map(([name, spec]): Try => {
    const { principal, region, service, operation, nth } = call;
    return { phase, what: { kind: 'fault', name, call, spec: { ...spec, principal: pattern(principal), region, service, operation, nth } } };
  }));
  const stops = states.map((state): Try => ({ phase, what: { kind: 'stop', name: 'stop execution', state } }));
  return [...faults, ...stops];
}

function variantsFor({ principal, operation }: RecordedCall): readonly Variant[] {
  const all = READS.test(operation) ? EVERY_CALL : [...EVERY_CALL, ...CHANGES];
  return principal.startsWith('function:') ? all : all.filter(([name]) => OF_SERVICES.has(name));
}

function pattern(principal: string): RegExp {
  return new RegExp(`^${principal.replace(/[^\w:]/g, '\\$&')}(${MADE_UP.source.slice(0, -1)})?$`);
}

/** What a try covers: another try is the more worth the less of this was covered before. */
function features({ phase, what }: Try): string[] {
  if (what.kind === 'stop') return [`${phase}/stop`, `${phase}/stop/${what.state}`];
  const { principal, operation } = what.call;
  return [`${phase}/${what.name}`, `${phase}/${principal}`, `${phase}/${principal}/${operation}`, `${operation}/${what.name}`];
}

/** All tries in an order of which every beginning is representative; the same for the same seed. */
export function sampled(tries: readonly Try[], seed: number): Try[] {
  const random = generator(seed);
  // Calls that are made at once are recorded in any order.
  const inOrder = [...tries].sort((a, b) => keyOf(a).localeCompare(keyOf(b)));
  const left = inOrder.map((one) => ({ one, chance: random(), features: features(one) })).sort((a, b) => a.chance - b.chance);
  const covered = new Map<string, number>();
  const order: Try[] = [];
  while (left.length > 0) {
    const worth = (candidate: { features: string[] }) => candidate.features.reduce((sum, feature) => sum + 1 / (1 + (covered.get(feature) ?? 0)) ** 2, 0) / candidate.features.length;
    let best = 0;
    let most = -1;
    left.forEach((candidate, index) => {
      const value = worth(candidate);
      if (value > most) [best, most] = [index, value];
    });
    const [chosen] = left.splice(best, 1);
    if (!chosen) break;
    for (const feature of chosen.features) covered.set(feature, (covered.get(feature) ?? 0) + 1);
    order.push(chosen.one);
  }
  return order;
}

function keyOf(one: Try): string {
  const region = one.what.kind === 'fault' ? one.what.call.region : '';
  return [one.phase, describeTry(one), one.what.name, region].join();
}

/** In words, for the table. */
export function describeTry({ what }: Try): string {
  if (what.kind === 'stop') return `in state ${what.state}`;
  const { principal, service, operation, nth } = what.call;
  const caller = principal.replace(/^function:/, '').replace(/disaster-recovery-[a-z]+[-/]/, '').replace(/FaultsRecovery-Faults(\w+?)[0-9A-F]{8}$/, '$1');
  return `${caller} ${service}:${operation} #${nth}`;
}
