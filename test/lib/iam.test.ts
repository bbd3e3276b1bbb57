import type { Stack } from 'aws-cdk-lib';
import { Aws } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { InstanceProfile, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import {
  CapacityPolicy, Endpoint, RecoveryCheck, RecoveryHook, RecoveryTarget, VolumeKey, type RecoveryTargetOptions,
} from '../../lib';
import { statementsOf, statementsOfRole } from './support/iam';
import { ACCOUNT, project, recoveryVpc, template, type Overrides } from './support/project';

const LOGS = 'logs:CreateLogStream logs:PutLogEvents -> LOGS';
const TABLE_KEY = 'kms:Decrypt kms:DescribeKey -> KEY [kms:ViaService=dynamodb.us-west-2.amazonaws.com]';
const INDEX = 'dynamodb:Query -> TABLE/index/work';
const READ_WRITE = 'dynamodb:GetItem dynamodb:Query dynamodb:PutItem dynamodb:UpdateItem -> TABLE';
const OWN = 'aws:ResourceTag/dr:project=shop';
const MADE = 'aws:RequestTag/dr:project=shop';
const DRILL = `${OWN}, aws:ResourceTag/dr:mode=drill`;
const BOTH_SNAPSHOTS = 'ec2:us-east-1::snapshot/* ec2:us-west-2::snapshot/*';
const MACHINES = 'ec2:us-west-2:ACCOUNT:instance/* ec2:us-west-2:ACCOUNT:volume/* ec2:us-west-2:ACCOUNT:network-interface/*';
const TARGET_KEY = [
  'kms:DescribeKey kms:Decrypt kms:GenerateDataKeyWithoutPlaintext kms:ReEncryptFrom kms:ReEncryptTo -> KEY [kms:ViaService=ec2.us-west-2.amazonaws.com]',
  'kms:CreateGrant -> KEY [kms:ViaService=ec2.us-west-2.amazonaws.com, Bool kms:GrantIsForAWSResource=true]',
];

/** The whole of what each function may do. A line more or less is a decision, to be made here too. */
const EXPECTED: Record<string, string[]> = {
  'cycle-begin': [
    LOGS, 'dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem -> TABLE', TABLE_KEY,
    'states:DescribeExecution -> states:us-west-2:ACCOUNT:execution:disaster-recovery-shop-cycle:*',
  ],
  'cycle-discover': [
    LOGS, READ_WRITE, TABLE_KEY,
    'ec2:DescribeInstances ec2:DescribeVolumes -> * [aws:RequestedRegion=us-east-1]',
    'ec2:DescribeInstanceAttribute ec2:GetInstanceUefiData -> ec2:us-east-1:ACCOUNT:instance/*',
    'iam:GetInstanceProfile -> iam::ACCOUNT:instance-profile/*',
  ],
  'cycle-snapshot': [
    LOGS, READ_WRITE, INDEX, TABLE_KEY,
    'ec2:DescribeSnapshots -> * [aws:RequestedRegion=us-east-1]',
    'ec2:CreateSnapshots -> ec2:us-east-1:ACCOUNT:instance/* ec2:us-east-1:ACCOUNT:volume/*',
    `ec2:CreateSnapshots -> ec2:us-east-1::snapshot/* [${MADE}]`,
    `ec2:CreateTags -> ec2:us-east-1::snapshot/* [ec2:CreateAction=CreateSnapshots, ${MADE}]`,
  ],
  'cycle-replicate': [
    LOGS, READ_WRITE, INDEX, TABLE_KEY,
    'ec2:DescribeSnapshots -> * [aws:RequestedRegion=us-east-1|us-west-2]',
    `ec2:CopySnapshot -> ec2:us-west-2::snapshot/* [${MADE}]`,
    `ec2:CopySnapshot -> ec2:us-east-1::snapshot/snap-* ec2:us-east-1:ACCOUNT:snapshot/snap-* ec2:us-west-2::snapshot/snap-* ec2:us-west-2:ACCOUNT:snapshot/snap-* [StringEqualsIfExists ${OWN}]`,
    `ec2:CreateTags -> ec2:us-west-2::snapshot/* [ec2:CreateAction=CopySnapshot, ${MADE}]`,
    ...TARGET_KEY,
  ],
  'cycle-wait': [LOGS, 'dynamodb:UpdateItem -> TABLE', TABLE_KEY, 'states:SendTaskSuccess -> * [aws:RequestedRegion=us-west-2]'],
  'wake': [LOGS, 'dynamodb:UpdateItem -> TABLE', TABLE_KEY, 'states:SendTaskSuccess -> * [aws:RequestedRegion=us-west-2]'],
  'cycle-prune': [
    LOGS, READ_WRITE.replace(' ->', ' dynamodb:DeleteItem ->'), INDEX, TABLE_KEY,
    'ec2:DescribeSnapshots -> * [aws:RequestedRegion=us-east-1|us-west-2]',
    `ec2:DeleteSnapshot -> ${BOTH_SNAPSHOTS} [${OWN}]`,
  ],
  'cycle-finish': [LOGS, 'dynamodb:GetItem dynamodb:Query dynamodb:DeleteItem -> TABLE', INDEX, TABLE_KEY],
  'run-begin': [
    LOGS, READ_WRITE, INDEX, TABLE_KEY,
    'ec2:DescribeInstances ec2:DescribeSnapshots -> * [aws:RequestedRegion=us-west-2]',
    'states:DescribeExecution -> states:us-west-2:ACCOUNT:execution:disaster-recovery-shop-run:*',
  ],
  'run-fence': [
    LOGS, READ_WRITE, TABLE_KEY,
    'ec2:DescribeInstances -> * [aws:RequestedRegion=us-west-2]',
    `ec2:StopInstances -> ec2:us-west-2:ACCOUNT:instance/* [${OWN}, aws:ResourceTag/dr:mode=failover]`,
  ],
  'run-hooks': [LOGS, READ_WRITE, TABLE_KEY],
  'run-cutover': [LOGS, READ_WRITE, TABLE_KEY],
  'run-launch': [
    LOGS, READ_WRITE, TABLE_KEY,
    'ec2:DescribeImages ec2:DescribeInstances ec2:DescribeVolumes -> * [aws:RequestedRegion=us-west-2]',
    `ec2:RegisterImage -> ec2:us-west-2::image/* [${MADE}]`,
    `ec2:RegisterImage -> ec2:us-west-2::snapshot/* [${OWN}]`,
    `ec2:DeregisterImage -> ec2:us-west-2::image/* [${OWN}]`,
    `ec2:RunInstances -> ${MACHINES} [${MADE}]`,
    `ec2:RunInstances -> ec2:us-west-2::image/* ec2:us-west-2::snapshot/* [${OWN}]`,
    'ec2:RunInstances -> PLACES',
    `ec2:CreateTags -> ${MACHINES} ec2:us-west-2::image/* [ec2:CreateAction=RunInstances|RegisterImage, ${MADE}]`,
    ...TARGET_KEY,
  ],
  'run-check': [LOGS, READ_WRITE, TABLE_KEY, 'ec2:DescribeInstanceStatus -> * [aws:RequestedRegion=us-west-2]'],
  'run-finish': [
    LOGS, READ_WRITE, INDEX, TABLE_KEY,
    'ec2:DescribeImages -> * [aws:RequestedRegion=us-west-2]',
    `ec2:DeregisterImage -> ec2:us-west-2::image/* [${OWN}]`,
  ],
  'drill-teardown': [
    LOGS,
    'ec2:DescribeImages ec2:DescribeInstances ec2:DescribeVolumes -> * [aws:RequestedRegion=us-west-2]',
    `ec2:TerminateInstances -> ec2:us-west-2:ACCOUNT:instance/* [${DRILL}]`,
    `ec2:DeregisterImage -> ec2:us-west-2::image/* [${DRILL}]`,
    `ec2:DeleteVolume -> ec2:us-west-2:ACCOUNT:volume/* [${DRILL}]`,
  ],
  'sweep': [
    LOGS, READ_WRITE, INDEX, TABLE_KEY,
    'states:DescribeExecution -> states:us-west-2:ACCOUNT:execution:disaster-recovery-shop-run:*',
    'ec2:DescribeSnapshots -> * [aws:RequestedRegion=us-east-1|us-west-2]',
    'ec2:DescribeImages -> * [aws:RequestedRegion=us-west-2]',
    `ec2:DeleteSnapshot -> ${BOTH_SNAPSHOTS} [${OWN}]`,
    `ec2:DeregisterImage -> ec2:us-west-2::image/* [${OWN}]`,
  ],
};

const PLACES = /subnet\/subnet-0a .*security-group\/\S+/;

describe('without further options', () => {
  const rendered = template(project());

  test.each(Object.entries(EXPECTED))('%s may do exactly this', (handler, expected) => {
    const statements = statementsOf(rendered, handler).map((line) => line.replace(/ -> .*:subnet\/.*/, ' -> PLACES'));
    expect(statements).toEqual(expected);
  });

  test('every function of the template is in this list, with a role of its own', () => {
    const functions = Object.values(rendered.findResources('AWS::Lambda::Function'));
    expect(functions.map(({ Properties }) => Properties.FunctionName.replace('disaster-recovery-shop-', '')).sort()).toEqual(Object.keys(EXPECTED).sort());
    expect(new Set(functions.map(({ Properties }) => Properties.Role['Fn::GetAtt'][0])).size).toBe(functions.length);
  });

  test('no function of a recovery run or of the drill teardown may call the source Region', () => {
    for (const handler of Object.keys(EXPECTED).filter((name) => name.startsWith('run-') || name === 'drill-teardown')) {
      expect(statementsOf(rendered, handler).join('\n')).not.toContain('us-east-1');
    }
  });

  test('the state machines may invoke their own functions, and deliver logs and traces', () => {
    for (const machine of Object.values(rendered.findResources('AWS::StepFunctions::StateMachine'))) {
      const own = machine.Properties.StateMachineName.endsWith('-run') ? 'ShopRunFunctions' : 'ShopCycleFunctions';
      const [invoke, ...rest] = statementsOfRole(rendered, machine.Properties.RoleArn['Fn::GetAtt'][0]);
      const targets = invoke!.replace('lambda:InvokeFunction -> ', '').split(' ');
      expect(targets.every((target) => target.startsWith(`<${own}`) && target.endsWith('.Arn>'))).toBe(true);
      expect(invoke).not.toContain('Wake');
      expect(rest.map((line) => line.split(':')[0])).toEqual(['logs', 'xray']);
    }
  });

  test('each schedule may start the one thing that it is for', () => {
    const schedules = Object.values(rendered.findResources('AWS::Scheduler::Schedule'));
    const roles = schedules.map(({ Properties }) => statementsOfRole(rendered, Properties.Target.RoleArn['Fn::GetAtt'][0]));
    expect(roles).toEqual([
      [expect.stringMatching(/^states:StartExecution -> <ShopCycleMachine\w+>$/)],
      [expect.stringMatching(/^lambda:InvokeFunction -> <ShopUpkeepDrillTeardownFunction\.Arn>$/)],
      [expect.stringMatching(/^lambda:InvokeFunction -> <ShopUpkeepSweepFunction\.Arn>$/)],
    ]);
  });
});

/** What the options add to the statements of a function. */
function added(handler: string, overrides: (stack: Stack) => Overrides, declare: (given: ReturnType<typeof project>) => void = () => undefined): string[] {
  const given = project(overrides);
  declare(given);
  return statementsOf(template(given), handler).filter((line) => !EXPECTED[handler]!.includes(line));
}

function targeted(options: RecoveryTargetOptions) {
  return (stack: Stack): Overrides => ({ target: RecoveryTarget.inVpc(recoveryVpc(stack), options) });
}

describe('options that widen a role', () => {
  test('keys of source volumes, by ARN and by alias', () => {
    const arn = `arn:aws:kms:us-east-1:${ACCOUNT}:key/1`;
    const via = 'kms:ViaService=ec2.us-east-1.amazonaws.com|ec2.us-west-2.amazonaws.com';
    const aliased = 'ForAnyValue:StringEquals kms:ResourceAliases=alias/shop';
    const source = { region: 'us-east-1', volumeKeys: [VolumeKey.fromArn(arn), VolumeKey.fromAlias('alias/shop')] };
    expect(added('cycle-replicate', () => ({ source }))).toEqual([
      `kms:DescribeKey kms:Decrypt kms:ReEncryptFrom -> ${arn} [${via}]`,
      `kms:CreateGrant -> ${arn} [${via}, Bool kms:GrantIsForAWSResource=true]`,
      `kms:DescribeKey kms:Decrypt kms:ReEncryptFrom -> kms:us-east-1:ACCOUNT:key/* [${aliased}, ${via}]`,
      `kms:CreateGrant -> kms:us-east-1:ACCOUNT:key/* [${aliased}, ${via}, Bool kms:GrantIsForAWSResource=true]`,
    ]);
  });

  test('roles that machines may carry, of the target and of an endpoint', () => {
    const withRoles = (stack: Stack) => {
      const roles = ['one', 'two'].map((name) => Role.fromRoleArn(stack, name, `arn:aws:iam::${ACCOUNT}:role/${name}`));
      return targeted({ instanceRoles: roles })(stack);
    };
    const lines = added('run-launch', withRoles, ({ stack, project: shop }) => {
      const role = new Role(stack, 'Three', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') });
      shop.protect(Endpoint.instance('db', { tag: { app: 'db' }, launch: { instanceProfile: new InstanceProfile(stack, 'Profile', { role }) } }));
    });
    const passed = lines.filter((line) => line.startsWith('iam:PassRole'));
    expect(passed).toEqual([
      `iam:PassRole -> arn:aws:iam::${ACCOUNT}:role/one [iam:PassedToService=ec2.amazonaws.com]`,
      `iam:PassRole -> arn:aws:iam::${ACCOUNT}:role/two [iam:PassedToService=ec2.amazonaws.com]`,
      expect.stringMatching(/^iam:PassRole -> <Three\w+\.Arn> \[iam:PassedToService=ec2\.amazonaws\.com\]$/),
    ]);
  });

  test('places: key pairs, reservations, and the networks of endpoints, also of those protected later', () => {
    const [places] = added('run-launch', targeted({ keyName: 'operators', capacity: CapacityPolicy.reservation('cr-0123') }), ({ stack, project: shop }) => {
      shop.protect(Endpoint.instance('db', {
        tag: { app: 'db' },
        launch: {
          subnet: ec2.Subnet.fromSubnetId(stack, 'Own', 'subnet-0own'),
          securityGroups: [ec2.SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-0own')],
          keyName: 'dba',
        },
      }));
    });
    expect(places).toMatch(PLACES);
    for (const place of ['subnet/subnet-0own', 'security-group/sg-0own', 'key-pair/operators', 'key-pair/dba', 'capacity-reservation/cr-0123']) {
      expect(places).toContain(`ec2:us-west-2:ACCOUNT:${place}`);
    }
    expect(places).not.toContain('*');
  });

  test('a resource group of reservations', () => {
    const group = `arn:aws:resource-groups:us-west-2:${ACCOUNT}:group/recovery`;
    expect(added('run-launch', targeted({ capacity: CapacityPolicy.resourceGroup(group) }))[0]).toContain(group);
  });

  test('a base image lets the root volume be replaced', () => {
    const lines = added('run-launch', () => ({}), ({ project: shop }) => {
      shop.protect(Endpoint.instance('windows', { tag: { app: 'erp' }, launch: { baseImageId: 'ami-0base' } }));
    });
    expect(lines.slice(1)).toEqual([
      'ec2:RunInstances -> ec2:us-west-2::image/ami-0base',
      `ec2:CreateVolume -> ec2:us-west-2:ACCOUNT:volume/* [${MADE}]`,
      `ec2:CreateTags -> ec2:us-west-2:ACCOUNT:volume/* [ec2:CreateAction=CreateVolume, ${MADE}]`,
      `ec2:CreateVolume -> ec2:us-west-2::snapshot/* [${OWN}]`,
      `ec2:StopInstances ec2:StartInstances ec2:ModifyInstanceAttribute -> ec2:us-west-2:ACCOUNT:instance/* [${OWN}]`,
      `ec2:AttachVolume ec2:DetachVolume -> ec2:us-west-2:ACCOUNT:instance/* ec2:us-west-2:ACCOUNT:volume/* [${OWN}]`,
      `ec2:DeleteVolume -> ec2:us-west-2:ACCOUNT:volume/* [${OWN}]`,
    ]);
  });

  test('hooks and checks: the functions and documents that they name, each once', () => {
    const given = project();
    const handler = (name: string) => LambdaFunction.fromFunctionArn(given.stack, name, `arn:aws:lambda:us-west-2:${Aws.ACCOUNT_ID}:function:${name}`);
    const [hook, check] = [handler('hook'), handler('check')];
    const [web] = [given.project.protect(Endpoint.instance('db', { tag: { app: 'db' } }))];
    given.project.addWave({
      endpoints: [web],
      before: [RecoveryHook.lambda(hook, { name: 'first' }), RecoveryHook.ssmDocument('AWS-RunShellScript')],
      after: [RecoveryHook.lambda(hook, { name: 'again' }), RecoveryHook.ssmDocument('Own')],
      checks: [RecoveryCheck.lambda(check), RecoveryCheck.ssmDocument(`arn:aws:ssm:us-west-2:${ACCOUNT}:document/Shared`)],
    });
    const rendered = template(given);
    const machines = 'ssm:SendCommand -> ec2:us-west-2:ACCOUNT:instance/* [ssm:resourceTag/dr:project=shop]';
    const watch = 'ssm:ListCommandInvocations ssm:ListCommands -> *';
    expect(statementsOf(rendered, 'run-hooks').slice(EXPECTED['run-hooks']!.length)).toEqual([
      'lambda:InvokeFunction -> arn:aws:lambda:us-west-2:ACCOUNT:function:hook',
      'ssm:SendCommand -> ssm:us-west-2::document/AWS-RunShellScript', machines, watch,
      'ssm:SendCommand -> ssm:us-west-2:ACCOUNT:document/Own',
    ]);
    expect(statementsOf(rendered, 'run-check').slice(EXPECTED['run-check']!.length)).toEqual([
      'lambda:InvokeFunction -> arn:aws:lambda:us-west-2:ACCOUNT:function:check',
      `ssm:SendCommand -> arn:aws:ssm:us-west-2:${ACCOUNT}:document/Shared`, machines, watch,
    ]);
  });
});

describe('grants', () => {
  const given = project();
  const grantee = (name: string) => new Role(given.stack, name, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  const [operator, reader] = [grantee('Operator'), grantee('Reader')];
  given.project.grantRun(operator);
  given.project.grantRead(reader);
  const rendered = template(given);
  const granted = (role: Role) => statementsOfRole(rendered, given.stack.getLogicalId(role.node.defaultChild as never))
    .map((line) => line.replace(/<ShopCycleMachine\w+>/, 'CYCLE').replace(/<ShopRunMachine\w+>/, 'RUN'));

  test('grantRun: start, watch and stop runs', () => {
    expect(granted(operator)).toEqual([
      'states:StartExecution -> RUN',
      'states:DescribeExecution states:GetExecutionHistory states:StopExecution -> states:us-west-2:ACCOUNT:execution:disaster-recovery-shop-run:*',
    ]);
  });

  test('grantRead: the catalogue and the executions', () => {
    expect(granted(reader)).toEqual([
      'dynamodb:GetItem dynamodb:Query -> TABLE TABLE/index/work',
      'kms:Decrypt kms:DescribeKey -> KEY',
      'states:ListExecutions -> CYCLE RUN',
      expect.stringMatching(/^states:DescribeExecution states:GetExecutionHistory -> .*-cycle:\* .*-run:\*$/),
    ]);
  });
});
