import { CloudFormationClient, CreateStackCommand, DescribeStacksCommand, UpdateStackCommand } from '@aws-sdk/client-cloudformation';
import { DescribeContinuousBackupsCommand, DescribeTimeToLiveCommand, DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { GetRolePolicyCommand, IAMClient, ListAttachedRolePoliciesCommand } from '@aws-sdk/client-iam';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetScheduleCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { CreateStateMachineCommand, DescribeExecutionCommand, SendTaskSuccessCommand, SFNClient, StartExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EventBridgeClientLike, putRule } from './python-events';
import { PythonEmulator, until } from './python-emulator';

const REGION = 'us-west-2';
const ACCOUNT = '123456789012';
const SOURCE = 'exports.handler = async () => ({ ok: true })';

let emulator: PythonEmulator;
let cloudFormation: CloudFormationClient;
let lambda: LambdaClient;
let sfn: SFNClient;
let machineRole: string;

const role = (service: string, extra = {}) => ({
  Type: 'AWS::IAM::Role',
  Properties: { AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }] }, ...extra },
});
const policy = (action: string) => ({
  Type: 'AWS::IAM::Policy',
  Properties: { PolicyName: 'p', Roles: [{ Ref: 'Role' }], PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: action, Resource: '*' }] } },
});
const resources = (action: string) => ({
  Role: role('lambda.amazonaws.com', { RoleName: 'worker', ManagedPolicyArns: ['arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole'] }),
  Policy: policy(action),
  Function: {
    Type: 'AWS::Lambda::Function',
    Properties: { FunctionName: 'worker', Runtime: 'nodejs22.x', Handler: 'index.handler', Timeout: 7, Role: { 'Fn::GetAtt': ['Role', 'Arn'] }, Code: { ZipFile: SOURCE }, Environment: { Variables: { A: 'b' } } },
  },
  Once: { Type: 'AWS::Lambda::EventInvokeConfig', Properties: { FunctionName: { Ref: 'Function' }, Qualifier: '$LATEST', MaximumRetryAttempts: 1 } },
  MachineRole: role('states.amazonaws.com', { RoleName: 'machine' }),
  Machine: {
    Type: 'AWS::StepFunctions::StateMachine',
    Properties: { StateMachineName: 'deployed', RoleArn: { 'Fn::GetAtt': ['MachineRole', 'Arn'] }, DefinitionString: '{"StartAt":"A","States":{"A":{"Type":"Pass","Result":"${Word}","End":true}}}', DefinitionSubstitutions: { Word: 'hello' } },
  },
  Table: {
    Type: 'AWS::DynamoDB::Table',
    Properties: {
      TableName: 'catalogue', BillingMode: 'PAY_PER_REQUEST', DeletionProtectionEnabled: true, SSESpecification: { SSEEnabled: true },
      AttributeDefinitions: ['pk', 'sk', 'work', 'sk2'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }, { AttributeName: 'sk', KeyType: 'RANGE' }],
      GlobalSecondaryIndexes: [{ IndexName: 'work', KeySchema: [{ AttributeName: 'work', KeyType: 'HASH' }, { AttributeName: 'sk2', KeyType: 'RANGE' }], Projection: { ProjectionType: 'ALL' } }],
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }, TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
    },
  },
  Schedule: {
    Type: 'AWS::Scheduler::Schedule',
    Properties: { Name: 'every', ScheduleExpression: 'rate(5 minutes)', FlexibleTimeWindow: { Mode: 'OFF' }, Target: { Arn: { 'Fn::GetAtt': ['Machine', 'Arn'] }, RoleArn: { 'Fn::GetAtt': ['MachineRole', 'Arn'] }, Input: '{"a":1}' } },
  },
});
const template = (action = 'ec2:DescribeInstances') => JSON.stringify({ Resources: resources(action), Outputs: { Machine: { Value: { Ref: 'Machine' } } } });

