import type { Session } from '../iam/session';
import { authorization } from './clients';

export interface WireCall {
  readonly service: string;
  readonly region: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface WireAnswer { readonly status: number; readonly body: string }

/** Makes an API call through the gateway with a session's credentials, so that it is recorded, judged and struck by faults. */
export async function callAs(endpoint: string, session: Session, { service, region, path, headers, body }: WireCall): Promise<WireAnswer> {
  const { accessKeyId, sessionToken } = session.credentials;
  const response = await fetch(`${endpoint}${path}`, {
    method: 'POST',
    headers: { ...headers, authorization: authorization(accessKeyId, region, service), 'x-amz-security-token': sessionToken },
    body,
  });
  return { status: response.status, body: await response.text() };
}

/** A call of a service that speaks JSON with a target header. */
export function jsonCall(service: string, region: string, target: string, parameters: unknown): WireCall {
  return { service, region, path: '/', headers: { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1' }, body: JSON.stringify(parameters) };
}
