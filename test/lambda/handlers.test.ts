import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { RunFailed } from '../../lambda/run/run';
import type { Environment } from '../../lambda/runtime/env';
import { handlerOf } from '../../lambda/runtime/handler';

const environment = { DR_PROJECT: 'shop', DR_TABLE: 'catalogue', DR_SOURCE_REGION: 'us-east-1', DR_RECOVERY_REGION: 'us-west-2' };
const folder = join(__dirname, '..', '..', 'lambda', 'handlers');
const names = readdirSync(folder).map((file) => file.replace('.ts', ''));
const context = { awsRequestId: 'request-1', getRemainingTimeInMillis: () => 60_000 };

const load = (name: string) => {
  let handler: ((input: unknown, context: unknown) => Promise<unknown>) | undefined;
  jest.isolateModules(() => {
    ({ handler } = jest.requireActual(join(folder, name)));
  });
  return handler!;
};

beforeEach(() => Object.assign(process.env, environment));
afterEach(() => {
  for (const name of Object.keys(environment)) Reflect.deleteProperty(process.env, name);
  jest.restoreAllMocks();
});

test('there is one for each task of the workflows', () => {
  expect(names.sort()).toEqual([
    'approval-ask', 'approval-end', 'approve', 'approve-link', 'cycle-begin', 'cycle-discover', 'cycle-finish', 'cycle-prune',
    'cycle-replicate', 'cycle-snapshot', 'cycle-wait', 'detect', 'drill-teardown', 'fence-guard', 'probe', 'run-begin',
    'run-check', 'run-cutover', 'run-drain', 'run-fence', 'run-finish', 'run-hooks', 'run-launch', 'run-swap-in', 'run-sync', 'run-verify',
    'signal-report', 'sweep', 'wake',
  ]);
});

test.each(names)('%s starts with a complete environment and fails clearly without', (name) => {
  expect(load(name)).toBeInstanceOf(Function);
  delete process.env.DR_TABLE;
  expect(() => load(name)).toThrow('Missing environment variable: DR_TABLE.');
});

describe('what all handlers share', () => {
  const lines: Record<string, unknown>[] = [];

  beforeEach(() => {
    lines.length = 0;
    jest.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>));
  });

  test('ports are made once; each step logs with its cycle, run and request', async () => {
    const connect = jest.fn((given: Environment) => ({ table: given.table }));
    const handler = handlerOf('cycle-prune', connect, (input: { cycle: { cycleId: string } }, ports, tools) => {
      tools.metrics([{ name: 'OpenPoints', value: 1, unit: 'Count' }]);
      return Promise.resolve({ done: true, table: ports.table, cycle: input.cycle.cycleId, near: tools.deadline.near() });
    });
    const result = { done: true, table: 'catalogue', cycle: 'c-1', near: false };
    expect(await handler({ cycle: { cycleId: 'c-1' } }, context)).toEqual(result);
    await handler({ cycle: { cycleId: 'c-2' } }, context);
    expect(connect).toHaveBeenCalledTimes(1);
    expect(lines[0]).toMatchObject({ Project: 'shop', OpenPoints: 1 });
    expect(lines[1]).toMatchObject({ level: 'INFO', project: 'shop', step: 'cycle-prune', request: 'request-1', cycle: 'c-1', message: 'Step ended', result });
  });

  test('an error is logged, and thrown for the state machine to see', async () => {
    const handler = handlerOf('run-launch', () => ({}), () => Promise.reject(new RunFailed('LaunchFailed', 'no capacity')));
    await expect(handler({ run: { runId: 'r1' }, wave: 1 }, context)).rejects.toMatchObject({ name: 'LaunchFailed' });
    expect(lines).toEqual([expect.objectContaining({ level: 'ERROR', run: 'r1', wave: 1, error: expect.objectContaining({ name: 'LaunchFailed', message: 'no capacity' }) })]);
  });
});
