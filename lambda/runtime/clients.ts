import { NodeHttpHandler } from '@smithy/node-http-handler';

/** How every AWS client of this package is configured. */
export interface ClientSettings {
  readonly region: string;
  readonly maxAttempts: number;
  readonly retryMode: 'adaptive';
  readonly requestHandler: NodeHttpHandler;
}

export interface ClientOptions {
  /** Longest wait for an answer. @default 20 s */
  readonly requestTimeoutMs?: number;
  /** @default 5 */
  readonly maxAttempts?: number;
}

/** A Region that is gone often drops packets: without a limit a call would hang until the function is killed. */
const CONNECTION_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 20_000;
const MAX_ATTEMPTS = 5;
const MAX_SOCKETS = 50;

/**
 * Adaptive retry slows this client down when AWS throttles it. Data-plane time-outs are short, since every step can be
 * repeated; a synchronous Lambda invocation passes its own.
 */
export function clientSettings(region: string, options: ClientOptions = {}): ClientSettings {
  return {
    region,
    maxAttempts: options.maxAttempts ?? MAX_ATTEMPTS,
    retryMode: 'adaptive',
    requestHandler: new NodeHttpHandler({
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      httpsAgent: { maxSockets: MAX_SOCKETS, keepAlive: true },
      httpAgent: { maxSockets: MAX_SOCKETS, keepAlive: true },
    }),
  };
}