beforeAll(async () => {
  emulator = await PythonEmulator.start();
  cloudFormation = new CloudFormationClient(emulator.config(REGION));
  lambda = new LambdaClient(emulator.config(REGION));
  sfn = new SFNClient(emulator.config(REGION));
  await cloudFormation.send(new CreateStackCommand({ StackName: 'deployed', TemplateBody: template() }));
  machineRole = `arn:aws:iam::${ACCOUNT}:role/machine`;
});
afterAll(() => emulator.stop());
beforeEach(() => {
  emulator.invocations.length = 0;
  emulator.deliveries.length = 0;
  emulator.answer = () => ({ payload: '{"ok":true}', logTail: '' });
});

async function end(executionArn: string) {
  return until(async () => {
    const described = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    return described.status !== 'RUNNING' && described;
  });
}

let number = 0;
async function start(states: Record<string, unknown>, first: string, input = '{}'): Promise<string> {
  const { stateMachineArn } = await sfn.send(new CreateStateMachineCommand({ name: `m${++number}`, roleArn: machineRole, definition: JSON.stringify({ StartAt: first, States: states }) }));
  return (await sfn.send(new StartExecutionCommand({ stateMachineArn, input }))).executionArn!;
}

const task = (extra = {}, resource = 'lambda:invoke') => ({ Type: 'Task', Resource: `arn:aws:states:::${resource}`, Parameters: { FunctionName: 'worker', Payload: { 'token.$': '$$.Task.Token' } }, End: true, ...extra });

describe('CloudFormation', () => {
  test('what a template says of a table, a role and a schedule is so', async () => {
    const dynamo = new DynamoDBClient(emulator.config(REGION));
    const { ContinuousBackupsDescription } = await dynamo.send(new DescribeContinuousBackupsCommand({ TableName: 'catalogue' }));
    expect(ContinuousBackupsDescription!.PointInTimeRecoveryDescription!.PointInTimeRecoveryStatus).toBe('ENABLED');
    const { TimeToLiveDescription } = await dynamo.send(new DescribeTimeToLiveCommand({ TableName: 'catalogue' }));
    expect(TimeToLiveDescription).toMatchObject({ TimeToLiveStatus: 'ENABLED', AttributeName: 'ttl' });
    const { AttachedPolicies } = await new IAMClient(emulator.config(REGION)).send(new ListAttachedRolePoliciesCommand({ RoleName: 'worker' }));
    expect(AttachedPolicies!.map((p) => p.PolicyName)).toEqual(['AWSLambdaBasicExecutionRole']);
    const schedule = await new SchedulerClient(emulator.config(REGION)).send(new GetScheduleCommand({ Name: 'every' }));
    expect(schedule).toMatchObject({ ScheduleExpression: 'rate(5 minutes)', Target: { Arn: `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:deployed`, RoleArn: machineRole, Input: '{"a":1}' } });
  });

  test('a type without an adapter fails the stack, and nothing of it stays', async () => {
    const TemplateBody = JSON.stringify({ Resources: { Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'left-over' } }, Odd: { Type: 'AWS::Odd::Thing', DependsOn: 'Bus' } } });
    await expect(cloudFormation.send(new CreateStackCommand({ StackName: 'odd', TemplateBody }))).rejects.toThrow(/no adapter for AWS::Odd::Thing/);
    await expect(cloudFormation.send(new DescribeStacksCommand({ StackName: 'odd' }))).rejects.toThrow(/does not exist/);
    await expect(new EventBridgeClientLike(emulator, REGION).call('DescribeEventBus', { Name: 'left-over' })).rejects.toThrow(/does not exist/);
  });

  test('an update takes a permission away', async () => {
    await cloudFormation.send(new UpdateStackCommand({ StackName: 'deployed', TemplateBody: template('ec2:DescribeVolumes') }));
    const { PolicyDocument } = await new IAMClient(emulator.config(REGION)).send(new GetRolePolicyCommand({ RoleName: 'worker', PolicyName: 'p' }));
    expect(decodeURIComponent(PolicyDocument!)).toContain('ec2:DescribeVolumes');
    expect(decodeURIComponent(PolicyDocument!)).not.toContain('ec2:DescribeInstances');
  });

  test('many items of the catalogue are found by index, in its order', async () => {
    const dynamo = new DynamoDBClient(emulator.config(REGION));
    for (const n of [3, 1, 2]) await dynamo.send(new PutItemCommand({ TableName: 'catalogue', Item: { pk: { S: `p${n}` }, sk: { S: 's' }, ...(n === 2 ? {} : { work: { S: 'POINT' }, sk2: { S: `${n}` } }) } }));
    const found = await dynamo.send(new QueryCommand({ TableName: 'catalogue', IndexName: 'work', KeyConditionExpression: '#w = :w', ExpressionAttributeNames: { '#w': 'work' }, ExpressionAttributeValues: { ':w': { S: 'POINT' } } }));
    expect(found.Items!.map((i) => i.pk!.S)).toEqual(['p1', 'p3']);
    const one = await dynamo.send(new QueryCommand({ TableName: 'catalogue', KeyConditionExpression: 'pk = :p and begins_with(sk, :s)', ExpressionAttributeValues: { ':p': { S: 'p2' }, ':s': { S: 's' } } }));
    expect(one.Items).toEqual([{ pk: { S: 'p2' }, sk: { S: 's' } }]);
  });
});

