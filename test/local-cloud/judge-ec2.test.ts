import { ACCOUNT, SESSION, allow, judgeOf, type Account } from './support/iam';
import { jsonCall, queryCall, restCall } from './support/calls';

const PROJECT = 'disaster-recovery:project';
const EC2 = 'arn:aws:ec2:*';
const denied = (words: string): object => ({ allowed: false, reason: expect.stringContaining(words) });
const tagged = { StringEquals: { [`aws:ResourceTag/${PROJECT}`]: 'shop' } };
const tagging = { StringEquals: { [`aws:RequestTag/${PROJECT}`]: 'shop' } };
const give = (type: string): Record<string, string> => ({
  'TagSpecification.1.ResourceType': type, 'TagSpecification.1.Tag.1.Key': PROJECT, 'TagSpecification.1.Tag.1.Value': 'shop',
});
const KEY = `arn:aws:kms:us-west-2:${ACCOUNT}:key/11111111-2222-3333-4444-555555555555`;
const DELEGATING = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'kms:*', Resource: '*' }] };

describe('CreateSnapshots', () => {
  const account: Account = { tags: { 'i-1': { [PROJECT]: 'shop' }, 'i-2': {} }, volumes: { 'i-1': ['vol-1', 'vol-2'], 'i-2': ['vol-3'] } };
  const snapshots = (id: string, tags = give('snapshot')) => queryCall('ec2', 'CreateSnapshots', { 'InstanceSpecification.InstanceId': id, ...tags }, 'us-east-1');
  const statements = [
    allow('ec2:CreateSnapshots', `${EC2}:${ACCOUNT}:instance/*`, tagged),
    allow('ec2:CreateSnapshots', `${EC2}:${ACCOUNT}:volume/*`),
    allow('ec2:CreateSnapshots', `${EC2}::snapshot/*`, tagging),
    allow('ec2:CreateTags', `${EC2}::snapshot/*`, { StringEquals: { 'ec2:CreateAction': 'CreateSnapshots' } }),
  ];

  test('of an instance that carries the tag', async () => {
    expect(await judgeOf(statements, account).judge(SESSION, snapshots('i-1'))).toEqual({ allowed: true });
  });

  test('not of one that does not', async () => {
    expect(await judgeOf(statements, account).judge(SESSION, snapshots('i-2'))).toEqual(denied('instance/i-2'));
  });

  test('not without permission on each of its volumes', async () => {
    expect(await judgeOf(statements.filter((_, index) => index !== 1), account).judge(SESSION, snapshots('i-1'))).toEqual(denied('volume/vol-1'));
  });

  test('not without the tag in the request', async () => {
    expect(await judgeOf(statements, account).judge(SESSION, snapshots('i-1', {}))).toEqual(denied('snapshot/'));
  });

  test('not without permission to tag while creating', async () => {
    expect(await judgeOf(statements.slice(0, 3), account).judge(SESSION, snapshots('i-1'))).toEqual(denied('ec2:CreateTags'));
  });

  test('and that permission does not let it tag anything else', async () => {
    const tag = queryCall('ec2', 'CreateTags', { 'ResourceId.1': 'snap-1', 'Tag.1.Key': 'a', 'Tag.1.Value': 'b' }, 'us-east-1');
    expect(await judgeOf(statements, account).judge(SESSION, tag)).toEqual(denied('ec2:CreateTags'));
  });
});

