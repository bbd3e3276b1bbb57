import { DescribeInstancesCommand, EC2Client, ModifyInstanceAttributeCommand, StopInstancesCommand } from '@aws-sdk/client-ec2';
import { GetRolePolicyCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { ConditionalCheckFailedException, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { DynamoFences } from '../../../lambda/adapters/catalogue/fences';
import { DynamoLease } from '../../../lambda/adapters/catalogue/lease';
import { Table } from '../../../lambda/adapters/catalogue/table';
import { Ec2Fence } from '../../../lambda/adapters/ec2-fence';
import { IamRolePolicies } from '../../../lambda/adapters/iam-policies';
import { FIRST_LEASE, type Lease } from '../../../lambda/core/lease';

const ec2 = mockClient(EC2Client);
const iam = mockClient(IAMClient);
const ddb = mockClient(DynamoDBDocumentClient);
const table = new Table(DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'us-west-2' })), 'catalogue');
const unmet = new ConditionalCheckFailedException({ message: 'unmet', $metadata: {} });

beforeEach(() => {
  ec2.reset();
  iam.reset();
  ddb.reset();
});

describe('the lease', () => {
  const leases = new DynamoLease(table);
  const lease: Lease = { ...FIRST_LEASE, epoch: 3, version: 8 };

  test('is read consistently, and is the first one where there is no row', async () => {
    ddb.on(GetCommand).resolves({});
    expect(await leases.lease()).toBe(FIRST_LEASE);
    ddb.on(GetCommand).resolves({ Item: { pk: 'LEASE', sk: 'project', ...lease } });
    expect(await leases.lease()).toEqual(lease);
    expect(ddb.commandCalls(GetCommand)[0]!.args[0].input).toMatchObject({ Key: { pk: 'LEASE', sk: 'project' }, ConsistentRead: true });
  });

  test('is written only over the version that was read, and never with a lower epoch', async () => {
    ddb.on(PutCommand).resolves({});
    expect(await leases.saveLease({ ...lease, version: 1 }, FIRST_LEASE)).toBe(true);
    expect(await leases.saveLease({ ...lease, epoch: 4, version: 9 }, lease)).toBe(true);
    const [first, later] = ddb.commandCalls(PutCommand).map(({ args }) => args[0].input);
    expect(first).toMatchObject({ ConditionExpression: 'attribute_not_exists(#sk)' });
    expect(later).toMatchObject({ ConditionExpression: '#version = :version AND #epoch <= :epoch', ExpressionAttributeValues: { ':version': 8, ':epoch': 4 } });
    ddb.on(PutCommand).rejects(unmet);
    expect(await leases.saveLease(lease, lease)).toBe(false);
  });

  test('fencing is kept with its run', async () => {
    const fences = new DynamoFences(table);
    ddb.on(PutCommand).resolves({});
    ddb.on(QueryCommand).resolves({ Items: [{ pk: 'RUN#r1', sk: 'FENCE#db/i-1#stop', runId: 'r1', memberId: 'db/i-1' }] });
    await fences.saveFence({ runId: 'r1', memberId: 'db/i-1', action: 'stop', startedAt: 't', detail: '' });
    expect(ddb.commandCalls(PutCommand)[0]!.args[0].input.Item).toMatchObject({ pk: 'RUN#r1', sk: 'FENCE#db/i-1#stop' });
    expect(await fences.fences('r1')).toEqual([{ runId: 'r1', memberId: 'db/i-1' }]);
  });
});

describe('machines of the old side', () => {
  const fence = new Ec2Fence('us-east-1');

  test('are found by filters, with the groups of all their interfaces', async () => {
    ec2.on(DescribeInstancesCommand).resolves({ Reservations: [{ Instances: [{
      InstanceId: 'i-1', State: { Name: 'running' }, SecurityGroups: [{ GroupId: 'sg-a' }], NetworkInterfaces: [{ Groups: [{ GroupId: 'sg-a' }] }, { Groups: [{ GroupId: 'sg-b' }] }], Tags: [{ Key: 'a', Value: 'b' }],
    }] }] });
    expect(await fence.machines(['i-1', 'i-gone'])).toEqual([{ instanceId: 'i-1', state: 'running', securityGroupIds: ['sg-a', 'sg-b'], tags: { a: 'b' } }]);
    await fence.machinesWithTags({ app: 'web' });
    expect(ec2.commandCalls(DescribeInstancesCommand).map(({ args }) => args[0].input.Filters)).toEqual([
      [{ Name: 'instance-id', Values: ['i-1', 'i-gone'] }],
      [{ Name: 'tag:app', Values: ['web'] }, { Name: 'instance-state-name', Values: ['pending', 'running', 'stopping', 'stopped'] }],
    ]);
  });

  test('are stopped, by force where asked, and isolated', async () => {
    ec2.on(StopInstancesCommand).resolves({});
    ec2.on(ModifyInstanceAttributeCommand).resolves({});
    await fence.stop(['i-1'], false);
    await fence.stop(['i-1'], true);
    await fence.setSecurityGroups('i-1', ['sg-none']);
    expect(ec2.commandCalls(StopInstancesCommand).map(({ args }) => args[0].input)).toEqual([{ InstanceIds: ['i-1'] }, { InstanceIds: ['i-1'], Force: true }]);
    expect(ec2.commandCalls(ModifyInstanceAttributeCommand)[0]!.args[0].input).toEqual({ InstanceId: 'i-1', Groups: ['sg-none'] });
  });

  test('in a Region without answer are unreachable', async () => {
    ec2.on(DescribeInstancesCommand).rejects(Object.assign(new Error('connect ETIMEDOUT'), { name: 'TimeoutError' }));
    await expect(fence.machines(['i-1'])).rejects.toMatchObject({ kind: 'unreachable' });
  });
});

test('inline policies are read as they were written', async () => {
  const roles = new IamRolePolicies('us-west-2');
  iam.on(GetRolePolicyCommand).resolves({ PolicyDocument: encodeURIComponent('{"a":1}') });
  iam.on(PutRolePolicyCommand).resolves({});
  expect(await roles.policy('app', 'fenced')).toBe('{"a":1}');
  await roles.putPolicy('app', 'fenced', '{}');
  expect(iam.commandCalls(PutRolePolicyCommand)[0]!.args[0].input).toEqual({ RoleName: 'app', PolicyName: 'fenced', PolicyDocument: '{}' });
  iam.on(GetRolePolicyCommand).rejects(Object.assign(new Error('none'), { name: 'NoSuchEntityException', $metadata: { httpStatusCode: 404 } }));
  expect(await roles.policy('app', 'fenced')).toBeUndefined();
});
