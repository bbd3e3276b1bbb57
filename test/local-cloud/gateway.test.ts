import { ROLE, allow, judgeOf } from './support/iam';
import { TestGateway } from './support/gateway';

let gateway: TestGateway;
afterEach(() => gateway.close());

test('passes a call on as it came, and records it', async () => {
  gateway = await new TestGateway().open();
  const response = await gateway.call('GetItem');
  expect(await response.json()).toEqual({ ok: true });
  expect(gateway.reached).toEqual([{ url: '/', body: '{"TableName":"t"}' }]);
  expect(gateway.calls.all()).toMatchObject([{ region: 'us-west-2', service: 'dynamodb', operation: 'GetItem', principal: 'operator', status: 200, decision: 'unjudged' }]);
});

test('records the error that the emulator answers, by its name', async () => {
  gateway = await new TestGateway(undefined, () => [400, '{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}']).open();
  await gateway.call('PutItem');
  expect(gateway.calls.all()).toMatchObject([{ status: 400, errorCode: 'ConditionalCheckFailedException' }]);
});

test('what the emulator asks for itself is no API call', async () => {
  gateway = await new TestGateway().open();
  await fetch(`${gateway.endpoint}/_emulator/config`, { method: 'POST', body: '{}' });
  expect(gateway.reached).toHaveLength(1);
  expect(gateway.calls.count()).toBe(0);
  expect((await fetch(`${gateway.endpoint}/_local/unknown`, { method: 'POST' })).status).toBe(404);
});

describe('judged sessions', () => {
  const mint = (): Promise<string> => gateway.sessions.mint({ kind: 'function', roleArn: ROLE, name: 'worker', sourceArn: 'f', workerId: 'w1' }).then((session) => session.credentials.accessKeyId);

  test('are allowed what their role allows', async () => {
    gateway = await new TestGateway(judgeOf([allow('dynamodb:GetItem', '*')])).open();
    expect((await gateway.call('GetItem', { accessKeyId: await mint() })).status).toBe(200);
    expect(gateway.calls.all()).toMatchObject([{ principal: 'function:worker', decision: 'allowed' }]);
  });

  test('are denied the rest, which does not reach the emulator', async () => {
    gateway = await new TestGateway(judgeOf([])).open();
    const response = await gateway.call('GetItem', { accessKeyId: await mint() });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ __type: 'AccessDeniedException', message: expect.stringContaining('dynamodb:GetItem') });
    expect(gateway.reached).toEqual([]);
    expect(gateway.calls.all()).toMatchObject([{ decision: 'denied', errorCode: 'AccessDeniedException', reason: expect.stringContaining('dynamodb:GetItem') }]);
  });

  test('EC2 says it in its own way', async () => {
    gateway = await new TestGateway(judgeOf([])).open();
    const response = await gateway.call('DescribeInstances', { accessKeyId: await mint(), service: 'ec2', body: 'Action=DescribeInstances' });
    expect(response.status).toBe(403);
    expect(await response.text()).toContain('<Code>UnauthorizedOperation</Code>');
  });

  test('operators are not judged', async () => {
    gateway = await new TestGateway(judgeOf([])).open();
    expect((await gateway.call('GetItem')).status).toBe(200);
  });
});

