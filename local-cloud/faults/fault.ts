/**
 * What goes wrong. `throttle` and `error` answer as the service does when it throttles or fails; the work is not done.
 * `timeout` never answers and does not do the work. `drop-answer` does the work, then closes the connection without an answer.
 * `duplicate` does the work twice, one after the other, and gives the second answer, as when a network delivers a request again.
 * `slow` does the work late. `kill-caller` ends the process of the function that calls, before or after the work is done; other callers are spared.
 * `refuse-region` cuts this call off and refuses its whole Region from then on, until `restoreRegion` or `clear`.
 */
export type FaultKind = 'throttle' | 'error' | 'timeout' | 'drop-answer' | 'duplicate' | 'kill-caller' | 'slow' | 'refuse-region';

/** Which calls a fault strikes, and how often. Without a filter it strikes every call. */
export interface FaultSpec {
  readonly kind: FaultKind;
  readonly region?: string;
  readonly service?: string;
  readonly operation?: string;
  /** As the call log names it, e.g. `function:my-function`; or what it must match. */
  readonly principal?: string | RegExp;
  /** The first matching call that is struck, counted from 1. @default 1 */
  readonly nth?: number;
  /** How many calls are struck. @default 1, or without limit when there is a seed */
  readonly times?: number;
  /** `kill-caller`: whether the work is done first. @default after */
  readonly when?: 'before' | 'after';
  /** `slow`: how late. @default 2000 */
  readonly delayMs?: number;
  /** Strikes matching calls at random, but the same ones for the same seed and order of calls. */
  readonly seed?: number;
  /** With a seed: the share of matching calls that is struck. @default 0.2 */
  readonly probability?: number;
}

/** An injected fault. */
export interface FaultHandle {
  /** How many calls it has struck. */
  readonly hits: number;
  remove(): void;
}

export interface FaultTarget {
  readonly region: string;
  readonly service: string;
  readonly operation: string;
  readonly principal: string;
  /** Whether the caller is a function, whose process can be ended. */
  readonly killable: boolean;
}

/** mulberry32: numbers from 0 to below 1; small, seeded, good enough to choose calls. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A fault and what it has seen so far. */
export class Fault implements FaultHandle {
  public hits = 0;
  private seen = 0;
  private readonly random?: () => number;

  public constructor(public readonly spec: FaultSpec, private readonly onRemove: (fault: Fault) => void) {
    if (spec.seed !== undefined) this.random = generator(spec.seed);
  }

  public remove(): void {
    this.onRemove(this);
  }

  /** Whether it strikes this call; each question about a matching call counts. */
  public strikes(target: FaultTarget): boolean {
    const { kind, region, service, operation, principal, nth = 1, times = this.random ? Infinity : 1, probability = 0.2 } = this.spec;
    if (principal instanceof RegExp && !principal.test(target.principal)) return false;
    const wanted = { region, service, operation, principal: principal instanceof RegExp ? undefined : principal };
    for (const [member, value] of Object.entries(wanted)) {
      if (value !== undefined && target[member as keyof FaultTarget] !== value) return false;
    }
    if (kind === 'kill-caller' && !target.killable) return false;
    this.seen += 1;
    if (this.seen < nth || this.hits >= times) return false;
    if (this.random && this.random() >= probability) return false;
    this.hits += 1;
    return true;
  }
}
