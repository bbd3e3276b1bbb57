import { Agent, request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';

/** Bodies of errors are small; more than this is not read to find a code. */
const ERROR_BODY_LIMIT = 64 * 1024;

export interface Upstream {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** Present when it was asked for, or when the status is an error. */
  readonly body?: Buffer;
  /** The rest of an answer that was not read. */
  readonly stream?: IncomingMessage;
}

export interface UpstreamRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer | IncomingMessage | undefined;
  /** Read the whole answer, also when it is no error. */
  readonly readAnswer?: boolean;
}

/** Passes requests on to the emulator over connections that are kept. */
export class Proxy {
  // Without a limit: an invocation holds a connection while its function makes other calls.
  private readonly agent = new Agent({ keepAlive: true });

  public constructor(private readonly port: number) {}

  public async send(wanted: UpstreamRequest): Promise<Upstream> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.once(wanted);
      } catch (error) {
        // A kept connection that the emulator has just closed: nothing was done, and a body in memory can be sent again.
        const reset = (error as NodeJS.ErrnoException).code === 'ECONNRESET' || (error as NodeJS.ErrnoException).code === 'EPIPE';
        if (!reset || attempt > 1 || !(error as { reused?: boolean }).reused || (wanted.body && !Buffer.isBuffer(wanted.body))) throw error;
      }
    }
  }

  public destroy(): void {
    this.agent.destroy();
  }

  private once({ method, path, headers, body, readAnswer }: UpstreamRequest): Promise<Upstream> {
    return new Promise((resolve, reject) => {
      const upstream = httpRequest({ agent: this.agent, host: '127.0.0.1', port: this.port, method, path, headers }, (answer) => {
        const status = answer.statusCode ?? 502;
        if (!readAnswer && status < 400) {
          resolve({ status, headers: answer.headers, stream: answer });
          return;
        }
        const limit = readAnswer ? Infinity : ERROR_BODY_LIMIT;
        readAll(answer, limit).then((read) => { resolve({ status, headers: answer.headers, body: read }); }, reject);
      });
      upstream.on('error', (error) => {
        reject(Object.assign(error, { reused: upstream.reusedSocket }));
      });
      if (body === undefined || Buffer.isBuffer(body)) upstream.end(body);
      else body.pipe(upstream);
    });
  }
}

export async function readAll(stream: AsyncIterable<Buffer>, limit = Infinity): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > limit) throw new Error(`A body of more than ${limit} bytes.`);
  }
  return Buffer.concat(chunks);
}

const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'proxy-connection', 'upgrade']);

export function withoutHopByHop(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase())));
}

/** Gives the emulator's answer to the caller as it came. */
export function forward(upstream: Upstream, response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    response.once('close', resolve);
    const headers = withoutHopByHop(upstream.headers);
    if (upstream.body) headers['content-length'] = upstream.body.length;
    response.writeHead(upstream.status, headers);
    if (upstream.stream) {
      upstream.stream.once('error', () => response.destroy());
      upstream.stream.pipe(response);
    } else {
      response.end(upstream.body);
    }
  });
}
