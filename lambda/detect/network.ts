import { errorCode, messageOf } from '../adapters/errors';
import { unhealthy, unknown, type Reading } from './reading';

/** The resolver or the way out is at fault, not the one who was asked. */
const OWN_FAULT = new Set(['EAI_AGAIN', 'ENETUNREACH', 'ENETDOWN', 'EMFILE', 'ENFILE', 'EADDRNOTAVAIL']);

/** A probe that got no answer: that is what it looks for, unless the observer itself is cut off. */
export function noAnswer(error: unknown): Reading {
  const code = errorCode(error);
  const detail = `no answer: ${code === 'Error' || code === 'Unknown' ? '' : `${code}: `}${messageOf(error)}`;
  return OWN_FAULT.has(code) ? unknown(detail) : unhealthy(detail);
}

export function tooSlow(milliseconds: number, { maxLatencyMs }: { readonly maxLatencyMs?: number }): Reading | undefined {
  if (maxLatencyMs === undefined || milliseconds <= maxLatencyMs) return undefined;
  return unhealthy(`answered in ${milliseconds} ms, more than ${maxLatencyMs} ms`);
}
