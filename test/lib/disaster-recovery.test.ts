import { App, Duration, Lazy, RemovalPolicy, Stack, Stage, Token } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Vpc, type IVpc } from 'aws-cdk-lib/aws-ec2';
import { Role } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { DisasterRecovery, DrillPolicy, Endpoint, ProtectionSchedule, RecoveryMetric, RecoveryTarget, RetentionPolicy, VolumeKey } from '../../lib';
import { definition } from './support/asl';
import { ACCOUNT, project, recoveryVpc, synthError, template, thrown, type Given } from './support/project';

const cycleConfig = (given: Given) => definition(template(given), 'cycle').States.Configure!.Result;
const runConfig = (given: Given) => definition(template(given), 'run').States.Configure!.Result;
const objectives = (rpo: Duration, rto = Duration.minutes(30)) => ({ objectives: { rpo, rto } });

describe('by default', () => {
  const given = project();
  const rendered = template(given);

  test('the catalogue survives: retained, protected, backed up, under the project\'s key', () => {
    rendered.hasResource('AWS::DynamoDB::Table', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }, { AttributeName: 'sk', KeyType: 'RANGE' }],
        GlobalSecondaryIndexes: [{
          IndexName: 'work', Projection: { ProjectionType: 'ALL' },
          KeySchema: [{ AttributeName: 'work', KeyType: 'HASH' }, { AttributeName: 'sk2', KeyType: 'RANGE' }],
        }],
        BillingMode: 'PAY_PER_REQUEST',
        DeletionProtectionEnabled: true,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        SSESpecification: { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^ShopKey'), 'Arn'] } },
        TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
      },
    });
    rendered.hasResource('AWS::KMS::Key', { DeletionPolicy: 'Retain', Properties: { EnableKeyRotation: true } });
    rendered.hasResourceProperties('AWS::KMS::Alias', { AliasName: 'alias/disaster-recovery-shop' });
  });

  test('functions run on Node 22 and arm64, with bundles, names and logs of their own', () => {
    const functions = Object.values(rendered.findResources('AWS::Lambda::Function')).map(({ Properties }) => Properties);
    expect(functions).toHaveLength(17);
    for (const one of functions) {
      expect(one).toMatchObject({
        Runtime: 'nodejs22.x', Architectures: ['arm64'], Handler: 'index.handler',
        Environment: { Variables: { DR_PROJECT: 'shop', DR_TABLE: { Ref: expect.stringMatching(/^ShopCatalogueTable/) }, DR_SOURCE_REGION: 'us-east-1', DR_RECOVERY_REGION: 'us-west-2' } },
        LoggingConfig: { LogGroup: { Ref: expect.any(String) } },
      });
      rendered.hasResource('AWS::Logs::LogGroup', { DeletionPolicy: 'Delete', Properties: { LogGroupName: `/aws/lambda/${one.FunctionName}`, RetentionInDays: 180 } });
    }
    expect(functions.filter(({ Timeout }) => Timeout === 900).map(({ FunctionName }) => FunctionName.replace('disaster-recovery-shop-', '')).sort())
      .toEqual(['cycle-discover', 'cycle-finish', 'cycle-prune', 'cycle-replicate', 'cycle-snapshot', 'drill-teardown', 'run-check', 'run-cutover', 'run-fence', 'run-hooks', 'run-launch', 'sweep']);
  });

  test('schedules: the cycle at its interval, teardown and sweep whatever becomes of it', () => {
    const schedules = Object.values(rendered.findResources('AWS::Scheduler::Schedule')).map(({ Properties }) => Properties);
    expect(schedules.map(({ Name, ScheduleExpression, State }) => [Name, ScheduleExpression, State])).toEqual([
      ['disaster-recovery-shop-cycle', 'rate(5 minutes)', 'ENABLED'],
      ['disaster-recovery-shop-drill-teardown', 'rate(5 minutes)', 'ENABLED'],
      ['disaster-recovery-shop-sweep', 'rate(1 hour)', 'ENABLED'],
    ]);
    expect(schedules.slice(1).map(({ Target }) => JSON.parse(Target.Input))).toEqual(Array(2).fill({
      config: { project: 'shop', sourceRegion: 'us-east-1', recoveryRegion: 'us-west-2', orphanAgeSeconds: 86_400 },
    }));
  });

  test('there is no custom resource and no inline secret, and no warning', () => {
    expect(JSON.stringify(rendered.toJSON())).not.toContain('Custom::');
    Annotations.fromStack(given.stack).hasNoWarning('/Recovery/Shop', Match.anyValue());
  });

  test('metrics are those of the project', () => {
    const { project: shop, stack } = given;
    expect(stack.resolve(shop.metricWorstRpo().toMetricConfig().metricStat)).toMatchObject({
      namespace: 'DisasterRecovery', metricName: 'WorstRpoSeconds', dimensions: [{ name: 'Project', value: 'shop' }], statistic: 'Maximum', period: Duration.minutes(5),
    });
    expect(shop.metricOpenPoints({ period: Duration.hours(1) }).period.toHours()).toBe(1);
    expect(shop.metric(RecoveryMetric.FINDINGS).metricName).toBe('Findings');
  });
});

