import { Duration, Fn, Stack } from 'aws-cdk-lib';
import { Role } from 'aws-cdk-lib/aws-iam';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Endpoint, Failback, Fencing, UnreachablePolicy } from '../../lib';
import { definition } from './support/asl';
import { statementsOf } from './support/iam';
import { emptyProject, synthError, project, template, type Overrides } from './support/project';

const ROLE = 'arn:aws:iam::111122223333:role/web';
const given = (fencing: Fencing, more: Overrides = {}) => project({ fencing, ...more });
const configOf = (fencing: Fencing) => definition(template(given(fencing)), 'run').States.Configure!.Result as unknown as { fencing?: Record<string, unknown> };
const roleIn = (stack: Stack) => Role.fromRoleArn(stack, 'Web', ROLE);

/** What fencing adds to a function. */
const added = (fencing: Fencing, handler = 'run-fence'): string[] => {
  const plain = statementsOf(template(project()), 'run-fence');
  return statementsOf(template(given(fencing)), handler).filter((line) => !plain.includes(line) && !line.startsWith('logs:'));
};

describe('what a run is told', () => {
  test('by default nothing; none() is said in the evidence', () => {
    expect(configOf(undefined as never)).not.toHaveProperty('fencing');
    expect(configOf(Fencing.none()).fencing).toMatchObject({ actions: [], whenUnreachable: 'accept' });
  });

  test('the actions, the policy, and where machines are found', () => {
    expect(configOf(Fencing.stopInstances()).fencing).toEqual({
      actions: [{ kind: 'stop', forceAfterSeconds: 60 }], whenUnreachable: 'on-request', timeoutSeconds: 300, endpoints: [{ name: 'web', tags: { app: 'web' }, single: false }],
    });
  });

  test('of several, the strictest policy and the longest time-out', () => {
    const all = Fencing.all(
      Fencing.isolate({ securityGroupId: 'sg-0none', whenUnreachable: UnreachablePolicy.accept(), timeout: Duration.minutes(10) }),
      Fencing.stopInstances({ whenUnreachable: UnreachablePolicy.refuse(), forceAfter: Duration.seconds(20) }),
    );
    expect(configOf(all).fencing).toMatchObject({
      actions: [{ kind: 'isolate', securityGroupId: 'sg-0none' }, { kind: 'stop', forceAfterSeconds: 20 }], whenUnreachable: 'refuse', timeoutSeconds: 600,
    });
  });

  test('the policy of revoked roles is named after the project', () => {
    const { stack, project: shop } = emptyProject((scope) => ({ fencing: Fencing.revokeSessions({ roles: [roleIn(scope)] }) }));
    shop.protect(Endpoint.instances('web', { tag: { app: 'web' } }));
    expect(definition(template({ stack } as never), 'run').States.Configure!.Result).toMatchObject({
      fencing: { actions: [{ kind: 'revoke-sessions', roleArns: [ROLE], policyName: 'disaster-recovery-shop-fenced' }] },
    });
  });
});

