import { DeleteRolePolicyCommand, IAMClient, ListRolePoliciesCommand, ListRolesCommand } from '@aws-sdk/client-iam';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { join } from 'node:path';
import { LocalCloud } from '../../local-cloud';
import { sleep, until } from './support/processes';

jest.setTimeout(180_000);

const MACHINE = 'arn:aws:states:us-west-2:123456789012:stateMachine:machine';
let cloud: LocalCloud;
let states: SFNClient;

beforeAll(async () => {
  cloud = await LocalCloud.start();
  states = new SFNClient(cloud.clientConfig('us-west-2'));
  await cloud.bootstrap();
  await cloud.deploy({ app: 'node app.cjs', cwd: join(__dirname, 'fixture') });
  cloud.calls.clear();
});
afterAll(async () => {
  states.destroy();
  await cloud.stop();
});
beforeEach(() => { cloud.calls.clear(); });

async function execute(input: object): Promise<{ readonly status?: string; readonly error?: string; readonly output: unknown }> {
  const { executionArn } = await states.send(new StartExecutionCommand({ stateMachineArn: MACHINE, input: JSON.stringify(input) }));
  for (;;) {
    const { status, error, output } = await states.send(new DescribeExecutionCommand({ executionArn }));
    if (status !== 'RUNNING') return { status, error, output: output ? (JSON.parse(output) as { Payload: unknown }).Payload : undefined };
    await sleep(50);
  }
}

const puts = (id: string): (() => boolean) => () => cloud.logs('worker').some((line) => line.includes(`"id":"${id}"`))
  && cloud.calls.count({ operation: 'PutItem', principal: 'function:worker', status: 200 }) > 0;

test('a state machine calls a function, each as its own role', async () => {
  expect(await execute({ do: 'put', id: 'a' })).toMatchObject({ status: 'SUCCEEDED', output: { status: 200 } });
  expect(cloud.calls.filter({ decision: 'allowed' })).toMatchObject([
    { service: 'dynamodb', operation: 'PutItem', principal: 'function:worker', region: 'us-west-2' },
    { service: 'lambda', operation: 'Invoke', principal: 'state-machine:machine' },
  ]);
});

test('what the role does not allow is denied, and the state machine sees it', async () => {
  expect(await execute({ do: 'get' })).toMatchObject({ status: 'FAILED', error: 'AccessDeniedException' });
  expect(cloud.calls.filter({ decision: 'denied' })).toMatchObject([{ operation: 'GetItem', principal: 'function:worker', errorCode: 'AccessDeniedException' }]);
});

test('an event of the source Region reaches the function in the other one', async () => {
  const entry = { Source: 'shop', DetailType: 'order', Detail: JSON.stringify({ number: 7 }) };
  const response = await fetch(cloud.endpoint, {
    method: 'POST', body: JSON.stringify({ Entries: [entry] }),
    headers: {
      authorization: 'AWS4-HMAC-SHA256 Credential=AKIAOPERATOR/20260101/us-east-1/events/aws4_request, SignedHeaders=host, Signature=0',
      'x-amz-target': 'AWSEvents.PutEvents', 'content-type': 'application/x-amz-json-1.1',
    },
  });
  expect(await response.json()).toMatchObject({ FailedEntryCount: 0 });
  await until(() => cloud.logs('worker').some((line) => line.includes('"number":7')));
  expect(cloud.calls.filter(({ principal }) => principal.startsWith('rule:'))).toMatchObject([
    { service: 'events', operation: 'PutEvents', region: 'us-west-2', decision: 'allowed' },
    { service: 'lambda', operation: 'Invoke', region: 'us-west-2', decision: 'allowed' },
  ]);
});

test('a schedule is listed, and fired by hand it starts the state machine', async () => {
  expect(await cloud.schedules.list()).toMatchObject([{ name: 'tick', region: 'us-west-2', expression: 'rate(1 hour)', targetArn: MACHINE, enabled: true }]);
  await cloud.schedules.fire('tick');
  await until(puts('from-schedule'));
  await expect(cloud.schedules.fire('nothing')).rejects.toThrow('No schedule is named nothing. There are: tick.');
});

test.each([['before', 0], ['after', 1]] as const)('a function that is killed %s its write fails, and has written %i times', async (when, times) => {
  cloud.faults.inject({ kind: 'kill-caller', operation: 'PutItem', when });
  expect(await execute({ do: 'put', id: `killed-${when}` })).toMatchObject({ status: 'FAILED', error: 'Runtime.ExitError' });
  expect(cloud.calls.count(({ operation, decision }) => operation === 'PutItem' && decision === 'allowed')).toBe(times);
  expect(await execute({ do: 'put', id: 'next' })).toMatchObject({ status: 'SUCCEEDED' });
});

test('a throttled call is tried again by the function\'s own SDK', async () => {
  const fault = cloud.faults.inject({ kind: 'throttle', operation: 'PutItem', times: 2 });
  expect(await execute({ do: 'put', id: 'throttled' })).toMatchObject({ status: 'SUCCEEDED' });
  expect(fault.hits).toBe(2);
});

test('with the source Region refused the function does not reach it, and the rest works', async () => {
  cloud.faults.refuseRegion('us-east-1');
  expect(await execute({ do: 'look' })).toMatchObject({ status: 'FAILED' });
  expect(await execute({ do: 'put', id: 'alone' })).toMatchObject({ status: 'SUCCEEDED' });
  expect(cloud.calls.filter({ region: 'us-east-1' }).every(({ errorCode }) => errorCode === 'RegionRefused')).toBe(true);
  cloud.faults.clear();
  expect(await execute({ do: 'look' })).toMatchObject({ status: 'SUCCEEDED' });
});

test('a permission that is taken from the role is missed at once', async () => {
  expect(await execute({ do: 'put', id: 'before' })).toMatchObject({ status: 'SUCCEEDED' });
  const iam = new IAMClient(cloud.clientConfig('us-east-1'));
  const { Roles } = await iam.send(new ListRolesCommand({ MaxItems: 200 }));
  const RoleName = Roles!.map((role) => role.RoleName!).find((name) => name.startsWith('Recovery-WorkerServiceRole'));
  const { PolicyNames } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
  for (const PolicyName of PolicyNames!) await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName }));
  iam.destroy();
  expect(await execute({ do: 'put', id: 'after' })).toMatchObject({ status: 'FAILED', error: 'AccessDeniedException' });
});
