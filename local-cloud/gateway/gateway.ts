import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { CallPipeline } from './pipeline';
import { answerLocally, type LocalHandler } from './local-routes';
import type { Proxy} from './proxy';
import { forward, withoutHopByHop } from './proxy';

/** The one address of the local cloud: API calls, what the emulator asks of us, and the emulator's own routes. */
export class Gateway {
  public readonly local = new Map<string, LocalHandler>();
  private readonly servers: Server[] = [];
  private readonly sockets = new Set<Socket>();
  private pipeline?: CallPipeline;
  private proxy?: Proxy;

  public get port(): number {
    return (this.servers[0]?.address() as AddressInfo | null)?.port ?? 0;
  }

  public get endpoint(): string {
    // `localhost`, because the emulator tells buckets in host names apart by it.
    return `http://localhost:${this.port}`;
  }

  /** Listens on a free port of the loopback addresses. */
  public async listen(): Promise<void> {
    const first = await this.open('127.0.0.1', 0);
    // Clients that try IPv6 first find us there too; machines without it do without.
    await this.open('::1', (first.address() as AddressInfo).port).catch(() => undefined);
  }

  /** From now on calls go to the emulator. */
  public connect(pipeline: CallPipeline, proxy: Proxy): void {
    this.pipeline = pipeline;
    this.proxy = proxy;
  }

  public async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await Promise.all(this.servers.map((server) => new Promise((resolve) => server.close(resolve))));
    this.proxy?.destroy();
  }

  private open(host: string, port: number): Promise<Server> {
    // No limit on how long a request may take: a synchronous invocation of a function may take 15 minutes.
    const server = createServer({ requestTimeout: 0, keepAliveTimeout: 120_000 }, (request, response) => {
      this.handle(request, response).catch((error: unknown) => {
        if (response.headersSent) response.destroy();
        else response.writeHead(502, { 'content-type': 'text/plain' }).end(error instanceof Error ? error.message : String(error));
      });
    });
    server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        this.servers.push(server);
        resolve(server);
      });
    });
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    if (path.startsWith('/_local/')) {
      await answerLocally(this.local, request, response);
      return;
    }
    if (!this.pipeline || !this.proxy) {
      response.writeHead(503).end('The local cloud is starting.');
      return;
    }
    if (path.startsWith('/_emulator/') || path.startsWith('/moto-api/')) {
      const upstream = await this.proxy.send({ method: request.method ?? 'GET', path, headers: withoutHopByHop(request.headers), body: request });
      await forward(upstream, response);
      return;
    }
    await this.pipeline.handle(request, response);
  }
}