describe('Lambda', () => {
  test('the deployed code is handed to the gateway, unzipped, with its environment and role', async () => {
    const { Payload, StatusCode } = await lambda.send(new InvokeCommand({ FunctionName: 'worker', Payload: '{"n":1}' }));
    expect([StatusCode, Payload!.transformToString()]).toEqual([200, '{"ok":true}']);
    const [invocation] = emulator.invocations;
    expect(invocation).toMatchObject({ functionName: 'worker', region: REGION, handler: 'index.handler', timeoutSeconds: 7, environment: { A: 'b' }, roleArn: `arn:aws:iam::${ACCOUNT}:role/worker`, payload: '{"n":1}' });
    expect(readFileSync(join(invocation!.codeDir as string, 'index.js'), 'utf8')).toBe(SOURCE);
  });

  test('an error of the function is one in the answer', async () => {
    emulator.answer = () => ({ payload: '{"errorType":"Odd"}', functionError: 'Unhandled', logTail: 'x' });
    expect(await lambda.send(new InvokeCommand({ FunctionName: 'worker' }))).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled' });
  });

  test('an asynchronous invocation is answered at once and tried again as often as configured', async () => {
    emulator.answer = () => ({ payload: '{}', functionError: 'Unhandled', logTail: '' });
    expect((await lambda.send(new InvokeCommand({ FunctionName: 'worker', InvocationType: 'Event', Payload: '{}' }))).StatusCode).toBe(202);
    await until(() => emulator.invocations.length === 2);
    await new Promise((done) => setTimeout(done, 1500));
    expect(emulator.invocations).toHaveLength(2);
  });
});