describe('projectName', () => {
  test('derived from the path, within the limit', () => {
    const { project: shop } = project({ projectName: undefined });
    expect(shop.projectName).toMatch(/^Recovery-Shop-\w{8}$/);
    const stack = new Stack(new Stage(new App(), 'AStageWithQuiteALongName', { env: { region: 'us-west-2' } }), 'AStackWithALongName');
    expect(new DisasterRecovery(stack, 'Id', required(stack)).projectName.length).toBeLessThanOrEqual(30);
  });

  test('is in the tags, names and keys', () => {
    expect(cycleConfig(project({ projectName: 'orders-2' })).project).toBe('orders-2');
  });

  test.each(['', '1shop', 'shop-', 'a'.repeat(31), 'sh op', 'shop/x'])("'%s' is refused", (projectName) => {
    expect(thrown(() => project({ projectName }))).toContain(`Recovery/Shop: projectName '${projectName}' is not usable: 1 to 30 letters`);
  });

  test('a token is refused', () => {
    expect(thrown(() => project({ projectName: Lazy.string({ produce: () => 'x' }) }))).toContain('projectName must be known at synthesis');
  });
});

describe('Regions', () => {
  test('must differ', () => {
    expect(synthError(project({}, 'us-east-1'))).toContain("The source Region and the recovery Region are both 'us-east-1'");
  });

  test('of the recovery stack must be known', () => {
    const app = new App();
    const stack = new Stack(app, 'Recovery');
    new DisasterRecovery(stack, 'Shop', required(stack)).protect(Endpoint.instances('web', { tag: { app: 'web' } }));
    expect(synthError({ app } as Given)).toContain('The Region of stack Recovery is not known at synthesis');
  });

  test('of the source must be a literal', () => {
    expect(thrown(() => project({ source: { region: Lazy.string({ produce: () => 'us-east-1' }) } }))).toContain('Recovery/Shop: source.region must be known at synthesis');
  });

  test('of everything that recovery needs is the recovery Region', () => {
    const error = synthError(project((stack) => ({
      target: RecoveryTarget.inVpc(recoveryVpc(stack, { region: 'eu-west-1' }), { key: Key.fromKeyArn(stack, 'Key', `arn:aws:kms:us-east-1:${ACCOUNT}:key/own`) }),
      drill: DrillPolicy.inVpc(Vpc.fromVpcAttributes(stack, 'Drills', { vpcId: 'vpc-1', region: 'us-east-1', availabilityZones: ['a'], isolatedSubnetIds: ['subnet-1'] })),
      notifications: Topic.fromTopicArn(stack, 'Topic', `arn:aws:sns:us-east-1:${ACCOUNT}:operators`),
    })));
    expect(error).toContain("The VPC of the recovery target is in Region 'eu-west-1'");
    for (const what of ['The notifications topic', 'The key of the recovery target', 'The VPC of drills']) expect(error).toContain(`${what} is in Region 'us-east-1'`);
  });

  test('of volume keys is the source Region', () => {
    const arn = `arn:aws:kms:us-west-2:${ACCOUNT}:key/1`;
    expect(synthError(project({ source: { region: 'us-east-1', volumeKeys: [VolumeKey.fromArn(arn)] } }))).toContain(`source.volumeKeys: ${arn} is no key of the source Region 'us-east-1'`);
  });
});

