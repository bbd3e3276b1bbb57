import { timingSafeEqual } from 'node:crypto';
import type { Approval } from '../adapters/ports/detection';
import { messageOf } from '../adapters/errors';
import type { Tools } from '../runtime/tools';
import { answer, fingerprint, InvalidAnswer, type AnswerPorts } from './approval';
import type { Choice } from './message';

/** A request to a Lambda function URL (payload format 2.0), as far as it is read. */
export interface LinkRequest {
  readonly requestContext?: { readonly http?: { readonly method?: string } };
  readonly rawQueryString?: string;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

export interface LinkResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const BODY_MAX = 4_096;

const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  // The token is in the address: it must not travel on.
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
} as const;

/** One sentence for all that is wrong with a link, so that nobody learns which incidents there are. */
const NO_SUCH_LINK = 'This link is not valid.';

/**
 * Answers by a link. Looking at a link does nothing: scanners of mails follow links. The page that it shows sends the answer,
 * which counts once and until the question expires.
 */
export async function answerByLink(request: LinkRequest, ports: AnswerPorts, tools: Tools): Promise<LinkResponse> {
  const method = request.requestContext?.http?.method;
  if (method !== 'GET' && method !== 'POST') return page(405, 'Only GET and POST.');
  const fields = new URLSearchParams(method === 'GET' ? request.rawQueryString : bodyOf(request));
  const choice = choiceOf(fields.get('choice'));
  const incidentId = fields.get('incident') ?? '';
  const token = fields.get('token') ?? '';
  if (choice === undefined || incidentId === '') return page(403, NO_SUCH_LINK);
  const approval = await ports.approvals.approval(incidentId);
  if (approval === undefined || !matches(approval, choice, token)) return page(403, NO_SUCH_LINK);
  if (approval.status !== 'PENDING') return page(409, `This question has its answer: ${approval.status}.`);
  if (approval.expiresAt <= tools.now()) return page(410, `This question expired at ${approval.expiresAt}.`);
  if (method === 'GET') return page(200, `Project failover, incident ${incidentId}`, form(choice, incidentId, token));
  return take(choice, incidentId, fields.get('by') ?? '', ports, tools);
}

async function take(decision: Choice, incidentId: string, by: string, ports: AnswerPorts, tools: Tools): Promise<LinkResponse> {
  try {
    const answered = await answer({ incidentId, decision, by: by.trim() === '' ? by : `${by.trim()} (by link)` }, ports, tools);
    return page(200, `${answered.status}. You can close this page.`);
  } catch (error) {
    if (error instanceof InvalidAnswer) return page(400, messageOf(error));
    throw error;
  }
}

function matches({ links }: Approval, choice: Choice, token: string): boolean {
  const expected = links?.[choice];
  if (expected === undefined || token === '') return false;
  return timingSafeEqual(Buffer.from(expected), Buffer.from(fingerprint(token)));
}

function bodyOf({ body = '', isBase64Encoded }: LinkRequest): string {
  return (isBase64Encoded === true ? Buffer.from(body, 'base64').toString('utf8') : body).slice(0, BODY_MAX);
}

function choiceOf(text: string | null): Choice | undefined {
  return text === 'approve' || text === 'refuse' ? text : undefined;
}

function form(choice: Choice, incidentId: string, token: string): string {
  const hidden = Object.entries({ choice, incident: incidentId, token }).map(([name, value]) => `<input type="hidden" name="${name}" value="${escaped(value)}">`).join('');
  const verb = choice === 'approve' ? 'Approve the failover' : 'Refuse the failover';
  return `<form method="post" action="/">${hidden}<p><label>Your name <input name="by" required maxlength="150"></label></p><p><button>${verb}</button></p></form>`;
}

function page(statusCode: number, sentence: string, content = ''): LinkResponse {
  const body = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Disaster recovery</title><body style="font-family: sans-serif; margin: 3em"><p>${escaped(sentence)}</p>${content}</body></html>`;
  return { statusCode, headers: HEADERS, body };
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