describe('CopySnapshot', () => {
  const copy = (parameters: Record<string, string> = {}) => queryCall('ec2', 'CopySnapshot', {
    SourceRegion: 'us-east-1', SourceSnapshotId: 'snap-1', Encrypted: 'true', KmsKeyId: KEY, ...give('snapshot'), ...parameters,
  });
  const source = allow('ec2:CopySnapshot', 'arn:aws:ec2:us-east-1::snapshot/snap-*');
  const target = allow('ec2:CopySnapshot', 'arn:aws:ec2:us-west-2::snapshot/${*}', tagging);
  const tags = allow('ec2:CreateTags', 'arn:aws:ec2:us-west-2::snapshot/*');
  const viaEc2 = { StringEquals: { 'kms:ViaService': 'ec2.us-west-2.amazonaws.com' } };
  const use = allow(['kms:DescribeKey', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'], KEY, viaEc2);
  const grant = allow('kms:CreateGrant', KEY, { ...viaEc2, Bool: { 'kms:GrantIsForAWSResource': 'true' } });
  const account: Account = { keys: { [KEY]: { arn: KEY, policy: DELEGATING } } };

  test('needs the source, the copy, its tags and the key', async () => {
    expect(await judgeOf([source, target, tags, use, grant], account).judge(SESSION, copy())).toEqual({ allowed: true });
  });

  test.each([
    ['the source', [target, tags, use, grant], 'snapshot/snap-1'],
    ['the copy', [source, tags, use, grant], 'us-west-2::snapshot/'],
    ['the tags', [source, target, use, grant], 'ec2:CreateTags'],
    ['the key', [source, target, tags, grant], 'kms:DescribeKey'],
    ['the grant', [source, target, tags, use], 'kms:CreateGrant'],
  ])('is denied without %s', async (_, statements, words) => {
    expect(await judgeOf(statements, account).judge(SESSION, copy())).toEqual(denied(words));
  });

  test('is denied when the key policy leaves nothing to the account', async () => {
    const locked = { keys: { [KEY]: { arn: KEY, policy: { Version: '2012-10-17', Statement: [{ ...DELEGATING.Statement[0], Action: 'kms:GetKeyPolicy' }] } } } };
    expect(await judgeOf([source, target, tags, use, grant], locked).judge(SESSION, copy())).toEqual(denied('kms:'));
  });

  test('an encrypted source needs its own key too', async () => {
    const sourceKey = KEY.replace('us-west-2', 'us-east-1');
    const encrypted = { ...account, snapshotKeys: { 'snap-1': sourceKey }, keys: { ...account.keys, [sourceKey]: { arn: sourceKey, policy: DELEGATING } } };
    const judge = judgeOf([source, target, tags, use, grant], encrypted);
    expect(await judge.judge(SESSION, copy())).toEqual(denied(sourceKey));
  });
});

describe('RunInstances', () => {
  const PROFILE = `arn:aws:iam::${ACCOUNT}:instance-profile/app`;
  const APP = `arn:aws:iam::${ACCOUNT}:role/app`;
  const account: Account = {
    tags: { 'ami-1': { [PROJECT]: 'shop' } }, images: { 'ami-1': ['snap-1'] }, snapshotKeys: { 'snap-1': KEY },
    keys: { [KEY]: { arn: KEY, policy: DELEGATING } }, profiles: { [PROFILE]: { arn: PROFILE, roleArn: APP } },
  };
  const run = queryCall('ec2', 'RunInstances', {
    ImageId: 'ami-1', SubnetId: 'subnet-1', 'SecurityGroupId.1': 'sg-1', InstanceType: 't3.micro', 'IamInstanceProfile.Arn': PROFILE, ...give('instance'),
  });
  const use = allow('ec2:RunInstances', ['subnet', 'security-group'].map((type) => `${EC2}:${ACCOUNT}:${type}/*`));
  const make = allow('ec2:RunInstances', ['instance', 'volume', 'network-interface'].map((type) => `${EC2}:${ACCOUNT}:${type}/*`));
  const image = allow('ec2:RunInstances', `${EC2}::image/*`, tagged);
  const tags = allow('ec2:CreateTags', `${EC2}:${ACCOUNT}:*/*`, { StringEquals: { 'ec2:CreateAction': 'RunInstances' } });
  const pass = allow('iam:PassRole', APP, { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } });
  const key = allow(['kms:DescribeKey', 'kms:CreateGrant', 'kms:Decrypt', 'kms:GenerateDataKeyWithoutPlaintext'], KEY);

  test('needs everything that it uses, makes and passes on', async () => {
    expect(await judgeOf([use, make, image, tags, pass, key], account).judge(SESSION, run)).toEqual({ allowed: true });
  });

  test.each([
    ['what it uses', [make, image, tags, pass, key], 'subnet/subnet-1'],
    ['what it makes', [use, image, tags, pass, key], 'instance/'],
    ['the image', [use, make, tags, pass, key], 'image/ami-1'],
    ['the tags', [use, make, image, pass, key], 'ec2:CreateTags'],
    ['the role', [use, make, image, tags, key], 'iam:PassRole'],
    ['the key of the snapshot in the image', [use, make, image, tags, pass], 'kms:'],
  ])('is denied without %s', async (_, statements, words) => {
    expect(await judgeOf(statements, account).judge(SESSION, run)).toEqual(denied(words));
  });

  test('an image without the tag is denied', async () => {
    expect(await judgeOf([use, make, image, tags, pass, key], { ...account, tags: {} }).judge(SESSION, run)).toEqual(denied('image/ami-1'));
  });
});

describe('by tag', () => {
  const account: Account = { tags: { 'snap-1': { [PROJECT]: 'shop' }, 'i-1': { [PROJECT]: 'shop' } } };

  test.each([
    ['DeleteSnapshot', { SnapshotId: 'snap-1' }, { SnapshotId: 'snap-9' }],
    ['TerminateInstances', { 'InstanceId.1': 'i-1' }, { 'InstanceId.1': 'i-1', 'InstanceId.2': 'i-9' }],
    ['DescribeInstanceAttribute', { InstanceId: 'i-1', Attribute: 'userData' }, { InstanceId: 'i-9', Attribute: 'userData' }],
  ])('%s', async (operation, ours, others) => {
    const judge = judgeOf([allow(`ec2:${operation}`, '*', tagged)], account);
    expect(await judge.judge(SESSION, queryCall('ec2', operation, ours))).toEqual({ allowed: true });
    expect(await judge.judge(SESSION, queryCall('ec2', operation, others))).toEqual(denied(`ec2:${operation}`));
  });

  test('SendCommand needs the document and the machine', async () => {
    const send = jsonCall('ssm', 'SendCommand', { DocumentName: 'AWS-RunShellScript', InstanceIds: ['i-1'] });
    const document = allow('ssm:SendCommand', 'arn:aws:ssm:*::document/AWS-RunShellScript');
    const machines = allow('ssm:SendCommand', `${EC2}:${ACCOUNT}:instance/*`, { StringEquals: { [`ssm:resourceTag/${PROJECT}`]: 'shop' } });
    expect(await judgeOf([document, machines], account).judge(SESSION, send)).toEqual({ allowed: true });
    expect(await judgeOf([machines], account).judge(SESSION, send)).toEqual(denied('document/AWS-RunShellScript'));
    expect(await judgeOf([document, machines], {}).judge(SESSION, send)).toEqual(denied('instance/i-1'));
  });

  test('blocks of a snapshot', async () => {
    const judge = judgeOf([allow('ebs:GetSnapshotBlock', `${EC2}::snapshot/*`, tagged)], account);
    expect(await judge.judge(SESSION, restCall('ebs', 'GetSnapshotBlock', 'GET', '/snapshots/snap-1/blocks/0'))).toEqual({ allowed: true });
    expect(await judge.judge(SESSION, restCall('ebs', 'GetSnapshotBlock', 'GET', '/snapshots/snap-9/blocks/0'))).toEqual(denied('snap-9'));
  });

  test('blocks of an encrypted snapshot need its key', async () => {
    const read = restCall('ebs', 'GetSnapshotBlock', 'GET', '/snapshots/snap-1/blocks/0');
    const encrypted: Account = { ...account, snapshotKeys: { 'snap-1': KEY }, keys: { [KEY]: { arn: KEY, policy: DELEGATING } } };
    const blocks = allow('ebs:GetSnapshotBlock', `${EC2}::snapshot/*`, tagged);
    const key = allow('kms:Decrypt', KEY, { StringEquals: { 'kms:ViaService': 'ec2.us-west-2.amazonaws.com' } });
    expect(await judgeOf([blocks, key], encrypted).judge(SESSION, read)).toEqual({ allowed: true });
    expect(await judgeOf([blocks], encrypted).judge(SESSION, read)).toEqual(denied('kms:Decrypt'));
  });
});

test('what was decided of one id is not taken for another where the policy names ids', async () => {
  const [ours, other] = ['snap-0123456789abcdef0', 'snap-0123456789abcdef1'];
  const named = judgeOf([allow('ec2:DeleteSnapshot', `${EC2}::snapshot/${ours}`)], {}, { Statement: [] }, ['snap']);
  expect(await named.judge(SESSION, queryCall('ec2', 'DeleteSnapshot', { SnapshotId: ours }))).toEqual({ allowed: true });
  expect(await named.judge(SESSION, queryCall('ec2', 'DeleteSnapshot', { SnapshotId: other }))).toEqual(denied(other));
  const byTag = judgeOf([allow('ec2:DeleteSnapshot', '*', tagged)], { tags: { [ours]: { [PROJECT]: 'shop' } } });
  expect(await byTag.judge(SESSION, queryCall('ec2', 'DeleteSnapshot', { SnapshotId: ours }))).toEqual({ allowed: true });
  expect(await byTag.judge(SESSION, queryCall('ec2', 'DeleteSnapshot', { SnapshotId: other }))).toEqual(denied(other));
});

/** Every operation of the tables with a plausible request: an action name or resource that IAM does not know would be denied. */
describe('the tables name what IAM knows', () => {
  const all = judgeOf([allow('*', '*')]);
  const id = '11111111-2222-3333-4444-555555555555';
  const execution = { executionArn: `arn:aws:states:us-west-2:${ACCOUNT}:execution:m:e`, stateMachineArn: `arn:aws:states:us-west-2:${ACCOUNT}:stateMachine:m` };
  test.each([
    ...['DescribeImages', 'DescribeInstanceStatus', 'DescribeInstanceTypes', 'DescribeInstances', 'DescribeSnapshots', 'DescribeSubnets', 'DescribeVolumes',
      'DescribeReplaceRootVolumeTasks', 'DescribeSecurityGroups', 'DescribeVpcs', 'DescribeTags', 'DescribeRegions', 'DescribeAvailabilityZones',
      'DescribeNetworkInterfaces', 'DescribeInstanceTypeOfferings'].map((operation) => queryCall('ec2', operation)),
    ...['GetInstanceUefiData', 'ModifyInstanceAttribute', 'DetachVolume', 'AttachVolume', 'CreateReplaceRootVolumeTask'].map((operation) =>
      queryCall('ec2', operation, { InstanceId: 'i-1', VolumeId: 'vol-1', SnapshotId: 'snap-1' })),
    ...['RebootInstances', 'StopInstances', 'StartInstances', 'TerminateInstances'].map((operation) => queryCall('ec2', operation, { 'InstanceId.1': 'i-1' })),
    queryCall('ec2', 'DeleteVolume', { VolumeId: 'vol-1' }), queryCall('ec2', 'DeregisterImage', { ImageId: 'ami-1' }),
    queryCall('ec2', 'CreateSnapshot', { VolumeId: 'vol-1' }), queryCall('ec2', 'CreateVolume', { SnapshotId: 'snap-1', ...give('volume') }),
    queryCall('ec2', 'RegisterImage', { 'BlockDeviceMapping.1.Ebs.SnapshotId': 'snap-1', ...give('image') }),
    queryCall('ec2', 'DeleteTags', { 'ResourceId.1': 'ami-1', 'Tag.1.Key': 'a' }),
    ...['DescribeExecution', 'GetExecutionHistory', 'StopExecution', 'StartExecution', 'ListExecutions', 'DescribeStateMachine', 'SendTaskSuccess', 'SendTaskFailure',
      'SendTaskHeartbeat', 'ListStateMachines'].map((operation) => jsonCall('states', operation, execution)),
    ...['GetCommandInvocation', 'ListCommandInvocations', 'ListCommands', 'DescribeInstanceInformation'].map((operation) => jsonCall('ssm', operation)),
    ...['GetParameter', 'PutParameter'].map((operation) => jsonCall('ssm', operation, { Name: '/a/b' })),
    jsonCall('ssm', 'GetParameters', { Names: ['a'] }), jsonCall('ssm', 'GetParametersByPath', { Path: '/a' }),
    jsonCall('ssm', 'SendCommand', { DocumentName: 'mine', Targets: [{ Key: 'tag:a', Values: ['b'] }] }),
    ...['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'DescribeTable', 'DescribeTimeToLive', 'DescribeContinuousBackups', 'Scan', 'Query', 'ListTables']
      .map((operation) => jsonCall('dynamodb', operation, { TableName: 't' })),
    jsonCall('dynamodb', 'BatchWriteItem', { RequestItems: { t: [] } }), jsonCall('dynamodb', 'BatchGetItem', { RequestItems: { t: [] } }),
    jsonCall('dynamodb', 'TransactGetItems', { TransactItems: [{ Get: { TableName: 't' } }] }),
    queryCall('iam', 'GetInstanceProfile', { InstanceProfileName: 'p' }), queryCall('iam', 'GetRole', { RoleName: 'r' }),
    queryCall('sts', 'AssumeRole', { RoleArn: `arn:aws:iam::${ACCOUNT}:role/other` }),
    jsonCall('events', 'PutEvents', { Entries: [{ Source: 's', DetailType: 'd', Detail: '{}' }] }),
    jsonCall('cloudwatch', 'PutMetricData', { Namespace: 'n' }), jsonCall('cloudwatch', 'GetMetricData'), jsonCall('cloudwatch', 'DescribeAlarms'),
    queryCall('sns', 'Publish', { TopicArn: `arn:aws:sns:us-west-2:${ACCOUNT}:t` }),
    ...['CreateLogGroup', 'CreateLogStream', 'PutLogEvents'].map((operation) => jsonCall('logs', operation, { logGroupName: 'g', logStreamName: 's' })),
    restCall('scheduler', 'GetSchedule', 'GET', '/schedules/s'), restCall('scheduler', 'ListSchedules', 'GET', '/schedules'),
    restCall('scheduler', 'CreateSchedule', 'POST', '/schedules/s', { Target: { RoleArn: `arn:aws:iam::${ACCOUNT}:role/r` } }),
    restCall('lambda', 'GetFunction', 'GET', '/2015-03-31/functions/f'), restCall('lambda', 'ListFunctions', 'GET', '/2015-03-31/functions'),
    ...['DescribeKey', 'Encrypt', 'Decrypt', 'GenerateDataKey', 'GenerateDataKeyWithoutPlaintext', 'CreateGrant', 'Sign', 'Verify']
      .map((operation) => jsonCall('kms', operation, { KeyId: id })),
    restCall('ebs', 'StartSnapshot', 'POST', '/snapshots'), restCall('ebs', 'CompleteSnapshot', 'POST', '/snapshots/completion/snap-1'),
    restCall('ebs', 'ListChangedBlocks', 'GET', '/snapshots/snap-1/changedblocks'), restCall('ebs', 'ListSnapshotBlocks', 'GET', '/snapshots/snap-1/blocks'),
  ].map((call) => [`${call.service}:${call.operation}`, call] as const))('%s', async (_, call) => {
    const verdict = await all.judge(SESSION, call);
    // Without a key policy KMS denies; the other calls have to be allowed by `*`.
    expect(verdict).toEqual(call.service === 'kms' ? expect.anything() : { allowed: true });
    if (!verdict.allowed) expect(verdict.reason).not.toMatch(/cannot be judged|does not know/);
  });
});
