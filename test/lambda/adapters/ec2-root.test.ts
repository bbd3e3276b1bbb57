import { CreateTagsCommand, EC2Client, StopInstancesCommand } from '@aws-sdk/client-ec2';
import { mockClient } from 'aws-sdk-client-mock';
import { Ec2RootReplacement } from '../../../lambda/adapters/ec2-root';

const ec2 = mockClient(EC2Client);
const roots = new Ec2RootReplacement(new EC2Client({ region: 'us-west-2' }));

beforeEach(() => ec2.reset());

test('a machine is stopped, by force only where asked', async () => {
  ec2.on(StopInstancesCommand).resolves({});
  await roots.stop('i-1');
  await roots.stop('i-1', true);
  expect(ec2.commandCalls(StopInstancesCommand).map(({ args }) => args[0].input)).toEqual([{ InstanceIds: ['i-1'] }, { InstanceIds: ['i-1'], Force: true }]);
});

test('tags are put on all resources in one call, and on none without a call', async () => {
  ec2.on(CreateTagsCommand).resolves({});
  await roots.tag(['i-1', 'vol-1'], { a: 'b', c: 'd' });
  await roots.tag([], { a: 'b' });
  expect(ec2.commandCalls(CreateTagsCommand).map(({ args }) => args[0].input)).toEqual([{ Resources: ['i-1', 'vol-1'], Tags: [{ Key: 'a', Value: 'b' }, { Key: 'c', Value: 'd' }] }]);
  ec2.on(CreateTagsCommand).rejects(Object.assign(new Error('refused'), { name: 'UnauthorizedOperation', $metadata: { httpStatusCode: 403 } }));
  await expect(roots.tag(['i-1'], {})).rejects.toMatchObject({ kind: 'denied', operation: 'CreateTags' });
});
