import { ACCOUNT, ROLE, SESSION, allow, judgeOf } from './support/iam';
import { jsonCall, queryCall, restCall } from './support/calls';

const TABLE = `arn:aws:dynamodb:us-west-2:${ACCOUNT}:table/catalogue`;
const FUNCTION = `arn:aws:lambda:us-west-2:${ACCOUNT}:function:f`;
const denied = (words: string): object => ({ allowed: false, reason: expect.stringContaining(words) });

describe('identity policies', () => {
  test('allow what they name', async () => {
    const judge = judgeOf([allow('dynamodb:GetItem', TABLE)]);
    expect(await judge.judge(SESSION, jsonCall('dynamodb', 'GetItem', { TableName: 'catalogue' }))).toEqual({ allowed: true });
  });

  test('deny an action that is missing', async () => {
    const judge = judgeOf([allow('dynamodb:GetItem', TABLE)]);
    expect(await judge.judge(SESSION, jsonCall('dynamodb', 'PutItem', { TableName: 'catalogue' }))).toEqual(denied('dynamodb:PutItem'));
  });

  test('deny another resource, and the same in another Region', async () => {
    const judge = judgeOf([allow('dynamodb:GetItem', TABLE)]);
    expect(await judge.judge(SESSION, jsonCall('dynamodb', 'GetItem', { TableName: 'other' }))).toEqual(denied('table/other'));
    expect(await judge.judge(SESSION, jsonCall('dynamodb', 'GetItem', { TableName: 'catalogue' }, 'us-east-1'))).toEqual(denied('us-east-1'));
  });

  test('an explicit deny wins', async () => {
    const judge = judgeOf([allow('dynamodb:*', '*'), { ...allow('dynamodb:DeleteItem', '*'), Effect: 'Deny' }]);
    expect(await judge.judge(SESSION, jsonCall('dynamodb', 'DeleteItem', { TableName: 'catalogue' }))).toEqual(denied('explicit deny'));
  });

  test('a role without policies may do nothing but ask who it is', async () => {
    const judge = judgeOf([]);
    expect(await judge.judge(SESSION, queryCall('ec2', 'DescribeInstances'))).toEqual(denied('ec2:DescribeInstances'));
    expect(await judge.judge(SESSION, queryCall('sts', 'GetCallerIdentity'))).toEqual({ allowed: true });
  });

  test('an operation that is in no table is denied, whatever the policy says', async () => {
    const judge = judgeOf([allow('*', '*')]);
    expect(await judge.judge(SESSION, queryCall('ec2', 'CreateVpc'))).toEqual(denied('does not know what ec2:CreateVpc requires'));
    expect(await judge.judge(SESSION, jsonCall('sqs', 'SendMessage'))).toEqual(denied('sqs:SendMessage'));
    expect(await judge.judge(SESSION, jsonCall('dynamodb', 'constructor'))).toEqual(denied('dynamodb:constructor'));
  });
});

describe('DynamoDB', () => {
  test('a query of an index needs the index', async () => {
    const query = jsonCall('dynamodb', 'Query', { TableName: 'catalogue', IndexName: 'work' });
    expect(await judgeOf([allow('dynamodb:Query', TABLE)]).judge(SESSION, query)).toEqual(denied('index/work'));
    expect(await judgeOf([allow('dynamodb:Query', `${TABLE}/index/*`)]).judge(SESSION, query)).toEqual({ allowed: true });
  });

  test('a transaction needs the permission of each of its items', async () => {
    const write = jsonCall('dynamodb', 'TransactWriteItems', { TransactItems: [{ Put: { TableName: 'catalogue' } }, { ConditionCheck: { TableName: 'catalogue' } }] });
    expect(await judgeOf([allow('dynamodb:PutItem', TABLE)]).judge(SESSION, write)).toEqual(denied('dynamodb:ConditionCheckItem'));
    expect(await judgeOf([allow(['dynamodb:PutItem', 'dynamodb:ConditionCheckItem'], TABLE)]).judge(SESSION, write)).toEqual({ allowed: true });
  });
});