describe('Step Functions', () => {
  test('a deployed state machine executes, more than once, with its substitutions', async () => {
    const stateMachineArn = `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:deployed`;
    for (let n = 0; n < 2; n++) {
      const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn }));
      expect(await end(executionArn!)).toMatchObject({ status: 'SUCCEEDED', output: '"hello"' });
    }
    await sfn.send(new StartExecutionCommand({ stateMachineArn, name: 'once' }));
    await expect(sfn.send(new StartExecutionCommand({ stateMachineArn, name: 'once', input: '{"other":1}' }))).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
  });

  test('a task token ends the wait once, and not after its time-out', async () => {
    const wait = task({ TimeoutSecondsPath: '$.seconds', Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'Late' }] }, 'lambda:invoke.waitForTaskToken');
    const states = { Wait: wait, Late: { Type: 'Pass', Result: 'late', End: true } };
    const token = async () => (JSON.parse((await until(() => emulator.invocations[0])).payload as string) as { token: string }).token;
    const woken = await start(states, 'Wait', '{"seconds":30}');
    const taskToken = await token();
    await until(async () => {
      await sfn.send(new SendTaskSuccessCommand({ taskToken, output: '"woken"' }));
      return true;
    });
    expect(await end(woken)).toMatchObject({ status: 'SUCCEEDED', output: '"woken"' });
    await expect(sfn.send(new SendTaskSuccessCommand({ taskToken, output: '1' }))).rejects.toMatchObject({ name: 'TaskTimedOut' });

    emulator.invocations.length = 0;
    expect(await end(await start(states, 'Wait', '{"seconds":1}'))).toMatchObject({ output: '"late"' });
    await expect(sfn.send(new SendTaskSuccessCommand({ taskToken: await token(), output: '1' }))).rejects.toMatchObject({ name: 'TaskTimedOut' });
    await expect(sfn.send(new SendTaskSuccessCommand({ taskToken: 'nonsense', output: '1' }))).rejects.toMatchObject({ name: 'InvalidToken' });
  });

  test('an error of a function is retried, and caught by its name', async () => {
    emulator.answer = () => ({ payload: '{"errorType":"Odd","errorMessage":"m"}', functionError: 'Unhandled', logTail: '' });
    const states = {
      Work: { ...task({ Retry: [{ ErrorEquals: ['Odd'], IntervalSeconds: 1, MaxAttempts: 1 }], Catch: [{ ErrorEquals: ['Odd'], ResultPath: '$.error', Next: 'Caught' }] }), Parameters: { FunctionName: 'worker', Payload: { 'started.$': '$$.Execution.StartTime' } } },
      Caught: { Type: 'Pass', OutputPath: '$.error.Error', End: true },
    };
    expect(await end(await start(states, 'Work'))).toMatchObject({ status: 'SUCCEEDED', output: '"Odd"' });
    expect(emulator.invocations).toHaveLength(2);
    expect(emulator.invocations[0]!.payload).toMatch(/"started": ?"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/);
  });

  test('a stopped execution says when', async () => {
    const executionArn = await start({ Wait: { Type: 'Wait', Seconds: 60, End: true } }, 'Wait');
    await new Promise((done) => setTimeout(done, 200));
    expect((await sfn.send(new StopExecutionCommand({ executionArn }))).stopDate).toBeDefined();
    expect((await sfn.send(new DescribeExecutionCommand({ executionArn }))).status).toBe('ABORTED');
  });
});

describe('EventBridge', () => {
  test('an event goes to the targets of the rules that match it, and to no others', async () => {
    const events = new EventBridgeClientLike(emulator, REGION);
    await events.call('CreateEventBus', { Name: 'custom' });
    const matching = await putRule(events, { source: ['app'], detail: { state: [{ 'anything-but': ['idle'] }], n: [{ numeric: ['>', 3] }] } }, 'custom');
    await putRule(events, { source: ['app'], detail: { state: ['idle'] } }, 'custom');
    await putRule(events, { source: ['app'] });

    const answer = await events.call('PutEvents', { Entries: [{ EventBusName: 'custom', Source: 'app', DetailType: 'Change', Detail: '{"state":"busy","n":4}', Resources: ['arn:a'] }] });

    expect(answer).toMatchObject({ FailedEntryCount: 0 });
    await until(() => emulator.deliveries.length > 0);
    await new Promise((done) => setTimeout(done, 200));
    expect(emulator.deliveries).toHaveLength(1);
    expect(emulator.deliveries[0]).toMatchObject({ region: REGION, event: { source: 'app', 'detail-type': 'Change', region: REGION, account: ACCOUNT, resources: ['arn:a'], detail: { state: 'busy', n: 4 } } });
    expect(emulator.deliveries[0]!.ruleArn.endsWith(matching)).toBe(true);
    expect(emulator.deliveries[0]!.event.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });

  test('an event that a rule of another Region passes on keeps its Region, time and id', async () => {
    await putRule(new EventBridgeClientLike(emulator, REGION), { region: ['us-east-1'] });
    const OriginalEvent = { version: '0', id: 'e1', source: 'aws.ec2', 'detail-type': 'T', account: ACCOUNT, time: '2026-01-01T00:00:00Z', region: 'us-east-1', resources: [], detail: { a: 1 } };
    await new EventBridgeClientLike(emulator, REGION).call('PutEvents', { Entries: [{ Source: 'aws.ec2', DetailType: 'T', Detail: '{"a":1}', OriginalEvent }] });
    expect((await until(() => emulator.deliveries[0])).event).toEqual(OriginalEvent);
  });
});
