import type { CutoverConfig, CutoverRecord } from '../../../lambda/core/cutover';
import { ConflictError } from '../../../lambda/adapters/errors';
import type { CutoverContext, CutoverKind, CutoverKinds, CutoverStore } from '../../../lambda/adapters/ports/cutover';

/** Rows of cutovers, with the conditions that the table's writes have. */
export class FakeCutovers implements CutoverStore {
  readonly rows = new Map<string, CutoverRecord>();

  cutovers(runId: string) {
    return Promise.resolve([...this.rows.values()].filter((row) => row.runId === runId).map((row) => structuredClone(row)));
  }

  saveCutover(next: CutoverRecord, read: CutoverRecord | undefined) {
    const key = `${next.runId}|${next.name}`;
    const stored = this.rows.get(key);
    if (stored?.status !== read?.status || stored?.attempt !== read?.attempt) return Promise.reject(new ConflictError(next.name));
    this.rows.set(key, structuredClone(next));
    return Promise.resolve();
  }
}

/** Traffic of each cutover goes to one side. Shows a change at the second look. */
export class FakeTraffic implements CutoverKind {
  readonly sides = new Map<string, string>();
  readonly events: string[] = [];
  readonly keys = new Set<string>();
  readonly contexts: CutoverContext[] = [];
  /** Throws what the service refuses the call with. */
  refuse: (name: string, call: 'before' | 'apply' | 'verify' | 'rollBack') => void = () => undefined;
  /** Changes of these are never seen. */
  readonly invisible = new Set<string>();
  private readonly looked = new Set<string>();

  before({ config: { name } }: CutoverContext) {
    return this.done(name, 'before', () => ({ side: this.side(name) }));
  }

  apply(context: CutoverContext) {
    const { name } = context.config;
    return this.done(name, 'apply', () => {
      this.contexts.push(context);
      this.keys.add(context.idempotencyKey);
      this.sides.set(name, 'recovery');
      return `change-of-${name}`;
    });
  }

  verify({ config: { name } }: CutoverContext, _before: unknown, handle: string | undefined) {
    return this.done(name, 'verify', () => {
      const seen = this.looked.has(name) && !this.invisible.has(name);
      this.looked.add(name);
      return { done: seen && this.side(name) === 'recovery' && handle === `change-of-${name}`, detail: `traffic goes to ${this.side(name)}` };
    });
  }

  rollBack({ config: { name } }: CutoverContext, before: unknown) {
    return this.done(name, 'rollBack', () => {
      this.sides.set(name, (before as { side: string }).side);
      return { done: true, detail: `back to ${this.side(name)}` };
    });
  }

  side(name: string): string {
    return this.sides.get(name) ?? 'source';
  }

  private done<T>(name: string, call: 'before' | 'apply' | 'verify' | 'rollBack', work: () => T): Promise<T> {
    try {
      this.refuse(name, call);
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
    this.events.push(`${call} ${name}`);
    return Promise.resolve(work());
  }
}

/** The same traffic for every kind. */
export function kindsOf(traffic: FakeTraffic): CutoverKinds {
  return { arc: traffic, metric: traffic, record: traffic, accelerator: traffic, lambda: traffic };
}

export const cutoverNamed = (name: string, change: Partial<CutoverConfig> = {}): CutoverConfig => ({
  kind: 'arc', name, timeoutSeconds: 60, clusterEndpoints: [], on: [], off: [], ...change,
} as CutoverConfig);
