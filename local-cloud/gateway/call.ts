import type { IncomingHttpHeaders } from 'node:http';

/** An API call as it arrived, taken apart as far as every later step needs it. */
export interface ApiCall {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  /** From the signature's credential scope. */
  readonly accessKeyId: string;
  readonly region: string;
  /** IAM's prefix of the service (`states`, `ec2`), which is also the signing name but for a few. */
  readonly service: string;
  readonly operation: string;
  /** The body; undefined when it was left to be streamed (object and block contents). */
  readonly body?: Buffer;
  /** Members of a form body, for services that speak the query protocol. */
  readonly form: URLSearchParams;
  /** The parsed body, for services that speak JSON; `{}` when there is none. */
  readonly json: Readonly<Record<string, unknown>>;
}

export interface CredentialScope {
  readonly accessKeyId: string;
  readonly region: string;
  readonly service: string;
}

/** Signing names that are not the service's IAM prefix. */
const PREFIX: Readonly<Record<string, string>> = { monitoring: 'cloudwatch', email: 'ses' };

/**
 * Reads who signed for which Region and service (Signature Version 4, header or presigned query).
 * The signature itself is not verified: the emulator is no security boundary.
 */
export function credentialScope(headers: IncomingHttpHeaders, url: URL): CredentialScope | undefined {
  const credential = /Credential=([^,\s]+)/.exec(headers.authorization ?? '')?.[1] ?? url.searchParams.get('X-Amz-Credential');
  const [accessKeyId, , region, service] = credential?.split('/') ?? [];
  if (!accessKeyId || !region || !service) return undefined;
  const name = service.toLowerCase();
  return { accessKeyId, region, service: PREFIX[name] ?? name };
}

/** Bodies of these are content, not parameters: they are passed on as they come. */
export function isStreamed(service: string, method: string, path: string): boolean {
  return service === 's3' || (service === 'ebs' && method === 'PUT') || path.startsWith('/_emulator/');
}

export function parseForm(headers: IncomingHttpHeaders, url: URL, body: Buffer | undefined): URLSearchParams {
  const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded');
  return isForm && body ? new URLSearchParams(body.toString('utf8')) : url.searchParams;
}

export function parseJson(headers: IncomingHttpHeaders, body: Buffer | undefined): Record<string, unknown> {
  if (!body?.length || headers['content-type']?.startsWith('application/x-www-form-urlencoded')) return {};
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
