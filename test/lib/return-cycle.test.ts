import { Template } from 'aws-cdk-lib/assertions';
import { Failback, VolumeKey } from '../../lib';
import { definition } from './support/asl';
import { statementsOf } from './support/iam';
import { project, template } from './support/project';

const OWN = 'aws:ResourceTag/dr:project=shop';
const MADE = 'aws:RequestTag/dr:project=shop';
const VIA = 'kms:ViaService=ec2.us-east-1.amazonaws.com|ec2.us-west-2.amazonaws.com';
const FOR_AWS = 'Bool kms:GrantIsForAWSResource=true';

const plain = template(project());
const given = project({ failback: Failback.toSource() });
const rendered = template(given);
const added = (handler: string, changed = rendered): string[] => {
  const before = statementsOf(plain, handler);
  return statementsOf(changed, handler).filter((line) => !before.includes(line));
};

describe('what a way back adds to the functions of the cycle', () => {
  test.each<[string, string[]]>([
    ['cycle-begin', ['states:DescribeExecution -> states:us-west-2:ACCOUNT:execution:disaster-recovery-shop-return-cycle:*']],
    ['cycle-discover', ['ec2:DescribeInstances ec2:DescribeVolumes -> * [aws:RequestedRegion=us-west-2]']],
    ['cycle-snapshot', [
      'ec2:DescribeSnapshots -> * [aws:RequestedRegion=us-west-2]',
      `ec2:CreateSnapshots -> ec2:us-west-2:ACCOUNT:instance/* [${OWN}, aws:ResourceTag/dr:mode=failover]`,
      'ec2:CreateSnapshots -> ec2:us-west-2:ACCOUNT:volume/*',
      `ec2:CreateSnapshots -> ec2:us-west-2::snapshot/* [${MADE}]`,
      `ec2:CreateTags -> ec2:us-west-2::snapshot/* [ec2:CreateAction=CreateSnapshots, ${MADE}]`,
    ]],
    ['cycle-replicate', [
      `ec2:CopySnapshot -> ec2:us-east-1::snapshot/* [${MADE}]`,
      `ec2:CreateTags -> ec2:us-east-1::snapshot/* [ec2:CreateAction=CopySnapshot, ${MADE}]`,
      `kms:DescribeKey kms:Decrypt kms:ReEncryptFrom -> KEY [${VIA}]`,
      `kms:CreateGrant -> KEY [${VIA}, ${FOR_AWS}]`,
    ]],
    ['cycle-prune', []], ['cycle-finish', []], ['cycle-wait', []], ['wake', []],
  ])('%s: exactly this', (handler, expected) => expect(added(handler)).toEqual(expected));

  test('the key of the copies by its alias: any key that carries it', () => {
    const aliased = template(project({ failback: Failback.toSource({ key: VolumeKey.fromAlias('alias/shop') }) }));
    const carries = 'ForAnyValue:StringEquals kms:ResourceAliases=alias/shop';
    expect(added('cycle-replicate', aliased).slice(4)).toEqual([
      `kms:DescribeKey kms:Decrypt kms:GenerateDataKeyWithoutPlaintext kms:ReEncryptFrom kms:ReEncryptTo -> kms:us-east-1:ACCOUNT:key/* [${carries}, ${VIA}]`,
      `kms:CreateGrant -> kms:us-east-1:ACCOUNT:key/* [${carries}, ${VIA}, ${FOR_AWS}]`,
    ]);
    expect(definition(aliased, 'return-cycle').States.Configure!.Result.targetKeyArn).toContain(':kms:us-east-1:');
    expect(definition(aliased, 'return-cycle').States.Configure!.Result.targetKeyArn).toMatch(/:alias\/shop$/);
  });
});

describe('the return cycle', () => {
  const [cycle, back] = [definition(rendered, 'cycle'), definition(rendered, 'return-cycle')];

  test('is the protection cycle with another configuration and another time limit', () => {
    const { Configure: _forward, ...steps } = cycle.States;
    const { Configure: _back, ...returnSteps } = back.States;
    expect(returnSteps).toEqual(steps);
    // A first copy of whole disks has the time that a synchronisation may take, not that between two cycles.
    expect(back.States.Configure!.Result.intervalSeconds).toBe(43_200);
    expect(back.TimeoutSeconds).toBe(86_400);
  });

  test('starts by no schedule, and the alarms of protection do not look at it', () => {
    const machines = rendered.findResources('AWS::StepFunctions::StateMachine');
    const [id] = Object.entries(machines).find(([, { Properties }]) => Properties.StateMachineName === 'disaster-recovery-shop-return-cycle')!;
    for (const type of ['AWS::Scheduler::Schedule', 'AWS::CloudWatch::Alarm']) expect(JSON.stringify(rendered.findResources(type))).not.toContain(id);
  });

  test('snapshots in the recovery Region and copies in the source Region wake it', () => {
    const [footprint] = Object.values(Template.fromStack(given.project.sourceStack).findResources('AWS::Events::Rule'));
    expect(footprint!.Properties.EventPattern.detail.event).toEqual(['createSnapshot', 'createSnapshots', 'copySnapshot']);
    const [own] = Object.values(rendered.findResources('AWS::Events::Rule')).filter(({ Properties }) => Properties.EventBusName === undefined);
    expect(own!.Properties.EventPattern.detail).toBeUndefined();
    expect(given.project.sourceStack.dependencies).toEqual([]);
  });
});