describe('resource policies', () => {
  const invoke = restCall('lambda', 'Invoke', 'POST', `/2015-03-31/functions/${encodeURIComponent(FUNCTION)}/invocations`);
  const eventBridge = { ...SESSION, kind: 'service' as const, roleArn: undefined, principal: 'events.amazonaws.com', context: { 'aws:SourceArn': `arn:aws:events:us-west-2:${ACCOUNT}:rule/wake` } };
  const permission = (rule: string): object => ({
    Sid: 'Rule', Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'lambda:InvokeFunction', Resource: FUNCTION,
    Condition: { ArnLike: { 'AWS:SourceArn': `arn:aws:events:us-west-2:${ACCOUNT}:rule/${rule}` } },
  });

  test('let a service call a function without a role', async () => {
    const judge = judgeOf([], { functionPolicy: { Version: '2012-10-17', Statement: [permission('wake')] } });
    expect(await judge.judge(eventBridge, invoke)).toEqual({ allowed: true });
  });

  test('but only for the rule that they name', async () => {
    const judge = judgeOf([], { functionPolicy: { Version: '2012-10-17', Statement: [permission('another')] } });
    expect(await judge.judge(eventBridge, invoke)).toEqual(denied('lambda:InvokeFunction'));
    expect(await judgeOf([]).judge(eventBridge, invoke)).toEqual(denied('lambda:InvokeFunction'));
  });

  test('within the account an identity policy is enough', async () => {
    expect(await judgeOf([allow('lambda:InvokeFunction', FUNCTION)]).judge(SESSION, invoke)).toEqual({ allowed: true });
  });
});

describe('trust policies', () => {
  const trust = (principal: string, condition?: object): { Statement: unknown } => ({
    Statement: [{ Effect: 'Allow', Principal: { Service: principal }, Action: 'sts:AssumeRole', ...(condition ? { Condition: condition } : {}) }],
  });
  const machine = `arn:aws:states:us-west-2:${ACCOUNT}:stateMachine:cycle`;

  test('must name the service', async () => {
    expect(await judgeOf([], {}, trust('states.amazonaws.com')).refusesTrust(ROLE, 'states.amazonaws.com', machine)).toBeUndefined();
    expect(await judgeOf([], {}, trust('states.us-west-2.amazonaws.com')).refusesTrust(ROLE, 'states.amazonaws.com', machine)).toBeUndefined();
    expect(await judgeOf([], {}, trust('lambda.amazonaws.com')).refusesTrust(ROLE, 'states.amazonaws.com', machine)).toContain('does not let');
  });

  test('can be bound to what the service does it for', async () => {
    const bound = (source: string): { Statement: unknown } => trust('states.amazonaws.com', { ArnLike: { 'aws:SourceArn': source }, StringEquals: { 'aws:SourceAccount': ACCOUNT } });
    expect(await judgeOf([], {}, bound(`arn:aws:states:us-west-2:${ACCOUNT}:stateMachine:*`)).refusesTrust(ROLE, 'states.amazonaws.com', machine)).toBeUndefined();
    expect(await judgeOf([], {}, bound(`arn:aws:states:us-east-1:${ACCOUNT}:stateMachine:*`)).refusesTrust(ROLE, 'states.amazonaws.com', machine)).toContain('does not let');
  });
});

test('after the first, the same decision takes no time', async () => {
  const judge = judgeOf([allow('dynamodb:GetItem', TABLE)]);
  const call = jsonCall('dynamodb', 'GetItem', { TableName: 'catalogue' });
  await judge.judge(SESSION, call);
  const began = performance.now();
  for (let i = 0; i < 1000; i += 1) await judge.judge(SESSION, call);
  expect((performance.now() - began) / 1000).toBeLessThan(1);
});
