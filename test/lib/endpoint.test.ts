import { Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { AutoScalingGroup } from 'aws-cdk-lib/aws-autoscaling';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { InstanceProfile, Role } from 'aws-cdk-lib/aws-iam';
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Endpoint, RecoveryHook } from '../../lib';
import { definition } from './support/asl';
import { ACCOUNT, emptyProject, synthError, template, type Given } from './support/project';

const PROJECT_TAG = { Key: 'disaster-recovery:project', Value: 'shop' };

function instance(scope: Stack, id: string): ec2.Instance {
  const vpc = ec2.Vpc.fromVpcAttributes(scope, `${id}Vpc`, { vpcId: 'vpc-0', availabilityZones: ['us-east-1a'], privateSubnetIds: ['subnet-0'] });
  return new ec2.Instance(scope, id, { vpc, instanceType: new ec2.InstanceType('t3.small'), machineImage: ec2.MachineImage.genericLinux({ 'us-east-1': 'ami-0', 'eu-west-1': 'ami-0' }) });
}

function production({ app }: Given): Stack {
  return new Stack(app, 'Production', { env: { region: 'us-east-1' } });
}

const endpoints = (given: Given) => definition(template(given), 'cycle').States.Configure!.Result.endpoints;
const launch = (given: Given) => definition(template(given), 'run').States.Configure!.Result.launch;

describe('found by construct', () => {
  test('an instance of another stack and Region is tagged there, and nothing else of it', () => {
    const given = emptyProject();
    const source = production(given);
    given.project.protect(Endpoint.instance('db', { instance: instance(source, 'Database') }));
    const rendered = Template.fromStack(source);
    rendered.hasResourceProperties('AWS::EC2::Instance', { Tags: expectTags('db') });
    for (const group of Object.values(rendered.findResources('AWS::EC2::SecurityGroup'))) expect(JSON.stringify(group)).not.toContain('disaster-recovery');
    expect(endpoints(given)).toEqual([{ name: 'db', tags: { 'disaster-recovery:project': 'shop', 'disaster-recovery:endpoint': 'db' }, single: true }]);
  });

  test('several instances, and those that an Auto Scaling group launches', () => {
    const given = emptyProject();
    const source = production(given);
    given.project.protect(Endpoint.instances('app', { instances: [instance(source, 'One'), instance(source, 'Two')] }));
    const group = new AutoScalingGroup(source, 'Group', {
      vpc: ec2.Vpc.fromVpcAttributes(source, 'Vpc', { vpcId: 'vpc-0', availabilityZones: ['us-east-1a'], privateSubnetIds: ['subnet-0'] }),
      instanceType: new ec2.InstanceType('t3.small'),
      machineImage: ec2.MachineImage.genericLinux({ 'us-east-1': 'ami-0', 'eu-west-1': 'ami-0' }),
    });
    given.project.protect(Endpoint.instances('web', { autoScalingGroup: group }));
    const rendered = Template.fromStack(source);
    for (const one of Object.values(rendered.findResources('AWS::EC2::Instance'))) expect(one.Properties.Tags).toEqual(expect.arrayContaining([PROJECT_TAG]));
    rendered.hasResourceProperties('AWS::AutoScaling::AutoScalingGroup', { Tags: expectTags('web', { PropagateAtLaunch: true }) });
    expect(endpoints(given).map(({ single }: { single: boolean }) => single)).toEqual([false, false]);
  });
});

test('found by tag: nothing is tagged, the tags are the selector', () => {
  const given = emptyProject();
  given.project.protect(Endpoint.instance('db', { tag: { app: 'shop', tier: 'db' } }));
  expect(endpoints(given)).toEqual([{ name: 'db', tags: { app: 'shop', tier: 'db' }, single: true }]);
});

describe('the role of a source instance', () => {
  test('that recovered machines may not carry is warned of', () => {
    const given = emptyProject();
    given.project.protect(Endpoint.instance('db', { instance: instance(production(given), 'Database') }));
    template(given);
    Annotations.fromStack(given.stack).hasWarning('/Recovery/Shop', Match.stringLikeRegexp("Endpoint 'db': the role of Production/Database is not in the target's instanceRoles"));
  });
});

describe('launch settings', () => {
  test('none by default', () => {
    const given = emptyProject();
    given.project.protect(Endpoint.instance('db', { tag: { app: 'db' } }));
    expect(launch(given)).toEqual({});
  });

  test('what is given is told to the run', () => {
    const given = emptyProject();
    const role = Role.fromRoleName(given.stack, 'Role', 'db');
    const instanceProfileArn = 'arn:aws:iam::111122223333:instance-profile/db';
    const profile = InstanceProfile.fromInstanceProfileAttributes(given.stack, 'Profile', { instanceProfileArn, role });
    given.project.protect(Endpoint.instance('db', {
      tag: { app: 'db' },
      launch: { instanceType: new ec2.InstanceType('r6i.large'), keepPrivateIp: false, keepUserData: false, tags: { recovered: 'yes' }, baseImageId: 'ami-0', keyName: 'dba', instanceProfile: profile },
    }));
    expect(launch(given)).toEqual({
      db: {
        instanceType: 'r6i.large', keepPrivateIp: false, keepUserData: false, tags: { recovered: 'yes' }, baseImageId: 'ami-0', keyName: 'dba',
        instanceProfileArn,
      },
    });
  });

  test('a profile must say its role, which is to be passed', () => {
    const given = emptyProject();
    const instanceProfile = InstanceProfile.fromInstanceProfileName(given.stack, 'Profile', 'db');
    given.project.protect(Endpoint.instance('db', { tag: { app: 'db' }, launch: { instanceProfile } }));
    expect(synthError(given)).toContain("The instance profile of endpoint 'db' does not say its role");
  });
});