describe('faults', () => {
  beforeEach(async () => { gateway = await new TestGateway().open(); });

  test('a refused Region is refused for all that is signed for it, and for nothing else', async () => {
    gateway.faults.refuseRegion('us-east-1');
    await expect(gateway.call('GetItem', { region: 'us-east-1' })).rejects.toThrow();
    expect((await gateway.call('GetItem')).status).toBe(200);
    gateway.faults.restoreRegion('us-east-1');
    expect((await gateway.call('GetItem', { region: 'us-east-1' })).status).toBe(200);
    expect(gateway.calls.filter({ fault: 'refused-region' })).toMatchObject([{ region: 'us-east-1', status: 0, errorCode: 'RegionRefused' }]);
    expect(gateway.reached).toHaveLength(2);
  });

  test('a Region can also be unavailable politely', async () => {
    gateway.faults.refuseRegion('us-east-1', 'unavailable');
    expect((await gateway.call('GetItem', { region: 'us-east-1' })).status).toBe(503);
  });

  test.each([
    ['dynamodb', '{}', 400, 'ThrottlingException'],
    ['ec2', 'Action=DescribeInstances', 503, 'RequestLimitExceeded'],
    ['lambda', '{}', 429, 'TooManyRequestsException'],
  ])('%s throttles in its own words', async (service, body, status, code) => {
    gateway.faults.inject({ kind: 'throttle', service });
    const response = await gateway.call('Any', { service, body });
    expect(response.status).toBe(status);
    expect(`${response.headers.get('x-amzn-errortype')} ${await response.text()}`).toContain(code);
    expect(gateway.reached).toEqual([]);
  });

  test('an error is not done', async () => {
    gateway.faults.inject({ kind: 'error' });
    expect((await gateway.call('PutItem')).status).toBe(500);
    expect(gateway.reached).toEqual([]);
  });

  test('a dropped answer is done all the same', async () => {
    gateway.faults.inject({ kind: 'drop-answer', operation: 'PutItem' });
    await expect(gateway.call('PutItem')).rejects.toThrow();
    expect(gateway.reached).toHaveLength(1);
    expect(gateway.calls.all()).toMatchObject([{ status: 0, errorCode: 'AnswerDropped' }]);
  });

  test('a duplicate is done twice, and the caller gets the second answer', async () => {
    let answers = 0;
    await gateway.close();
    gateway = await new TestGateway(undefined, () => { answers += 1; return [200, `{"answer":${answers}}`]; }).open();
    gateway.faults.inject({ kind: 'duplicate', operation: 'PutItem' });
    expect(await (await gateway.call('PutItem')).json()).toEqual({ answer: 2 });
    expect(gateway.reached.map(({ body }) => body)).toEqual(['{"TableName":"t"}', '{"TableName":"t"}']);
    expect(gateway.calls.all()).toMatchObject([{ operation: 'PutItem', status: 200, fault: 'duplicate' }]);
  });

  test('contents that are streamed are duplicated whole', async () => {
    gateway.faults.inject({ kind: 'duplicate' });
    await gateway.call('PutObject', { service: 's3', body: 'contents' });
    expect(gateway.reached.map(({ body }) => body)).toEqual(['contents', 'contents']);
  });

  test('a Region can be refused from a certain call on', async () => {
    gateway.faults.inject({ kind: 'refuse-region', operation: 'PutItem', nth: 2 });
    expect((await gateway.call('PutItem')).status).toBe(200);
    await expect(gateway.call('PutItem')).rejects.toThrow();
    await expect(gateway.call('GetItem')).rejects.toThrow();
    expect((await gateway.call('GetItem', { region: 'us-east-1' })).status).toBe(200);
    gateway.faults.clear();
    expect((await gateway.call('GetItem')).status).toBe(200);
    expect(gateway.reached).toHaveLength(3);
  });

  test('a time-out lasts as long as the caller waits', async () => {
    gateway.faults.inject({ kind: 'timeout' });
    const { endpoint } = gateway;
    const headers = { authorization: 'AWS4-HMAC-SHA256 Credential=A/20260101/us-west-2/dynamodb/aws4_request, Signature=0', 'x-amz-target': 'X.GetItem' };
    await expect(fetch(endpoint, { method: 'POST', headers, body: '{}', signal: AbortSignal.timeout(200) })).rejects.toThrow(/timeout/);
    expect(gateway.reached).toEqual([]);
  });

  test('a slow call is done late', async () => {
    gateway.faults.inject({ kind: 'slow', delayMs: 150 });
    const began = Date.now();
    expect((await gateway.call('GetItem')).status).toBe(200);
    expect(Date.now() - began).toBeGreaterThanOrEqual(145);
  });

  test.each([['before', 0], ['after', 1]] as const)('a caller is killed %s the work', async (when, done) => {
    const { credentials } = await gateway.sessions.mint({ kind: 'function', roleArn: ROLE, name: 'worker', sourceArn: 'f', workerId: 'w1' });
    gateway.faults.inject({ kind: 'kill-caller', when, principal: 'function:worker' });
    await expect(gateway.call('PutItem', { accessKeyId: credentials.accessKeyId })).rejects.toThrow();
    expect(gateway.killed).toEqual(['w1']);
    expect(gateway.reached).toHaveLength(done);
  });

  test('only functions can be killed', async () => {
    const fault = gateway.faults.inject({ kind: 'kill-caller' });
    expect((await gateway.call('PutItem')).status).toBe(200);
    expect(fault.hits).toBe(0);
  });

  test('a caller can be matched by a pattern', async () => {
    gateway.faults.inject({ kind: 'throttle', principal: /^oper/ });
    gateway.faults.inject({ kind: 'error', principal: /^function:/ });
    expect((await gateway.call('GetItem')).status).toBe(400);
    expect((await gateway.call('GetItem')).status).toBe(200);
  });

  test('strikes the nth matching call, and as often as asked', async () => {
    const fault = gateway.faults.inject({ kind: 'throttle', operation: 'PutItem', nth: 2, times: 2 });
    const statuses: number[] = [];
    for (const operation of ['PutItem', 'GetItem', 'PutItem', 'PutItem', 'PutItem']) statuses.push((await gateway.call(operation)).status);
    expect(statuses).toEqual([200, 200, 400, 400, 200]);
    expect(fault.hits).toBe(2);
  });

  test('a seed strikes the same calls again', async () => {
    const strike = async (): Promise<number[]> => {
      const fault = gateway.faults.inject({ kind: 'throttle', seed: 7, probability: 0.5 });
      const statuses: number[] = [];
      for (let i = 0; i < 20; i += 1) statuses.push((await gateway.call('GetItem')).status);
      fault.remove();
      return statuses;
    };
    const first = await strike();
    expect(await strike()).toEqual(first);
    expect(new Set(first)).toEqual(new Set([200, 400]));
  });
});
