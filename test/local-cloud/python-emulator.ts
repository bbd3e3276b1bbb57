import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = resolve(__dirname, '../..');

interface Delivery {
  readonly region: string;
  readonly ruleArn: string;
  readonly target: { readonly Arn: string };
  readonly event: Record<string, unknown> & { readonly detail: Record<string, unknown> };
}

async function body(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The emulator alone, with a gateway that notes what it is asked and passes on the rest: for tests of the bridges. */
export class PythonEmulator {
  readonly deliveries: Delivery[] = [];
  readonly invocations: Record<string, unknown>[] = [];
  /** What the gateway answers to an invocation. */
  answer: (invocation: Record<string, unknown>) => Record<string, unknown> = () => ({ payload: '{}', logTail: '' });

  private constructor(
    readonly endpoint: string,
    private readonly gateway: Server,
    private readonly child: ChildProcess,
    private readonly state: string,
  ) {}

  static async start(): Promise<PythonEmulator> {
    const state = mkdtempSync(join(tmpdir(), 'emulator-'));
    const gateway = createServer();
    await new Promise<void>((done) => gateway.listen(0, '127.0.0.1', done));
    const url = `http://localhost:${(gateway.address() as AddressInfo).port}`;
    const child = spawn(
      join(ROOT, '.venv/bin/python'),
      [join(ROOT, 'local-cloud/python/launch.py'), '--port', '0', '--gateway', url, '--state', state, '--parent-pid', `${process.pid}`],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const port = await new Promise<number>((done, fail) => {
      child.once('exit', (code) => { fail(new Error(`The emulator ended with ${code}`)); });
      createInterface({ input: child.stdout }).once('line', (line) => { done((JSON.parse(line) as { port: number }).port); });
    });
    const emulator = new PythonEmulator(`http://localhost:${port}`, gateway, child, state);
    gateway.on('request', (request: IncomingMessage, response: ServerResponse) => {
      void body(request).then((asked) => emulator.answerTo(request, asked, response));
    });
    return emulator;
  }

  private async answerTo(request: IncomingMessage, asked: Buffer, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    if (path.startsWith('/_local/')) {
      response.end(JSON.stringify(this.handle(path, JSON.parse(asked.toString()) as Record<string, unknown>)));
      return;
    }
    const { host: _host, connection: _connection, 'content-length': _length, 'transfer-encoding': _encoding, ...headers } = request.headers;
    const answer = await fetch(`${this.endpoint}${path}`, {
      method: request.method, headers: headers as Record<string, string>, ...(asked.length ? { body: new Uint8Array(asked) } : {}),
    });
    response.writeHead(answer.status, Object.fromEntries([...answer.headers].filter(([name]) => !/^(connection|keep-alive|transfer-encoding|content-length)$/.test(name))));
    response.end(Buffer.from(await answer.arrayBuffer()));
  }

  private handle(path: string, asked: Record<string, unknown>): Record<string, unknown> {
    if (path === '/_local/events/deliver') this.deliveries.push(asked as unknown as Delivery);
    if (path === '/_local/credentials') return { accessKeyId: 'ASIAEXAMPLEEXAMPLE00', secretAccessKey: 'x', sessionToken: asked.roleArn };
    if (path !== '/_local/lambda/invoke') return {};
    this.invocations.push(asked);
    return this.answer(asked);
  }

  config(region: string) {
    return { region, endpoint: this.endpoint, credentials: { accessKeyId: 'AKIAEXAMPLEEXAMPLE00', secretAccessKey: 'x' }, maxAttempts: 1 };
  }

  async configure(settings: Record<string, unknown>): Promise<void> {
    const response = await fetch(`${this.endpoint}/_emulator/config`, { method: 'POST', body: JSON.stringify(settings) });
    if (!response.ok) throw new Error(await response.text());
  }

  async writeDisk(region: string, volumeId: string, index: number, data: Buffer): Promise<number> {
    const url = `${this.endpoint}/_emulator/disks/${region}/${volumeId}/${index}`;
    return (await fetch(url, { method: 'PUT', body: new Uint8Array(data) })).status;
  }

  async readDisk(region: string, volumeId: string, index: number): Promise<Buffer | undefined> {
    const response = await fetch(`${this.endpoint}/_emulator/disks/${region}/${volumeId}/${index}`);
    return response.ok ? Buffer.from(await response.arrayBuffer()) : undefined;
  }

  async stop(): Promise<void> {
    const ended = new Promise((done) => this.child.once('exit', done));
    this.child.kill('SIGTERM');
    await ended;
    this.gateway.closeAllConnections();
    await new Promise((done) => this.gateway.close(done));
    rmSync(this.state, { recursive: true, force: true });
  }
}

export async function until<T>(read: () => T | undefined | false | Promise<T | undefined | false>, milliseconds = 10_000): Promise<T> {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    const value = await read();
    if (value) return value;
    if (Date.now() > deadline) throw new Error('It did not come to pass in time');
    await new Promise((done) => setTimeout(done, 20));
  }
}
