/** Who may use a quota next. Times are milliseconds since 1970. */

/** A quota that refills steadily, as EC2's request buckets do. A value: `take` gives back the bucket after it. */
export interface TokenBucket {
  readonly capacity: number;
  readonly refillPerSecond: number;
  readonly tokens: number;
  /** When `tokens` was right. */
  readonly at: number;
}

/** Refilling in fractions must not leave 0.9999999 where a token was earned. */
const ROUNDING = 1e-9;

/** A full bucket. */
export function bucket(capacity: number, refillPerSecond: number, now: number): TokenBucket {
  return { capacity, refillPerSecond, tokens: capacity, at: now };
}

/**
 * Takes up to `n` whole tokens. `waitSeconds` is how long until the rest (or a full bucket, where the rest is more) is there;
 * 0 when all were granted.
 */
export function take(from: TokenBucket, now: number, n: number): { bucket: TokenBucket; granted: number; waitSeconds: number } {
  const at = Math.max(now, from.at);
  const tokens = Math.min(from.capacity, from.tokens + ((at - from.at) / 1000) * from.refillPerSecond);
  const granted = Math.min(n, Math.floor(tokens + ROUNDING));
  const left = Math.max(0, tokens - granted);
  const rest = Math.min(n - granted, from.capacity);
  const waitSeconds = rest <= 0 ? 0 : Math.max(0, rest - left) / from.refillPerSecond;
  return { bucket: { ...from, tokens: left, at }, granted, waitSeconds };
}

/** A disk's snapshot that waits to be copied. */
export interface WaitingCopy {
  readonly pointId: string;
  readonly sourceVolumeId: string;
  /** When the member's RPO is broken unless a newer point is complete. */
  readonly deadline: number;
  readonly sizeGiB: number;
  /** Another disk of the point was copied already. A point with a copy in progress counts as begun without this. */
  readonly begun?: boolean;
  /** EC2 refused it lately; not to be tried again before. */
  readonly notBefore?: number;
}

export interface AdmissionRequest<T extends WaitingCopy = WaitingCopy> {
  /** Among equals, what comes first here goes first. */
  readonly waiting: readonly T[];
  readonly inProgress: readonly { readonly pointId: string }[];
  /** Copies that may be in progress at once. */
  readonly limit: number;
  readonly now: number;
}

/**
 * The copies to start now: as many as there are free slots, earliest deadline first, which meets every deadline that
 * can be met when copies take equally long and otherwise keeps the worst delay smallest. Among points with the same
 * deadline those already begun come first, then those whose whole set still fits: only a whole set is worth something.
 * A slot is never left free while a copy waits.
 */
export function admitCopies<T extends WaitingCopy>({ waiting, inProgress, limit, now }: AdmissionRequest<T>): T[] {
  const slots = limit - inProgress.length;
  const copying = new Set(inProgress.map((copy) => copy.pointId));
  const sets = new Map<string, { deadline: number; begun: boolean; copies: T[] }>();
  for (const copy of waiting) {
    if (copy.notBefore !== undefined && copy.notBefore > now) continue;
    const key = `${copy.deadline}/${copy.pointId}`;
    const set = sets.get(key) ?? { deadline: copy.deadline, begun: false, copies: [] };
    sets.set(key, { ...set, begun: set.begun || copy.begun === true || copying.has(copy.pointId), copies: [...set.copies, copy] });
  }
  const byDeadline = [...sets.values()].sort((a, b) => a.deadline - b.deadline || Number(b.begun) - Number(a.begun));
  const admitted: T[] = [];
  while (byDeadline.length > 0 && admitted.length < slots) {
    const [first] = byDeadline;
    const free = slots - admitted.length;
    const equals = byDeadline.filter((set) => set.deadline === first?.deadline && set.begun === first.begun);
    const chosen = equals.find((set) => set.copies.length <= free) ?? first;
    if (chosen === undefined) break;
    admitted.push(...chosen.copies.slice(0, free));
    byDeadline.splice(byDeadline.indexOf(chosen), 1);
  }
  return admitted;
}
