import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { ApprovalConfig } from '../core/detection-config';
import type { RunRequest } from '../core/model';
import type { Approval, ApprovalStore, Notifications, Starter } from '../adapters/ports/detection';
import type { Executions } from '../adapters/ports/services';
import type { Tools } from '../runtime/tools';
import { answerMessage, executionName, questionMessage, type Choice, type Question } from './message';

/** The answer cannot be taken; the message says why. */
export class InvalidAnswer extends Error {
  override readonly name = 'InvalidRequest';
}

export interface AskInput {
  readonly config: ApprovalConfig;
  readonly question: Question;
  readonly token: string;
}

/** Stores the question with its task token, then tells people. Asked again after a failure, the newest token and links count. */
export async function ask({ config, question, token }: AskInput, ports: { readonly approvals: ApprovalStore; readonly notifications: Notifications }, tools: Tools): Promise<{ readonly asked: boolean }> {
  const { incidentId, scope, request, expiresSeconds } = question;
  const expiresAt = new Date(Date.parse(tools.now()) + expiresSeconds * 1000).toISOString();
  const secret = randomBytes(32);
  const tokenOf = (choice: Choice): string => createHmac('sha256', secret).update(`${config.project}.${incidentId}.${choice}.${expiresAt}`).digest('base64url');
  const links = config.linkUrl === undefined ? undefined : { approve: fingerprint(tokenOf('approve')), refuse: fingerprint(tokenOf('refuse')) };
  const asked = await ports.approvals.ask({ incidentId, scope, status: 'PENDING', token, request, askedAt: tools.now(), expiresAt, ...(links ? { links } : {}) });
  if (!asked) return { asked: false };
  const { linkUrl } = config;
  const link = linkUrl === undefined ? undefined : (choice: Choice): string => `${linkUrl}?${new URLSearchParams({ incident: incidentId, choice, token: tokenOf(choice) }).toString()}`;
  const { subject, text } = questionMessage(config, question, expiresAt, link);
  await ports.notifications.publish(config.topicArn, subject, text);
  return { asked: true };
}

export function fingerprint(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

export interface Answer {
  readonly incidentId: string;
  readonly decision: Choice;
  /** Who answers, for the evidence. */
  readonly by: string;
  /** Fail over although the source cannot be fenced because it cannot be reached. @default false */
  readonly acceptUnreachable?: boolean;
}

export interface Answered {
  readonly incidentId: string;
  readonly status: Approval['status'];
  readonly by: string;
}

export interface AnswerPorts {
  readonly approvals: ApprovalStore;
  readonly executions: Pick<Executions, 'succeed'>;
}

const NAME_MAX = 200;
const STATUS: Readonly<Record<Choice, Approval['status']>> = { approve: 'APPROVED', refuse: 'REFUSED' };

/**
 * Takes an answer. The row is what counts: once it says so the answer stands, whether or not the state machine hears of it
 * before its time-out. The same answer given again wakes the state machine again.
 */
export async function answer(given: Partial<Answer> | undefined, { approvals, executions }: AnswerPorts, tools: Tools): Promise<Answered> {
  const { incidentId, decision, by, acceptUnreachable = false } = checked(given);
  const approval = await approvals.approval(incidentId);
  if (approval === undefined) throw new InvalidAnswer(`There is no question about incident ${incidentId}.`);
  const status = STATUS[decision];
  if (approval.status === 'PENDING') {
    if (approval.expiresAt <= tools.now()) throw new InvalidAnswer(`The question about incident ${incidentId} expired at ${approval.expiresAt}. Start the run by hand if it is still needed.`);
    if (!await approvals.answer(incidentId, { status, answeredBy: by, answeredAt: tools.now(), acceptUnreachable })) return answer(given, { approvals, executions }, tools);
  } else if (approval.status !== status) {
    throw new InvalidAnswer(`The question about incident ${incidentId} has its answer: ${approval.status}, ${approval.answeredBy} at ${approval.answeredAt}.`);
  }
  await executions.succeed(approval.token, { decision });
  return { incidentId, status, by: approval.answeredBy ?? by };
}

function checked({ incidentId, decision, by, acceptUnreachable }: Partial<Answer> = {}): Answer {
  if (typeof incidentId !== 'string' || incidentId === '') throw new InvalidAnswer('"incidentId" is missing. Example: {"incidentId": "…", "decision": "approve", "by": "you"}');
  if (decision !== 'approve' && decision !== 'refuse') throw new InvalidAnswer(`"decision" must be "approve" or "refuse", is ${JSON.stringify(decision)}`);
  if (typeof by !== 'string' || by.trim() === '' || by.length > NAME_MAX) throw new InvalidAnswer(`"by" must say who answers, in at most ${NAME_MAX} characters`);
  return { incidentId, decision, by: by.trim(), acceptUnreachable: acceptUnreachable === true };
}

export interface EndPorts {
  readonly approvals: ApprovalStore;
  readonly starter: Starter;
  readonly notifications: Notifications;
}

/** After the answer or without one: starts the run if it was approved, and tells people. */
export async function endApproval({ config, question }: Omit<AskInput, 'token'>, ports: EndPorts, tools: Tools): Promise<Answered> {
  const { incidentId } = question;
  await ports.approvals.answer(incidentId, { status: 'EXPIRED', answeredBy: 'nobody', answeredAt: tools.now() });
  const approval = await ports.approvals.approval(incidentId);
  const { status = 'EXPIRED', answeredBy: by = 'nobody' } = approval ?? {};
  const name = executionName(incidentId);
  if (status === 'APPROVED') await ports.starter.start(config.runMachineArn, name, approvedRequest(question, by, approval?.acceptUnreachable === true));
  const sentence = {
    APPROVED: `${by} approved. The execution ${name} of ${config.runMachineArn} was started.`,
    REFUSED: `${by} refused. Nothing was started.`,
    EXPIRED: `Nobody answered in ${question.expiresSeconds} s. Nothing was started; start the run by hand if it is still needed.`,
    PENDING: 'Nothing was started.',
  }[status];
  const { subject, text } = answerMessage(config.project, question, sentence);
  try {
    await ports.notifications.publish(config.topicArn, subject, text);
  } catch (error) {
    tools.log.warn('Nobody could be told of the answer', { error });
  }
  return { incidentId, status, by };
}

function approvedRequest({ request }: Question, by: string, acceptUnreachable: boolean): RunRequest {
  return { ...request, requestedBy: `${request.requestedBy}, approved by ${by}`, ...(acceptUnreachable ? { acceptUnreachable: by } : {}) };
}