describe('objectives, schedule and retention', () => {
  test('are told to the handlers', () => {
    const given = project({
      ...objectives(Duration.hours(1), Duration.hours(2)), schedule: ProtectionSchedule.every(Duration.minutes(20)),
      retention: RetentionPolicy.keepFor(Duration.days(1)), sourceRetention: RetentionPolicy.keepLast(1),
    });
    expect(cycleConfig(given)).toMatchObject({ rpoSeconds: 3600, intervalSeconds: 1200, retention: { kind: 'for', seconds: 86_400 }, sourceRetention: { kind: 'last', count: 1 } });
    expect(runConfig(given)).toMatchObject({ rpoSeconds: 3600, rtoSeconds: 7200 });
    template(given).hasResourceProperties('AWS::Scheduler::Schedule', { ScheduleExpression: 'rate(20 minutes)' });
  });

  test('an RPO that the cycle cannot give is refused, a tight one is warned of', () => {
    expect(synthError(project(objectives(Duration.minutes(5))))).toContain('objectives.rpo (5 minutes) must be longer than the interval of the schedule (5 minutes)');
    const tight = project(objectives(Duration.minutes(9)));
    template(tight);
    Annotations.fromStack(tight.stack).hasWarning('/Recovery/Shop', Match.stringLikeRegexp('less than twice the interval'));
  });

  test('a duration that is not known at synthesis is refused', () => {
    const rpo = Duration.minutes(Token.asNumber(Lazy.number({ produce: () => 15 })));
    expect(thrown(() => project(objectives(rpo)))).toContain('Recovery/Shop: objectives.rpo must be known at synthesis');
  });

  test('an RTO below a minute is refused', () => {
    expect(synthError(project(objectives(Duration.minutes(15), Duration.seconds(30))))).toContain('objectives.rto (30 seconds) must be at least 1 minute');
  });
});

test('how long missing machines are kept is told to the cycle; less than a day is refused', () => {
  expect(cycleConfig(project()).keepMissingSeconds).toBe(90 * 86_400);
  expect(cycleConfig(project({ keepMissingFor: Duration.days(30) })).keepMissingSeconds).toBe(30 * 86_400);
  expect(synthError(project({ keepMissingFor: Duration.hours(23) }))).toContain('keepMissingFor (23 hours) must be at least 1 day');
});

test('the cycle is told what decides whether a machine can be launched, and no more of the launch settings', () => {
  const given = project((stack) => ({
    target: RecoveryTarget.inVpc(recoveryVpc(stack), { keyName: 'ops', instanceRoles: [Role.fromRoleArn(stack, 'Role', `arn:aws:iam::${ACCOUNT}:role/app`)] }),
  }));
  given.project.protect(Endpoint.instance('win', { tag: { app: 'win' }, launch: { baseImageId: 'ami-0123', keyName: 'dba' } }));
  const { launch, launchDefaults, passableRoleArns } = cycleConfig(given);
  expect({ launch, launchDefaults, passableRoleArns }).toEqual({ launch: { win: { baseImageId: 'ami-0123' } }, launchDefaults: {}, passableRoleArns: [`arn:aws:iam::${ACCOUNT}:role/app`] });
});

describe('quotas and fleet', () => {
  test('are told to the handlers', () => {
    const given = project({ quotas: { copyConcurrency: 100, snapshotsPerSecond: 1, launchesPerSecond: 5 } });
    expect(cycleConfig(given)).toMatchObject({ copyConcurrency: 100, snapshotsPerSecond: 1 });
    expect(runConfig(given)).toMatchObject({ launchesPerSecond: 5 });
  });

  test.each([[{ copyConcurrency: 0 }, 'quotas.copyConcurrency must be a whole number of at least 1, got 0'], [{ snapshotsPerSecond: 0 }, 'quotas.snapshotsPerSecond must be above 0'], [{ launchesPerSecond: -1 }, 'quotas.launchesPerSecond must be above 0, got -1']])(
    '%j is refused', (quotas, message) => {
      expect(synthError(project({ quotas }))).toContain(message);
    },
  );

  test('a fleet that fits is accepted; one that the copy quota cannot carry is refused, unless the quota is raised', () => {
    const averageCopy = Duration.minutes(1);
    expect(synthError(project({ expectedFleet: { machines: 10, averageCopy } }))).toBe('synthesis succeeded');
    const expectedFleet = { machines: 200, volumesPerMachine: 2, averageCopy };
    expect(synthError(project({ expectedFleet }))).toMatch(/expectedFleet: an RPO of 900 s cannot be kept: .* raise the concurrent-copies quota/);
    expect(synthError(project({ expectedFleet, quotas: { copyConcurrency: 400, snapshotsPerSecond: 20 } }))).toBe('synthesis succeeded');
    expect(synthError(project({ expectedFleet: { machines: 0, averageCopy } }))).toContain('expectedFleet needs at least 1 machine');
  });
});

