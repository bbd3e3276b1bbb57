import type { LambdaCutoverConfig } from '../../core/cutover';
import { RefusedCall } from '../errors';
import type { CutoverContext, CutoverKind, CutoverVerdict } from '../ports/cutover';
import type { Functions } from '../ports/services';

type Context = CutoverContext<LambdaCutoverConfig>;

/** What the user's function is given. */
export interface CutoverEvent {
  /** `read` answers anything that `roll-back` needs; `verify` and `roll-back` answer `{ passed, detail? }`. */
  readonly action: 'read' | 'apply' | 'verify' | 'roll-back';
  readonly project: string;
  readonly runId: string;
  readonly mode: string;
  readonly cutover: string;
  readonly idempotencyKey: string;
  /** What `read` answered. */
  readonly before?: unknown;
  readonly members: CutoverContext['machines'];
}

/** Traffic moved by a function of the user's. */
export class FunctionCutover implements CutoverKind<LambdaCutoverConfig> {
  constructor(private readonly functions: Functions) {}

  async before(context: Context): Promise<unknown> {
    return await this.invoke(context, 'read') ?? null;
  }

  async apply(context: Context, before: unknown): Promise<undefined> {
    await this.invoke(context, 'apply', before);
  }

  async verify(context: Context, before: unknown): Promise<CutoverVerdict> {
    return verdict(await this.invoke(context, 'verify', before));
  }

  async rollBack(context: Context, before: unknown): Promise<CutoverVerdict> {
    return verdict(await this.invoke(context, 'roll-back', before));
  }

  private async invoke({ config, project, runId, mode, idempotencyKey, machines, budgetMs }: Context, action: CutoverEvent['action'], before?: unknown): Promise<unknown> {
    const event: CutoverEvent = { ...config.payload, action, project, runId, mode, cutover: config.name, idempotencyKey, before, members: machines };
    const { payload, error } = await this.functions.invoke(config.functionArn, event, Math.min(config.timeoutSeconds * 1000, budgetMs));
    if (error !== undefined) throw new RefusedCall(`${action} of ${config.name}`, 'invalid', 'FunctionError', error);
    return payload;
  }
}

function verdict(payload: unknown): CutoverVerdict {
  const answer = typeof payload === 'object' && payload !== null ? payload as { passed?: unknown; detail?: unknown } : {};
  return { done: answer.passed === true, detail: typeof answer.detail === 'string' ? answer.detail : `it answered ${JSON.stringify(payload)}` };
}
