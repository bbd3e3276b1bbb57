import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { definition } from './support/asl';
import { statementsOfRole } from './support/iam';
import { project, synthError, template } from './support/project';

const given = project();
const recovery = template(given);
const source = Template.fromStack(given.project.sourceStack);

describe('source footprint', () => {
  test('is a stack of the source Region: one rule and its role', () => {
    expect(given.project.sourceStack.region).toBe('us-east-1');
    expect(Object.values(source.toJSON().Resources as Record<string, { Type: string }>).map(({ Type }) => Type).sort())
      .toEqual(['AWS::Events::Rule', 'AWS::IAM::Policy', 'AWS::IAM::Role']);
  });

  test('forwards completed snapshots to the bus of the project, and may do nothing else', () => {
    source.hasResourceProperties('AWS::Events::Rule', {
      Name: 'disaster-recovery-shop', State: 'ENABLED',
      EventPattern: { 'source': ['aws.ec2'], 'detail-type': ['EBS Snapshot Notification', 'EBS Multi-Volume Snapshots Completion Status'], 'detail': { event: ['createSnapshot', 'createSnapshots'] } },
    });
    const [role] = Object.keys(source.findResources('AWS::IAM::Role'));
    expect(statementsOfRole(source, role!)).toEqual(['events:PutEvents -> events:us-west-2:ACCOUNT:event-bus/disaster-recovery-shop']);
  });

  test('goes into a stack of the user\'s own', () => {
    const other = project((stack) => ({ source: { region: 'us-east-1', stack: new Stack(stack.node.root, 'Mine', { env: { region: 'us-east-1' } }) } }));
    expect(other.app.synth().stacks.map(({ id }) => id).sort()).toEqual(['Mine', 'Recovery']);
  });

  test('a stack of another Region is refused', () => {
    const other = project((stack) => ({ source: { region: 'us-east-1', stack: new Stack(stack.node.root, 'Mine', { env: { region: 'eu-west-1' } }) } }));
    expect(synthError(other)).toContain("source.stack (Mine) is in Region 'eu-west-1', not in the source Region 'us-east-1'");
  });
});

describe('wake-up', () => {
  test('events of both Regions wake the cycle', () => {
    recovery.hasResourceProperties('AWS::Events::EventBus', { Name: 'disaster-recovery-shop' });
    const rules = Object.values(recovery.findResources('AWS::Events::Rule')).map(({ Properties }) => Properties);
    expect(rules.map(({ EventBusName, EventPattern }) => [Boolean(EventBusName), EventPattern.detail?.event])).toEqual([[true, undefined], [false, ['copySnapshot']]]);
    for (const { Targets } of rules) expect(JSON.stringify(Targets)).toContain('ShopCycleFunctionsWakeFunction');
    // One for each rule; without a count the next line holds for none at all.
    recovery.resourcePropertiesCountIs('AWS::Lambda::Permission', { Principal: 'events.amazonaws.com' }, 2);
    recovery.allResourcesProperties('AWS::Lambda::Permission', { Principal: 'events.amazonaws.com', Action: 'lambda:InvokeFunction' });
  });
});

describe('nothing ties the Regions together', () => {
  test.each([['recovery', recovery], ['source', source]])('the %s template has no reference to another stack', (_name, template) => {
    const text = JSON.stringify(template.toJSON());
    for (const tie of ['Fn::ImportValue', 'Fn::GetStackOutput', 'ExportsReader', 'ExportsWriter', 'Custom::']) expect(text).not.toContain(tie);
    expect(template.toJSON().Outputs).toBeUndefined();
  });

  test('neither stack waits for the other', () => {
    expect(given.stack.dependencies).toEqual([]);
    expect(given.project.sourceStack.dependencies).toEqual([]);
  });

  test('the definition of a recovery run names the source Region as data only', () => {
    const { Configure, ...rest } = definition(recovery, 'run').States;
    expect(JSON.stringify(Configure).match(/us-east-1/g)).toHaveLength(1);
    expect(JSON.stringify(rest)).not.toContain('us-east-1');
  });
});