describe('other options', () => {
  test('a key of the user\'s own', () => {
    const given = project((stack) => ({ target: RecoveryTarget.inVpc(recoveryVpc(stack), { key: Key.fromKeyArn(stack, 'Key', `arn:aws:kms:us-west-2:${ACCOUNT}:key/own`) }) }));
    template(given).resourceCountIs('AWS::KMS::Key', 0);
    expect(cycleConfig(given).targetKeyArn).toBe(`arn:aws:kms:us-west-2:${ACCOUNT}:key/own`);
  });

  test('removal policy', () => {
    const rendered = template(project({ removalPolicy: RemovalPolicy.DESTROY }));
    rendered.hasResource('AWS::DynamoDB::Table', { DeletionPolicy: 'Delete', Properties: { DeletionProtectionEnabled: false } });
    rendered.hasResource('AWS::KMS::Key', { DeletionPolicy: 'Delete' });
  });

  test('retention of logs', () => {
    template(project({ logRetention: RetentionDays.ONE_YEAR })).hasResourceProperties('AWS::Logs::LogGroup', { LogGroupName: '/aws/lambda/disaster-recovery-shop-sweep', RetentionInDays: 365 });
  });

  test('age of orphans', () => {
    const rendered = template(project({ orphanAge: Duration.hours(3) }));
    rendered.hasResourceProperties('AWS::Scheduler::Schedule', { Target: { Input: Match.serializedJson({ config: Match.objectLike({ orphanAgeSeconds: 10_800 }) }) } });
    expect(thrown(() => project({ orphanAge: Duration.minutes(59) }))).toContain('Recovery/Shop: orphanAge must be at least 1 hour, got 59 minutes');
  });
});

test('two projects of one name are refused', () => {
  const given = project();
  new DisasterRecovery(new Stack(given.app, 'Other', { env: { region: 'eu-west-1' } }), 'Again', { ...required(given.stack), projectName: 'shop' });
  expect(synthError(given)).toContain("[Recovery/Shop] Other/Again is a project of the same name, 'shop'");
});

test('two projects in one stack', () => {
  const given = project();
  const vpc = recoveryVpc(new Stack(given.app, 'Other', { env: { region: 'us-west-2' } }));
  const orders = new DisasterRecovery(given.stack, 'Orders', { ...required(given.stack), target: RecoveryTarget.inVpc(vpc), projectName: 'orders' });
  orders.protect(Endpoint.instances('orders', { tag: { app: 'orders' } }));
  expect(given.app.synth().stacks.map(({ id }) => id).sort()).toEqual(['Other', 'Recovery', 'Recovery-Orders-Source', 'Recovery-Shop-Source']);
});

function required(stack: Stack) {
  return {
    source: { region: 'us-east-1' },
    objectives: { rpo: Duration.minutes(15), rto: Duration.minutes(30) },
    schedule: ProtectionSchedule.every(Duration.minutes(5)),
    retention: RetentionPolicy.keepLast(3),
    target: RecoveryTarget.inVpc(stack.node.tryFindChild('RecoveryVpc') as IVpc | undefined ?? recoveryVpc(stack)),
  };
}

test('the template of a stage is that of an app', () => {
  const stage = new Stage(new App(), 'Production', { env: { region: 'us-west-2', account: ACCOUNT } });
  const stack = new Stack(stage, 'Recovery');
  const shop = new DisasterRecovery(stack, 'Shop', required(stack));
  shop.protect(Endpoint.instances('web', { tag: { app: 'web' } }));
  expect([shop.sourceStack.region, shop.sourceStack.account, shop.sourceStack.stackName]).toEqual(['us-east-1', ACCOUNT, 'Production-Recovery-Shop-Source']);
  Template.fromStack(stack).resourceCountIs('AWS::StepFunctions::StateMachine', 2);
});
