import { createServer as createHttp, type RequestListener, type Server } from 'node:http';
import { createServer as createTcp, type AddressInfo, type Server as TcpServer } from 'node:net';
import { probeHttp } from '../../../lambda/detect/http';
import { noAnswer } from '../../../lambda/detect/network';
import { probe } from '../../../lambda/detect/probe';
import { probeTcp } from '../../../lambda/detect/tcp';

const open: (Server | TcpServer)[] = [];
const http = (port: number, change: object = {}) => probeHttp({ kind: 'http', url: `http://127.0.0.1:${port}/health`, timeoutMs: 500, ...change });
const tcp = (port: number, change: object = {}) => probeTcp({ kind: 'tcp', host: '127.0.0.1', port, timeoutMs: 500, ...change });

async function listen(server: Server | TcpServer): Promise<number> {
  open.push(server);
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return (server.address() as AddressInfo).port;
}

const serve = (answer: RequestListener): Promise<number> => listen(createHttp(answer));

async function closedPort(): Promise<number> {
  const server = createTcp();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

afterEach(() => {
  for (const server of open.splice(0)) {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  }
});

describe('HTTP', () => {
  test('an answer as expected is healthy, and says how long it took', async () => {
    expect(await http(await serve((_, response) => { response.end('ok'); }))).toEqual({ status: 'healthy', detail: expect.stringMatching(/^status 200 in \d+ ms$/) });
  });

  test.each([[503, undefined, 'unhealthy'], [302, undefined, 'unhealthy'], [204, undefined, 'healthy'], [401, [401], 'healthy'], [200, [401], 'unhealthy']] as const)('status %i with expectation %j is %s', async (status, statuses, expected) => {
    const port = await serve((_, response) => { response.writeHead(status, { location: '/elsewhere' }).end(); });
    expect(await http(port, { statuses })).toMatchObject({ status: expected });
  });

  test.each([['"db":"up"', 'healthy'], ['"db":"down"', 'unhealthy']])('a body of %s is %s', async (body, expected) => {
    const port = await serve((_, response) => { response.end(`{${body}}`); });
    expect(await http(port, { bodyMatch: { source: '"db":"UP"', flags: 'i' } })).toMatchObject({ status: expected });
  });

  test('a slow answer is unhealthy where there is a limit', async () => {
    const port = await serve((_, response) => { setTimeout(() => response.end('ok'), 100); });
    expect(await http(port, { maxLatencyMs: 20 })).toEqual({ status: 'unhealthy', detail: expect.stringMatching(/^answered in \d+ ms, more than 20 ms$/) });
    expect(await http(port, { maxLatencyMs: 400 })).toMatchObject({ status: 'healthy' });
  });

  test('no answer, an endless one or a broken one is unhealthy within the time-out', async () => {
    const began = Date.now();
    expect(await http(await serve(() => undefined))).toMatchObject({ status: 'unhealthy', detail: 'no answer in 500 ms' });
    expect(await http(await serve((_, response) => { setInterval(() => response.write('x'), 20).unref(); }))).toMatchObject({ status: 'unhealthy' });
    expect(await http(await serve((request) => { request.socket.destroy(); }))).toMatchObject({ status: 'unhealthy', detail: expect.stringContaining('ECONNRESET') });
    expect(await http(await serve((request, response) => { response.writeHead(200, { 'content-length': 10 }).write('x'); setTimeout(() => request.socket.destroy(), 20); }))).toMatchObject({ status: 'unhealthy' });
    expect(Date.now() - began).toBeLessThan(3000);
  });

  test('nobody listening is unhealthy; a URL that is none is unknown', async () => {
    expect(await http(await closedPort())).toMatchObject({ status: 'unhealthy', detail: expect.stringContaining('ECONNREFUSED') });
    expect(await http(0, { url: 'not a URL' })).toMatchObject({ status: 'unknown' });
  });

  test('a body without end costs no memory', async () => {
    const port = await serve((_, response) => { response.end(Buffer.alloc(5_000_000, 'x')); });
    expect(await http(port, { bodyMatch: { source: 'x$', flags: '' }, timeoutMs: 3000 })).toMatchObject({ status: 'healthy' });
  });

  test('each probe makes a connection of its own', async () => {
    let connections = 0;
    const server = createHttp((_, response) => { response.end('ok'); }).on('connection', () => { connections += 1; });
    const port = await listen(server);
    await http(port);
    await http(port);
    expect(connections).toBe(2);
  });
});

describe('TCP', () => {
  test('a port that takes connections is healthy, a closed one is not', async () => {
    expect(await tcp(await listen(createTcp()))).toMatchObject({ status: 'healthy' });
    expect(await tcp(await closedPort())).toMatchObject({ status: 'unhealthy', detail: expect.stringContaining('ECONNREFUSED') });
  });

  test('the kind of a probe decides', async () => {
    expect(await probe({ kind: 'tcp', name: 'p', host: '127.0.0.1', port: await listen(createTcp()), timeoutMs: 500 })).toMatchObject({ status: 'healthy' });
  });
});

test.each([['ECONNREFUSED', 'unhealthy'], ['ENOTFOUND', 'unhealthy'], ['ETIMEDOUT', 'unhealthy'], ['CERT_HAS_EXPIRED', 'unhealthy'], ['EAI_AGAIN', 'unknown'], ['ENETUNREACH', 'unknown']])('%s is %s: the observer tells its own faults apart', (code, status) => {
  expect(noAnswer(Object.assign(new Error('x'), { code }))).toMatchObject({ status });
});
