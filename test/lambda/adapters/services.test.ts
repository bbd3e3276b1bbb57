import { GetInstanceProfileCommand, IAMClient } from '@aws-sdk/client-iam';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DescribeExecutionCommand, SendTaskSuccessCommand, SFNClient } from '@aws-sdk/client-sfn';
import { ListCommandInvocationsCommand, ListCommandsCommand, SendCommandCommand, SSMClient } from '@aws-sdk/client-ssm';
import { mockClient } from 'aws-sdk-client-mock';
import { SfnExecutions } from '../../../lambda/adapters/executions';
import { IamInstanceProfiles } from '../../../lambda/adapters/iam';
import { LambdaFunctions } from '../../../lambda/adapters/invoke';
import { SsmCommands } from '../../../lambda/adapters/ssm';

const lambda = mockClient(LambdaClient);
const ssm = mockClient(SSMClient);
const states = mockClient(SFNClient);
const iam = mockClient(IAMClient);
const refusal = (name: string) => Object.assign(new Error('refused'), { name, $metadata: { httpStatusCode: 400 } });
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value)) as never;

beforeEach(() => [lambda, ssm, states, iam].forEach((mock) => void mock.reset()));

describe('functions', () => {
  const functions = new LambdaFunctions('us-west-2');

  test('are invoked for their answer', async () => {
    lambda.on(InvokeCommand).resolves({ StatusCode: 200, Payload: bytes({ passed: true }) });
    expect(await functions.invoke('arn:f', { a: 1 }, 5000)).toEqual({ payload: { passed: true } });
    const [call] = lambda.commandCalls(InvokeCommand);
    expect(call!.args[0].input).toMatchObject({ FunctionName: 'arn:f', InvocationType: 'RequestResponse' });
    expect(JSON.parse(Buffer.from(call!.args[0].input.Payload as Uint8Array).toString())).toEqual({ a: 1 });
  });

  test('that throw are told apart from those that answer', async () => {
    lambda.on(InvokeCommand).resolves({ FunctionError: 'Unhandled', Payload: bytes({ errorMessage: 'no disk' }) });
    expect(await functions.invoke('arn:f', {}, 5000)).toMatchObject({ error: 'Unhandled: no disk' });
  });

  test('that may not be invoked refuse', async () => {
    lambda.on(InvokeCommand).rejects(refusal('AccessDeniedException'));
    await expect(functions.invoke('arn:f', {}, 5000)).rejects.toMatchObject({ kind: 'denied' });
  });
});

describe('commands', () => {
  const commands = new SsmCommands('us-west-2');

  test('are sent with a comment by which they are found again', async () => {
    ssm.on(SendCommandCommand).resolves({ Command: { CommandId: 'c1' } });
    ssm.on(ListCommandsCommand).resolves({ Commands: [{ CommandId: 'c0', Comment: 'other' }, { CommandId: 'c1', Comment: 'mine' }] });
    expect(await commands.send({ document: 'Doc', parameters: { a: ['1'] }, instanceIds: ['i-1'], timeoutSeconds: 10, comment: 'mine' })).toBe('c1');
    expect(ssm.commandCalls(SendCommandCommand)[0]!.args[0].input).toEqual({ DocumentName: 'Doc', Parameters: { a: ['1'] }, InstanceIds: ['i-1'], Comment: 'mine', TimeoutSeconds: 30 });
    expect(await commands.sentAs('mine', 'Doc', '2030-01-01T00:00:00.123Z')).toEqual(['c1']);
    expect(ssm.commandCalls(ListCommandsCommand)[0]!.args[0].input.Filters).toEqual([{ key: 'DocumentName', value: 'Doc' }, { key: 'InvokedAfter', value: '2030-01-01T00:00:00Z' }]);
  });

  test.each([['Success', 'succeeded'], ['InProgress', 'running'], ['Delayed', 'running'], ['Failed', 'failed'], ['TimedOut', 'failed'], ['Cancelled', 'failed']])('%s is %s', async (Status, state) => {
    ssm.on(ListCommandInvocationsCommand).resolves({ CommandInvocations: [{ InstanceId: 'i-1', Status: Status as never, StatusDetails: 'why' }] });
    expect(await commands.results('c1')).toEqual([{ instanceId: 'i-1', state, detail: 'why' }]);
  });

  test('to a machine that has not registered are refused as not ready', async () => {
    ssm.on(SendCommandCommand).rejects(refusal('InvalidInstanceId'));
    await expect(commands.send({ document: 'D', parameters: {}, instanceIds: ['i'], timeoutSeconds: 60, comment: 'c' })).rejects.toMatchObject({ kind: 'not-ready' });
  });
});

describe('executions', () => {
  const executions = new SfnExecutions('us-west-2');

  test('run, or have ended, or never were', async () => {
    states.on(DescribeExecutionCommand).resolvesOnce({ status: 'RUNNING' }).resolvesOnce({ status: 'ABORTED' }).rejects(refusal('ExecutionDoesNotExist'));
    expect([await executions.isRunning('a'), await executions.isRunning('a'), await executions.isRunning('a')]).toEqual([true, false, false]);
  });

  test('that no longer wait are no error, a missing permission is', async () => {
    states.on(SendTaskSuccessCommand).resolvesOnce({}).rejectsOnce(refusal('TaskTimedOut')).rejects(refusal('AccessDeniedException'));
    expect([await executions.succeed('t', {}), await executions.succeed('t', {})]).toEqual([true, false]);
    await expect(executions.succeed('t', {})).rejects.toMatchObject({ kind: 'denied' });
  });
});

test('the role of an instance profile is found by the profile\'s name', async () => {
  iam.on(GetInstanceProfileCommand).resolvesOnce({ InstanceProfile: { Roles: [{ Arn: 'arn:role' }] } as never }).rejects(refusal('NoSuchEntityException'));
  const profiles = new IamInstanceProfiles('us-west-2');
  expect(await profiles.roleOf('arn:aws:iam::1:instance-profile/path/web')).toBe('arn:role');
  expect(iam.commandCalls(GetInstanceProfileCommand)[0]!.args[0].input).toEqual({ InstanceProfileName: 'web' });
  expect(await profiles.roleOf('arn:aws:iam::1:instance-profile/web')).toBeUndefined();
});
