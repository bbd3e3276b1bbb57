import type { ApiCall } from '../../../local-cloud/gateway/call';

const BASE = { method: 'POST', url: new URL('http://localhost/'), headers: {}, accessKeyId: 'ASIATEST', region: 'us-west-2' };

/** A call of a service that speaks the query protocol. */
export function queryCall(service: string, operation: string, parameters: Record<string, string> = {}, region = 'us-west-2'): ApiCall {
  return { ...BASE, region, service, operation, form: new URLSearchParams({ Action: operation, ...parameters }), json: {} };
}

/** A call of a service that speaks JSON. */
export function jsonCall(service: string, operation: string, json: Record<string, unknown> = {}, region = 'us-west-2'): ApiCall {
  return { ...BASE, region, service, operation, form: new URLSearchParams(), json };
}

/** A REST call. */
export function restCall(service: string, operation: string, method: string, path: string, json: Record<string, unknown> = {}): ApiCall {
  return { ...BASE, service, operation, method, url: new URL(path, 'http://localhost'), form: new URLSearchParams(), json };
}