describe('refused at synthesis, all at once, with the path of the project', () => {
  const refused = (...made: Endpoint[]): string => {
    const given = emptyProject();
    for (const endpoint of made) given.project.protect(endpoint);
    return synthError(given);
  };
  const tag = { app: 'x' };

  test('no endpoint', () => {
    expect(refused()).toContain('[Recovery/Shop] The project protects nothing. Call protect() at least once.');
  });

  test.each([
    ['two of one name', [Endpoint.instance('db', { tag }), Endpoint.instance('db', { tag: { app: 'y' } })], "Two endpoints are named 'db'"],
    ['a bad name', [Endpoint.instance('a/b', { tag })], "The name 'a/b' of an endpoint is not usable"],
    ['neither tag nor construct', [Endpoint.instance('db', {})], "Endpoint 'db' must be found either by tag or by constructs"],
    ['no tag', [Endpoint.instances('db', { tag: {} })], 'would select every instance of the account'],
    ['tags of this package', [Endpoint.instances('db', { tag: { 'disaster-recovery:endpoint': 'db' } })], 'which this package sets itself'],
    ['too many tags', [Endpoint.instances('db', { tag: Object.fromEntries([...'abcdefghijk'].map((key) => [key, key])) })], 'has 11 tags, at most 10'],
    ['reserved launch tags', [Endpoint.instance('db', { tag, launch: { tags: { 'aws:x': 'y' } } })], "Tag 'aws:x' in the launch settings of endpoint 'db' is reserved"],
    ['no security group', [Endpoint.instance('db', { tag, launch: { securityGroups: [] } })], 'has an empty list of security groups'],
  ])('%s', (_what, made, message) => {
    expect(refused(...made)).toContain(message);
  });

  test('both tag and construct; a construct that is not of this app; one construct twice', () => {
    const given = emptyProject();
    const source = production(given);
    const one = instance(source, 'One');
    const imported = AutoScalingGroup.fromAutoScalingGroupName(source, 'Imported', 'group');
    given.project.protect(Endpoint.instance('a', { instance: one, tag }));
    given.project.protect(Endpoint.instances('b', { autoScalingGroup: imported }));
    given.project.protect(Endpoint.instances('c', { instances: [one] }));
    const error = synthError(given);
    expect(error).toContain("Endpoint 'a' must be found either by tag or by constructs");
    expect(error).toContain("Endpoint 'b': Production/Imported is not defined in this app");
    expect(error).toContain("Production/One is in endpoint 'a' and in endpoint 'c'. Protect it once.");
  });

  test('an instance of another Region, two endpoints with the same tags, a hook in the source Region', () => {
    const given = emptyProject();
    const elsewhere = new Stack(given.app, 'Elsewhere', { env: { region: 'eu-west-1' } });
    given.project.protect(Endpoint.instance('far', { instance: instance(elsewhere, 'Far') }));
    given.project.protect(Endpoint.instances('web', { tag: { app: 'web', tier: 'front' } }));
    const again = given.project.protect(Endpoint.instances('front', { tag: { tier: 'front', app: 'web' } }));
    const arn = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:announce`;
    given.project.addWave({ endpoints: [again], after: [RecoveryHook.lambda(LambdaFunction.fromFunctionArn(given.stack, 'Announce', arn))] });
    const error = synthError(given);
    expect(error).toContain("Endpoint 'far': Elsewhere/Far is in Region 'eu-west-1', not in the source Region 'us-east-1'");
    expect(error).toContain("Endpoints 'web' and 'front' have the same tags");
    expect(error).toContain(`Hooks and checks run in the recovery Region 'us-west-2', but ${arn} is in 'us-east-1'`);
  });

  test('more endpoints than a state machine can carry', () => {
    const given = emptyProject();
    for (let index = 0; index < 3000; index += 1) given.project.protect(Endpoint.instance(`machine-${index}`, { tag: { name: `machine-${index}` } }));
    expect(synthError(given)).toContain('Select more machines by tag in fewer endpoints, or split the project.');
  });
});

function expectTags(endpoint: string, more: object = {}) {
  return Match.arrayWith([Match.objectLike({ Key: 'disaster-recovery:endpoint', Value: endpoint, ...more }), Match.objectLike({ ...PROJECT_TAG, ...more })]);
}