describe('who may fence', () => {
  test('none: nobody in the source Region, and there is no guard', () => {
    expect(added(Fencing.none())).toEqual([]);
    expect(template(given(Fencing.none())).findResources('AWS::Scheduler::Schedule', { Properties: { Name: 'disaster-recovery-shop-fence-guard' } })).toEqual({});
  });

  test('stop: machines of the source Region, by the tags that make them protected ones', () => {
    const expected = [
      'ec2:DescribeInstances -> * [aws:RequestedRegion=us-east-1]',
      'ec2:StopInstances -> ec2:us-east-1:ACCOUNT:instance/* [aws:ResourceTag/app=web]',
    ];
    expect(added(Fencing.stopInstances())).toEqual(expected);
    expect(added(Fencing.stopInstances(), 'fence-guard')).toEqual(['dynamodb:Query -> TABLE/index/work', ...expected]);
  });

  test('endpoints: by the project\'s tag, by one statement for each key, by all of several tags', () => {
    const { stack, project: shop, app } = emptyProject({ fencing: Fencing.stopInstances() });
    const source = new Stack(app, 'Source', { env: { region: 'us-east-1' } });
    const vpc = new ec2.Vpc(source, 'Vpc');
    shop.protect(Endpoint.instance('db', { instance: new ec2.Instance(source, 'Db', { vpc, instanceType: new ec2.InstanceType('t3.micro'), machineImage: ec2.MachineImage.latestAmazonLinux2023() }) }));
    for (const name of ['a', 'b']) shop.protect(Endpoint.instances(name, { tag: { app: name } }));
    shop.protect(Endpoint.instances('c', { tag: { app: 'c', tier: '1' } }));
    expect(statementsOf(template({ stack } as never), 'run-fence').filter((line) => line.includes('us-east-1:ACCOUNT:instance'))).toEqual([
      'ec2:StopInstances -> ec2:us-east-1:ACCOUNT:instance/* [aws:ResourceTag/dr:project=shop]',
      'ec2:StopInstances -> ec2:us-east-1:ACCOUNT:instance/* [aws:ResourceTag/app=a|b]',
      'ec2:StopInstances -> ec2:us-east-1:ACCOUNT:instance/* [aws:ResourceTag/app=c, aws:ResourceTag/tier=1]',
    ]);
  });

  test('isolate: the one group, and the machines by their tags', () => {
    expect(added(Fencing.isolate({ securityGroupId: 'sg-0none' })).slice(1)).toEqual([
      'ec2:ModifyInstanceAttribute -> ec2:us-east-1:ACCOUNT:security-group/sg-0none',
      'ec2:ModifyInstanceAttribute -> ec2:us-east-1:ACCOUNT:instance/* [aws:ResourceTag/app=web]',
    ]);
  });

  test('a project with a way back may also undo it, and the guard may not', () => {
    const fencing = () => Fencing.isolate({ securityGroupId: 'sg-0none' });
    const released = (handler: string) => {
      const plain = statementsOf(template(given(fencing())), handler);
      return statementsOf(template(given(fencing(), { failback: Failback.toSource() })), handler).filter((line) => !plain.includes(line));
    };
    expect(released('run-fence').filter((line) => !line.startsWith('dynamodb:Query'))).toEqual([expect.stringMatching(/^ec2:ModifyInstanceAttribute .*:security-group\/\*/)]);
    expect(released('fence-guard')).toEqual([]);
  });

  test('revokeSessions: the roles by name', () => {
    const { stack, project: shop } = emptyProject((scope) => ({ fencing: Fencing.revokeSessions({ roles: [roleIn(scope)] }) }));
    shop.protect(Endpoint.instances('web', { tag: { app: 'web' } }));
    expect(statementsOf(template({ stack } as never), 'run-fence').at(-1)).toBe(`iam:GetRolePolicy iam:PutRolePolicy -> ${ROLE}`);
  });

  test('lambda: the function', () => {
    const { stack, project: shop } = emptyProject((scope) => ({
      fencing: Fencing.lambda(new LambdaFunction(scope, 'Array', { runtime: Runtime.NODEJS_22_X, handler: 'index.handler', code: Code.fromInline('exports.handler = async () => ({ fenced: true })') })),
    }));
    shop.protect(Endpoint.instances('web', { tag: { app: 'web' } }));
    expect(statementsOf(template({ stack } as never), 'run-fence').at(-1)).toMatch(/^lambda:InvokeFunction -> <Array\w+\.Arn>$/);
  });
});

test('the guard looks every minute, is told whom to tell, and may tell them; its failures raise the upkeep alarm', () => {
  const guarded = project((stack) => ({ fencing: Fencing.stopInstances(), notifications: new Topic(stack, 'Ops') }));
  const rendered = template(guarded);
  const [schedule] = Object.values(rendered.findResources('AWS::Scheduler::Schedule', { Properties: { Name: 'disaster-recovery-shop-fence-guard' } }));
  expect(schedule!.Properties.ScheduleExpression).toBe('rate(1 minute)');
  const input = JSON.stringify(schedule!.Properties.Target.Input);
  for (const part of ['"kind', 'stop', 'topicArn', 'Ops', 'us-east-1', 'whenUnreachable']) expect(input).toContain(part.replace('"', '\\"'));
  expect(statementsOf(rendered, 'fence-guard')).toContainEqual(expect.stringMatching(/^sns:Publish -> <Ops\w+>$/));
  expect(JSON.stringify(rendered.findResources('AWS::CloudWatch::Alarm', { Properties: { AlarmName: 'disaster-recovery-shop-upkeep-failed' } }))).toContain('ShopFencingGuard');
});

describe('what cannot work is said at synthesis', () => {
  test.each<[string, () => Fencing, string]>([
    ['a group that is no literal', () => Fencing.isolate({ securityGroupId: Fn.importValue('group') }), 'securityGroupId must be the literal id'],
    ['no role', () => Fencing.revokeSessions({ roles: [] }), 'names no role'],
    ['one way twice', () => Fencing.all(Fencing.stopInstances(), Fencing.stopInstances()), 'Fencing has \'stop\' twice'],
    ['a time-out that is too short', () => Fencing.stopInstances({ timeout: Duration.seconds(5) }), 'must be from 30 seconds to 1 hour'],
  ])('%s', (_what, fencing, message) => {
    expect(synthError(given(fencing()))).toContain(message);
  });
});
