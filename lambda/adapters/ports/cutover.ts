import type { CutoverConfig, CutoverRecord, RecoveredMachine } from '../../core/cutover';

/** What an adapter is told about the run that it moves traffic for. */
export interface CutoverContext<C extends CutoverConfig = CutoverConfig> {
  readonly config: C;
  readonly project: string;
  readonly runId: string;
  readonly mode: string;
  /** The same however often a call is repeated, another one once the cutover begins anew. */
  readonly idempotencyKey: string;
  readonly machines: readonly RecoveredMachine[];
  /** For calls that the user's own code answers. */
  readonly budgetMs: number;
}

export interface CutoverVerdict {
  readonly done: boolean;
  /** What is still waited for, or what was seen. */
  readonly detail: string;
}

/**
 * One way of moving traffic. `apply` and `rollBack` set an absolute state, so that they can be repeated. All but `before`
 * are told what `before` answered; its answer must be plain JSON, since it is stored.
 */
export interface CutoverKind<C extends CutoverConfig = CutoverConfig> {
  before(context: CutoverContext<C>): Promise<unknown>;
  /** Answers a handle, where the service gives one by which the change can be followed. */
  apply(context: CutoverContext<C>, before: unknown): Promise<string | undefined>;
  verify(context: CutoverContext<C>, before: unknown, handle: string | undefined): Promise<CutoverVerdict>;
  /** Called again until it is done. */
  rollBack(context: CutoverContext<C>, before: unknown): Promise<CutoverVerdict>;
}

export type CutoverKinds = { readonly [K in CutoverConfig['kind']]: CutoverKind<Extract<CutoverConfig, { kind: K }>> };

export interface CutoverStore {
  cutovers(runId: string): Promise<CutoverRecord[]>;
  /** Stores `next` if there is no row, or if the row still has status and attempt of `read`; else `ConflictError`. */
  saveCutover(next: CutoverRecord, read: CutoverRecord | undefined): Promise<void>;
}
