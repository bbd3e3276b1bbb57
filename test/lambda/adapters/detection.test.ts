import { CloudWatchClient, DescribeAlarmsCommand, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeInstanceStatusCommand, EC2Client } from '@aws-sdk/client-ec2';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { DynamoDetection } from '../../../lambda/adapters/catalogue/detection';
import { Table } from '../../../lambda/adapters/catalogue/table';
import { CloudWatchMonitoring } from '../../../lambda/adapters/cloudwatch';
import { Ec2InstanceStatuses } from '../../../lambda/adapters/ec2-status';
import { SnsNotifications } from '../../../lambda/adapters/sns';
import { SfnStarter } from '../../../lambda/adapters/start-execution';
import { INITIAL_STATE } from '../../../lambda/core/detector';

const [cloudwatch, ec2, states, sns, document] = [mockClient(CloudWatchClient), mockClient(EC2Client), mockClient(SFNClient), mockClient(SNSClient), mockClient(DynamoDBDocumentClient)];
const refusal = (name: string, message = 'refused') => Object.assign(new Error(message), { name, $metadata: { httpStatusCode: 400 } });
const unmet = new ConditionalCheckFailedException({ message: 'unmet', $metadata: {} });

beforeEach(() => [cloudwatch, ec2, states, sns, document].forEach((mock) => void mock.reset()));

describe('executions', () => {
  const starter = new SfnStarter('us-west-2');

  test('of a name are started once', async () => {
    states.on(StartExecutionCommand).resolvesOnce({}).rejectsOnce(refusal('ExecutionAlreadyExists')).rejects(refusal('AccessDeniedException'));
    expect([await starter.start('arn:m', 'incident-1', { mode: 'failover' }), await starter.start('arn:m', 'incident-1', {})]).toEqual([true, false]);
    expect(states.commandCalls(StartExecutionCommand)[0]!.args[0].input).toEqual({ stateMachineArn: 'arn:m', name: 'incident-1', input: '{"mode":"failover"}' });
    await expect(starter.start('arn:m', 'incident-2', {})).rejects.toMatchObject({ kind: 'denied' });
  });
});

test('subjects of notifications are what SNS takes', async () => {
  sns.on(PublishCommand).resolves({});
  await new SnsNotifications('us-west-2').publish('arn:t', `Zürich\n${'x'.repeat(200)}`, 'text');
  expect(sns.commandCalls(PublishCommand)[0]!.args[0].input).toEqual({ TopicArn: 'arn:t', Subject: `Z?rich?${'x'.repeat(93)}`, Message: 'text' });
});

describe('EC2 status checks', () => {
  const statuses = new Ec2InstanceStatuses('us-east-1');
  const state = (InstanceId: string, Name: string, instance = 'ok', system = 'ok', ebs?: string) => ({
    InstanceId, InstanceState: { Name }, InstanceStatus: { Status: instance }, SystemStatus: { Status: system }, ...(ebs ? { AttachedEbsStatus: { Status: ebs } } : {}),
  }) as never;

  test('what they mean', async () => {
    ec2.on(DescribeInstanceStatusCommand).resolves({ InstanceStatuses: [
      state('i-1', 'running'), state('i-2', 'running', 'initializing'), state('i-3', 'running', 'ok', 'impaired'), state('i-4', 'stopped', 'not-applicable', 'not-applicable'),
      state('i-5', 'pending', 'initializing'), state('i-6', 'running', 'ok', 'ok', 'impaired'), state('i-7', 'running', 'insufficient-data', 'ok'),
    ] });
    const health = await statuses.healthOf(['i-1', 'i-2', 'i-3', 'i-4', 'i-5', 'i-6', 'i-7', 'i-8']);
    expect(Object.fromEntries(health)).toEqual({
      'i-1': 'healthy', 'i-2': 'initializing', 'i-3': 'impaired', 'i-4': 'not-running', 'i-5': 'initializing', 'i-6': 'impaired', 'i-7': 'initializing', 'i-8': 'not-running',
    });
    expect(ec2.commandCalls(DescribeInstanceStatusCommand)[0]!.args[0].input).toMatchObject({ IncludeAllInstances: true });
  });

  test('an instance that is gone does not hide the others', async () => {
    ec2.on(DescribeInstanceStatusCommand).rejectsOnce(refusal('InvalidInstanceID.NotFound', "The instance ID 'i-0dead' does not exist")).resolves({ InstanceStatuses: [state('i-01', 'running')] });
    expect(Object.fromEntries(await statuses.healthOf(['i-01', 'i-0dead']))).toEqual({ 'i-01': 'healthy', 'i-0dead': 'not-running' });
    ec2.reset();
    ec2.on(DescribeInstanceStatusCommand).rejects(refusal('InvalidInstanceID.NotFound', "The instance ID 'i-0dead' does not exist"));
    expect(Object.fromEntries(await statuses.healthOf(['i-0dead']))).toEqual({ 'i-0dead': 'not-running' });
    await expect(statuses.healthOf(['i-0f'])).rejects.toMatchObject({ kind: 'not-found' });
  });
});

