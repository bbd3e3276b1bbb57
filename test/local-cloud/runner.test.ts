import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Invocation } from '../../local-cloud/functions/invocation';
import { LogStore } from '../../local-cloud/functions/log-store';
import { FunctionRunner } from '../../local-cloud/functions/runner';
import { Sessions } from '../../local-cloud/iam/sessions';
import { Children } from '../../local-cloud/process/children';
import { fakeSts } from './support/gateway';
import { ROLE } from './support/iam';

const HANDLER = `
exports.handler = async (event, context) => {
  console.log('got', event.what); process.stdout.write('no line end');
  switch (event.what) {
    case 'throw': { const error = new Error('no such thing'); error.name = 'NotThere'; throw error; }
    case 'throw-text': throw 'words';
    case 'reject-aside': Promise.reject(new Error('aside')); return new Promise(() => {});
    case 'hang': return new Promise(() => setInterval(() => {}, 1000));
    case 'exit': process.exit(3);
    case 'nothing': return undefined;
    default: return { pid: process.pid, id: context.awsRequestId, name: context.functionName, left: context.getRemainingTimeInMillis(), sees: process.env[event.what] };
  }
};
exports.notAFunction = 1;
`;

let folder: string;
let children: Children;
let runner: FunctionRunner;
let logs: LogStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'runner-'));
  writeFileSync(join(folder, 'index.js'), HANDLER);
  writeFileSync(join(folder, 'broken.js'), 'exports.handler = {{{');
  children = new Children();
  logs = new LogStore(folder);
  runner = new FunctionRunner({ sessions: new Sessions(fakeSts()), children, logs, endpoint: 'http://localhost:1', stateDir: folder });
});

afterEach(async () => {
  await children.stop();
  rmSync(folder, { recursive: true });
});

const invocation = (event: unknown, more: Partial<Invocation> = {}): Invocation => ({
  functionArn: 'arn:aws:lambda:us-west-2:123456789012:function:worker', functionName: 'worker', region: 'us-west-2', handler: 'index.handler', timeoutSeconds: 5,
  roleArn: ROLE, codeSha256: 'sha', codeDir: folder, environment: { DEPLOYED: 'yes' }, payload: JSON.stringify(event), ...more,
});

async function invoke(event: unknown, more: Partial<Invocation> = {}): Promise<{ readonly result: Record<string, unknown>; readonly error?: string; readonly logTail: string }> {
  const { payload, functionError, logTail } = await runner.invoke(invocation(event, more));
  return { result: JSON.parse(payload) as Record<string, unknown>, error: functionError, logTail };
}

test('runs the handler with the deployed environment, its role\'s credentials and a context', async () => {
  const { result, error, logTail } = await invoke({ what: 'DEPLOYED' });
  expect(error).toBeUndefined();
  expect(result).toMatchObject({ name: 'worker', sees: 'yes', id: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  expect(result.left).toBeGreaterThan(4000);
  expect(logTail).toBe('got DEPLOYED\nno line end');
  expect(logs.get('worker')).toEqual(['got DEPLOYED', 'no line end']);
  expect((await invoke({ what: 'AWS_ACCESS_KEY_ID' })).result.sees).toBe('ASIA1');
  expect((await invoke({ what: 'AWS_ENDPOINT_URL' })).result.sees).toBe('http://localhost:1');
  expect((await invoke({ what: 'HOME' })).result.sees).toBeUndefined();
});

test('keeps the process for the next event, and has one each for events at the same time', async () => {
  const pid = async (): Promise<unknown> => (await invoke({ what: 'x' })).result.pid;
  const first = await pid();
  expect(await pid()).toBe(first);
  const [a, b] = await Promise.all([pid(), pid()]);
  expect(a).not.toBe(b);
});

test('a changed deployment does not run in the old process', async () => {
  const { result: before } = await invoke({ what: 'DEPLOYED' });
  const { result: after } = await invoke({ what: 'DEPLOYED' }, { environment: { DEPLOYED: 'again' } });
  expect(after.sees).toBe('again');
  expect(after.pid).not.toBe(before.pid);
});

test('a thrown error keeps its name, message and trace', async () => {
  const { result, error } = await invoke({ what: 'throw' });
  expect(error).toBe('Unhandled');
  expect(result).toMatchObject({ errorType: 'NotThere', errorMessage: 'no such thing' });
  expect((result.trace as string[])[0]).toBe('NotThere: no such thing');
});

test.each([
  ['throw-text', {}, 'string', 'words'],
  ['reject-aside', {}, 'Runtime.UnhandledPromiseRejection', 'aside'],
  ['exit', {}, 'Runtime.ExitError', 'exit status 3'],
  ['hang', { timeoutSeconds: 0.5 }, 'Sandbox.Timedout', 'Task timed out after 0.50 seconds'],
  ['x', { handler: 'missing.handler' }, 'Runtime.ImportModuleError', 'missing'],
  ['x', { handler: 'index.notAFunction' }, 'Runtime.HandlerNotFound', 'index.notAFunction'],
  ['x', { handler: 'broken.handler' }, 'Runtime.UserCodeSyntaxError', 'SyntaxError'],
])('%s %o fails as on Lambda', async (what, more, type, message) => {
  const { result, error } = await invoke({ what }, more);
  expect(error).toBe('Unhandled');
  expect(result).toMatchObject({ errorType: type, errorMessage: expect.stringContaining(message) });
  // The next event finds a working process.
  expect((await invoke({ what: 'nothing' })).result).toBeNull();
});

test('a killed worker is an exit, and the next event gets another one', async () => {
  const sessions = new Sessions(fakeSts());
  const workers: string[] = [];
  const mint = sessions.mint.bind(sessions);
  sessions.mint = (request) => {
    workers.push(request.workerId ?? '');
    return mint(request);
  };
  runner = new FunctionRunner({ sessions, children, logs, endpoint: 'http://localhost:1', stateDir: folder });
  const hanging = invoke({ what: 'hang' });
  while (logs.get('worker').length === 0) await new Promise((resolve) => { setTimeout(resolve, 10); });
  expect(runner.kill(workers[0]!)).toBe(true);
  expect((await hanging).result).toMatchObject({ errorType: 'Runtime.ExitError', errorMessage: expect.stringMatching(/^RequestId: .* Error: Runtime exited with error: signal: killed$/) });
  expect((await invoke({ what: 'x' })).error).toBeUndefined();
  expect(runner.kill(workers[0]!)).toBe(false);
});

test('the SDK is there without being bundled, and nothing else is', async () => {
  writeFileSync(join(folder, 'sdk.js'), `exports.handler = async () => ({ sdk: typeof require('@aws-sdk/client-dynamodb').DynamoDBClient, other: (() => { try { require('esbuild'); return 'found'; } catch { return 'none'; } })() });`);
  expect((await invoke({}, { handler: 'sdk.handler' })).result).toEqual({ sdk: 'function', other: 'none' });
});

test('stopping ends every process, also one that is working', async () => {
  const hanging = invoke({ what: 'hang' });
  while (logs.get('worker').length === 0) await new Promise((resolve) => { setTimeout(resolve, 10); });
  const [pid] = children.pids;
  await children.stop();
  expect(children.pids).toEqual([]);
  expect(() => process.kill(pid!, 0)).toThrow();
  expect((await hanging).error).toBe('Unhandled');
});
