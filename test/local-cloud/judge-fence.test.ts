import { queryCall } from './support/calls';
import { ACCOUNT, SESSION, allow, judgeOf, type Account } from './support/iam';

const denied = (words: string): object => ({ allowed: false, reason: expect.stringContaining(words) });
const INSTANCES = `arn:aws:ec2:us-east-1:${ACCOUNT}:instance/*`;
const web = { StringEquals: { 'aws:ResourceTag/app': 'web' } };
const account: Account = { tags: { 'i-1': { app: 'web' }, 'i-2': { app: 'other' } } };
const call = (operation: string, id: string, more: Record<string, string> = {}) => queryCall('ec2', operation, { [operation === 'StopInstances' ? 'InstanceId.1' : 'InstanceId']: id, ...more }, 'us-east-1');

test('a machine is stopped by who may stop what carries its tags', async () => {
  const judge = judgeOf([allow('ec2:StopInstances', INSTANCES, web)], account);
  expect(await judge.judge(SESSION, call('StopInstances', 'i-1', { Force: 'true' }))).toEqual({ allowed: true });
  expect(await judge.judge(SESSION, call('StopInstances', 'i-2'))).toEqual(denied('instance/i-2'));
});

test('a machine is given a security group by who may change both', async () => {
  const group = `arn:aws:ec2:us-east-1:${ACCOUNT}:security-group/sg-1`;
  const isolate = call('ModifyInstanceAttribute', 'i-1', { 'GroupId.1': 'sg-1' });
  const onInstance = allow('ec2:ModifyInstanceAttribute', INSTANCES, web);
  expect(await judgeOf([onInstance, allow('ec2:ModifyInstanceAttribute', group)], account).judge(SESSION, isolate)).toEqual({ allowed: true });
  expect(await judgeOf([onInstance], account).judge(SESSION, isolate)).toEqual(denied('security-group/sg-1'));
});

test('inline policies are read and written on the roles that are named', async () => {
  const judge = judgeOf([allow('iam:PutRolePolicy', `arn:aws:iam::${ACCOUNT}:role/web`)], account);
  const put = (role: string) => queryCall('iam', 'PutRolePolicy', { RoleName: role, PolicyName: 'fenced', PolicyDocument: '{}' });
  expect(await judge.judge(SESSION, put('web'))).toEqual({ allowed: true });
  expect(await judge.judge(SESSION, put('db'))).toEqual(denied('role/db'));
  expect(await judge.judge(SESSION, queryCall('iam', 'GetRolePolicy', { RoleName: 'web', PolicyName: 'fenced' }))).toEqual(denied('iam:GetRolePolicy'));
});
