import { createHash } from 'node:crypto';
import type { Faults } from '../faults/faults';
import { record, text } from '../iam/requirement';
import type { Session } from '../iam/session';
import type { Sessions } from '../iam/sessions';
import { sendToTarget } from './send-to-target';
import { targetInput, type TargetInput } from './target-input';

/** A matched event and the target that it goes to, as the emulator tells it. */
export interface Delivery {
  readonly region: string;
  readonly ruleArn: string;
  readonly target: TargetInput & { readonly Id?: string; readonly Arn: string; readonly RoleArn?: string };
  readonly event: Readonly<Record<string, unknown>>;
}

export interface DeliveryDependencies {
  readonly endpoint: string;
  readonly account: string;
  readonly sessions: Sessions;
  readonly faults: Faults;
}

export type DeliveryOutcome = { readonly delivered: true } | { readonly delivered: false; readonly reason: string };

/** Answers that another try cannot change: EventBridge gives up on these at once. */
const FINAL = /AccessDenied|UnauthorizedOperation|AuthorizationError|ResourceNotFound|StateMachineDoesNotExist/;

/** Delivers events the way EventBridge does: with the target's role, or in its own name where the target's policy allows that. */
export class EventDelivery {
  public constructor(private readonly dependencies: DeliveryDependencies) {}

  /** Throws when it should be tried again. */
  public async deliver({ region, ruleArn, target, event }: Delivery): Promise<DeliveryOutcome> {
    const { endpoint, faults } = this.dependencies;
    // A Region that is gone delivers nothing.
    if (faults.refusal(region)) return { delivered: false, reason: `${region} is refused` };
    const id = `${text(event.id)}_${createHash('sha256').update(`${ruleArn} ${target.Id ?? target.Arn}`).digest('hex').slice(0, 16)}`;
    const session = await this.session(ruleArn, target);
    const answer = await sendToTarget(endpoint, session, { arn: target.Arn, input: targetInput(target, event, ruleArn), id, event });
    if (answer.status < 300 && !failedEntry(answer.body)) return { delivered: true };
    const reason = `${answer.status} ${answer.body}`;
    if (FINAL.test(answer.body)) return { delivered: false, reason };
    throw new Error(reason);
  }

  private session(ruleArn: string, target: Delivery['target']): Promise<Session> {
    const name = ruleArn.split(':rule/').at(-1) ?? ruleArn;
    if (target.RoleArn) return this.dependencies.sessions.share({ kind: 'rule', roleArn: target.RoleArn, name, sourceArn: ruleArn });
    return Promise.resolve(this.dependencies.sessions.service('events.amazonaws.com', `rule:${name}`, {
      'aws:SourceArn': ruleArn, 'aws:SourceAccount': this.dependencies.account,
    }));
  }
}

function failedEntry(body: string): boolean {
  if (!body.includes('FailedEntryCount')) return false;
  return record(JSON.parse(body)).FailedEntryCount !== 0;
}