describe('CloudWatch', () => {
  const monitoring = new CloudWatchMonitoring();
  const query = { namespace: 'N', metricName: 'Errors', dimensions: { App: 'shop' }, statistic: 'Sum', periodSeconds: 60 };

  test('the newest value of the last periods, or none', async () => {
    const [early, late] = [new Date('2030-01-01T00:01:00Z'), new Date('2030-01-01T00:02:00Z')];
    cloudwatch.on(GetMetricDataCommand).resolvesOnce({ MetricDataResults: [{ Timestamps: [early, late], Values: [1, 2] }] }).resolves({ MetricDataResults: [] });
    expect(await monitoring.newestValue('us-east-1', query, '2030-01-01T00:03:00.000Z')).toEqual({ value: 2, at: late.toISOString() });
    expect(await monitoring.newestValue('us-east-1', query, '2030-01-01T00:03:00.000Z')).toBeUndefined();
    expect(cloudwatch.commandCalls(GetMetricDataCommand)[0]!.args[0].input).toMatchObject({
      StartTime: new Date('2029-12-31T23:59:00Z'), EndTime: new Date('2030-01-01T00:03:00Z'),
      MetricDataQueries: [{ MetricStat: { Metric: { Namespace: 'N', MetricName: 'Errors', Dimensions: [{ Name: 'App', Value: 'shop' }] }, Period: 60, Stat: 'Sum' } }],
    });
  });

  test('alarms of both kinds, or none', async () => {
    cloudwatch.on(DescribeAlarmsCommand).resolvesOnce({ MetricAlarms: [{ StateValue: 'OK', StateReason: 'fine' }] }).resolvesOnce({ CompositeAlarms: [{ StateValue: 'ALARM' }] }).resolves({});
    const look = () => monitoring.alarm('us-east-1', 'a');
    expect([await look(), await look(), await look()]).toEqual([{ state: 'OK', reason: 'fine' }, { state: 'ALARM', reason: '' }, undefined]);
    expect(cloudwatch.commandCalls(DescribeAlarmsCommand)[0]!.args[0].input).toEqual({ AlarmNames: ['a'], AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] });
  });

  test('a Region that does not answer is unreachable', async () => {
    cloudwatch.rejects(Object.assign(new Error('x'), { name: 'TimeoutError' }));
    await expect(monitoring.alarm('us-east-1', 'a')).rejects.toMatchObject({ kind: 'unreachable' });
  });
});

describe('the catalogue', () => {
  const store = new DynamoDetection(new Table(DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'us-west-2' })), 'catalogue'));
  const put = () => document.commandCalls(PutCommand).at(-1)!.args[0].input;

  test('a detector\'s state is written if it is as it was read', async () => {
    document.on(PutCommand).resolvesOnce({}).resolvesOnce({}).rejects(unmet);
    await store.saveDetector('project', { ...INITIAL_STATE, version: 1 }, 0);
    expect(put()).toMatchObject({ Item: { pk: 'DETECTOR', sk: 'project', version: 1 }, ConditionExpression: 'attribute_not_exists(#sk)' });
    await store.saveDetector('project', { ...INITIAL_STATE, version: 8 }, 7);
    expect(put()).toMatchObject({ ConditionExpression: '#version = :read', ExpressionAttributeValues: { ':read': 7 } });
    await expect(store.saveDetector('project', INITIAL_STATE, 7)).rejects.toMatchObject({ name: 'ConflictError' });
  });

  test('is read without the table\'s own attributes', async () => {
    document.on(GetCommand).resolvesOnce({ Item: { pk: 'DETECTOR', sk: 'project', ...INITIAL_STATE } }).resolves({});
    expect(await store.detector('project')).toEqual(INITIAL_STATE);
    expect([await store.detector('x'), await store.report('x'), await store.approval('x')]).toEqual([undefined, undefined, undefined]);
  });

  test('heartbeats are those rows that have a time', async () => {
    document.on(QueryCommand).resolves({ Items: [{ pk: 'HEARTBEAT', sk: 'agent-1', at: 't', endpoint: 'erp' }, { pk: 'HEARTBEAT', sk: 'agent-2', at: 'u' }, { pk: 'HEARTBEAT', sk: 'odd' }] });
    expect(await store.heartbeats()).toEqual([{ agent: 'agent-1', at: 't', endpoint: 'erp' }, { agent: 'agent-2', at: 'u' }]);
  });

  test('a report is kept if it is the later one', async () => {
    document.on(PutCommand).resolvesOnce({}).rejects(unmet);
    const report = { signal: 'a', status: 'unhealthy', at: '2030-01-01T00:00:00.000Z', detail: '' } as const;
    await store.saveReport(report);
    expect(put()).toMatchObject({ Item: { pk: 'REPORT', sk: 'a' }, ConditionExpression: 'attribute_not_exists(#sk) OR #at < :at' });
    await store.saveReport(report);
  });

  test('a question is asked and answered while it is pending', async () => {
    const question = { incidentId: 'i', scope: 'project', status: 'PENDING', token: 't', request: { mode: 'failover' }, askedAt: '', expiresAt: '2030-01-01T00:00:00.000Z' } as const;
    document.on(PutCommand).resolvesOnce({}).rejects(unmet).on(UpdateCommand).resolvesOnce({ Attributes: { status: 'PENDING' } }).rejects(unmet);
    expect([await store.ask(question), await store.ask(question)]).toEqual([true, false]);
    const answer = { status: 'APPROVED', answeredBy: 'alice', answeredAt: 'now' } as const;
    expect([await store.answer('i', answer), await store.answer('i', answer)]).toEqual([true, false]);
    expect(document.commandCalls(UpdateCommand)[0]!.args[0].input).toMatchObject({ Key: { pk: 'APPROVAL', sk: 'i' }, ConditionExpression: '#status = :pending', ExpressionAttributeValues: { ':status': 'APPROVED', ':by': 'alice' } });
  });
});
