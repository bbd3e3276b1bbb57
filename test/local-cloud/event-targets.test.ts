import { Faults } from '../../local-cloud/faults/faults';
import { EventDelivery } from '../../local-cloud/events/deliver';
import { targetCall } from '../../local-cloud/events/send-to-target';
import { targetInput } from '../../local-cloud/events/target-input';
import { TestGateway } from './support/gateway';
import { ACCOUNT, ROLE, allow, judgeOf } from './support/iam';

const RULE = `arn:aws:events:us-west-2:${ACCOUNT}:rule/wake`;
const FUNCTION = `arn:aws:lambda:us-west-2:${ACCOUNT}:function:f`;
const MACHINE = `arn:aws:states:us-west-2:${ACCOUNT}:stateMachine:m`;
const event = { id: 'e1', source: 'aws.ec2', 'detail-type': 'EBS Snapshot Notification', time: '2026-01-01T00:00:00Z', resources: [], detail: { event: 'copySnapshot', n: 2, items: [{ id: 'a' }] } };

describe('what a target gets', () => {
  test('the event', () => { expect(JSON.parse(targetInput({}, event, RULE))).toEqual(event); });
  test('a constant', () => { expect(targetInput({ Input: '{"a":1}' }, event, RULE)).toBe('{"a":1}'); });
  test('a part of it', () => { expect(targetInput({ InputPath: '$.detail.items[0].id' }, event, RULE)).toBe('"a"'); });
  test('something made of it', () => {
    const InputTransformer = { InputPathsMap: { what: '$.detail.event', n: '$.detail.n' }, InputTemplate: '{"text":"a <what> of <aws.events.rule-name>","what":<what>,"n":<n>,"all":<aws.events.event>}' };
    expect(JSON.parse(targetInput({ InputTransformer }, event, RULE))).toEqual({ text: 'a copySnapshot of wake', what: 'copySnapshot', n: 2, all: event });
  });
});

describe('which call is made', () => {
  test('of a function, asynchronously', () => {
    expect(targetCall({ arn: FUNCTION, input: '{}', id: 'e1' })).toMatchObject({ service: 'lambda', region: 'us-west-2', headers: { 'x-amz-invocation-type': 'Event' }, body: '{}' });
  });
  test('of a state machine, once for an event', () => {
    const { body } = targetCall({ arn: MACHINE, input: '{}', id: 'e1' });
    expect(JSON.parse(body)).toEqual({ stateMachineArn: MACHINE, input: '{}', name: 'e1' });
  });
  test('of a bus in another Region, with what the event says about itself', () => {
    const { region, body } = targetCall({ arn: `arn:aws:events:us-east-1:${ACCOUNT}:event-bus/default`, input: '{}', id: 'e1', event });
    expect(region).toBe('us-east-1');
    expect(JSON.parse(body)).toMatchObject({ Entries: [{ Source: 'aws.ec2', DetailType: 'EBS Snapshot Notification', Detail: JSON.stringify(event.detail) }] });
  });
  test('another kind of target is refused', () => {
    expect(() => targetCall({ arn: 'arn:aws:sqs:us-west-2:1:q', input: '{}', id: 'e1' })).toThrow(/cannot deliver/);
  });
});

describe('delivery', () => {
  let gateway: TestGateway;
  afterEach(() => gateway.close());
  const delivery = (): EventDelivery => new EventDelivery({ endpoint: gateway.endpoint, account: ACCOUNT, sessions: gateway.sessions, faults: gateway.faults });
  const toMachine = { region: 'us-west-2', ruleArn: RULE, target: { Id: 't', Arn: MACHINE, RoleArn: ROLE }, event };

  test('uses the target\'s role', async () => {
    gateway = await new TestGateway(judgeOf([allow('states:StartExecution', MACHINE)])).open();
    expect(await delivery().deliver(toMachine)).toEqual({ delivered: true });
    expect(gateway.calls.all()).toMatchObject([{ operation: 'StartExecution', principal: 'rule:wake', decision: 'allowed' }]);
  });

  test('a role without the permission delivers nothing, for good', async () => {
    gateway = await new TestGateway(judgeOf([])).open();
    expect(await delivery().deliver(toMachine)).toMatchObject({ delivered: false, reason: expect.stringContaining('states:StartExecution') });
  });

  test('a failure that may pass is thrown, so that it is tried again', async () => {
    gateway = await new TestGateway(judgeOf([allow('*', '*')])).open();
    gateway.faults.inject({ kind: 'throttle' });
    await expect(delivery().deliver(toMachine)).rejects.toThrow(/ThrottlingException/);
    expect(await delivery().deliver(toMachine)).toEqual({ delivered: true });
  });

  test('a refused Region delivers nothing', async () => {
    gateway = await new TestGateway().open();
    gateway.faults.refuseRegion('us-west-2');
    expect(await delivery().deliver(toMachine)).toMatchObject({ delivered: false });
    expect(gateway.calls.count()).toBe(0);
  });
});

test('clearing faults restores every Region', () => {
  const faults = new Faults();
  faults.refuseRegion('us-east-1');
  faults.clear();
  expect(faults.refusal('us-east-1')).toBeUndefined();
});
