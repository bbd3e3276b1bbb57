import validate from 'asl-validator';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Aws, Duration, Stack, Validations } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { AwsSolutionsChecks } from 'cdk-nag';
import { DecisionMode, Endpoint, FailureDetector, Fencing, MaintenanceWindow, Signal, UnknownSignal } from '../../lib';
import { flat, type Asl } from './support/asl';
import { added, configOf, declared, functionNames, LOGS, only, probes, quorum, schedule, TABLE_KEY, told, type Declared } from './support/detection';
import { statementsOf, statementsOfRole } from './support/iam';
import { ACCOUNT, emptyProject, project, recoveryVpc, synthError, template, thrown, type Given } from './support/project';

test('a project without a detector has none of it', () => {
  const given = project();
  expect(functionNames(template(given)).filter((name) => /detect|appro|probe|signal/.test(name))).toEqual([]);
  expect(given.project.detection).toBeUndefined();
});

describe('by default', () => {
  const given = quorum();
  const rendered = template(given);

  test('people are asked: three failures in a row, five recoveries, unknown ignored, one action a day, half an hour between decisions', () => {
    expect(only(given)).toEqual({
      name: 'project', expiresSeconds: 3600,
      policy: {
        project: 'shop', scope: 'project', signals: ['http-shop.example-health', 'tcp-shop.example-443'], quorum: 2, consecutiveFailures: 3, recoveryAfter: 5, unknown: 'ignored', mode: 'approval',
        maintenanceWindows: [], maxActions: { count: 1, seconds: 86_400 }, cooldownSeconds: 1800, spacingSeconds: 30, gapSeconds: 300,
      },
      signals: [
        { kind: 'http', name: 'http-shop.example-health', url: 'https://shop.example/health', timeoutMs: 10_000 },
        { kind: 'tcp', name: 'tcp-shop.example-443', host: 'shop.example', port: 443, timeoutMs: 10_000 },
      ],
    });
  });

  test('each minute', () => {
    expect(schedule(rendered)).toMatchObject({ Name: 'disaster-recovery-shop-detect', ScheduleExpression: 'rate(1 minute)' });
    expect(statementsOfRole(rendered, schedule(rendered).Target.RoleArn['Fn::GetAtt'][0])).toEqual(['lambda:InvokeFunction -> <ShopDetectionDetectFunction.Arn>']);
  });

  test('the functions are those that are needed', () => {
    expect(added(rendered)).toEqual(['approval-ask', 'approval-end', 'approve', 'detect']);
    rendered.resourceCountIs('AWS::Lambda::Url', 0);
  });

  test('the rest of the project is as it was', () => {
    const before = Object.keys(template(project(told)).toJSON().Resources as object);
    expect(Object.keys(rendered.toJSON().Resources as object)).toEqual(expect.arrayContaining(before));
    expect(Object.keys(Template.fromStack(given.project.sourceStack).toJSON().Resources as object)).toHaveLength(3);
  });
});

const RUN = 'states:us-west-2:ACCOUNT:stateMachine:disaster-recovery-shop-run';
const DETECT = [LOGS, 'dynamodb:GetItem dynamodb:Query dynamodb:PutItem -> TABLE', TABLE_KEY, 'states:DescribeExecution -> states:us-west-2:ACCOUNT:execution:disaster-recovery-shop-run:*'];
const PUBLISH = expect.stringMatching(/^sns:Publish -> <Operators\w+>$/);

describe('permissions', () => {
  const of = (given: Given, handler: string) => statementsOf(template(given), handler);
  const more = (signals: Signal[] | ((given: Declared) => Signal[])) =>
    of(declared((given) => FailureDetector.quorum(1, typeof signals === 'function' ? signals(given) : signals, { mode: DecisionMode.notify() })), 'detect').slice(DETECT.length, -1);

  test.each([
    ['automatic', DecisionMode.automatic(), `states:StartExecution -> ${RUN}`],
    ['approval', DecisionMode.approval(), 'states:StartExecution -> states:us-west-2:ACCOUNT:stateMachine:disaster-recovery-shop-approval'],
  ])('%s starts one state machine and publishes to one topic', (_name, mode, start) => {
    expect(of(quorum({ mode }), 'detect')).toEqual([...DETECT, start, PUBLISH]);
  });

  test('notify starts nothing', () => {
    expect(of(quorum({ mode: DecisionMode.notify() }), 'detect')).toEqual([...DETECT, PUBLISH]);
  });

  test('who asks cannot start, who takes the answer cannot either, who starts cannot answer', () => {
    const rendered = template(quorum({ mode: DecisionMode.approval({ links: true }) }));
    const answering = [LOGS, 'dynamodb:GetItem dynamodb:UpdateItem -> TABLE', TABLE_KEY, 'states:SendTaskSuccess -> * [aws:RequestedRegion=us-west-2]'];
    expect(statementsOf(rendered, 'approval-ask')).toEqual([LOGS, 'dynamodb:PutItem -> TABLE', TABLE_KEY, PUBLISH]);
    expect(statementsOf(rendered, 'approval-end')).toEqual([LOGS, 'dynamodb:GetItem dynamodb:UpdateItem -> TABLE', TABLE_KEY, `states:StartExecution -> ${RUN}`, PUBLISH]);
    expect(statementsOf(rendered, 'approve')).toEqual(answering);
    expect(statementsOf(rendered, 'approve-link')).toEqual(answering);
    const machine = Object.values(rendered.findResources('AWS::StepFunctions::StateMachine')).find(({ Properties }) => Properties.StateMachineName.endsWith('-approval'))!;
    expect(statementsOfRole(rendered, machine.Properties.RoleArn['Fn::GetAtt'][0])[0]).toBe('lambda:InvokeFunction -> <ShopDetectionApprovalAskFunction.Arn> <ShopDetectionApprovalEndFunction.Arn>');
  });

  test('a topic under a key of the user\'s', () => {
    const given = declared(() => FailureDetector.quorum(1, probes(), { mode: DecisionMode.notify() }), (stack) => ({ notifications: new Topic(stack, 'Operators', { masterKey: new Key(stack, 'TopicKey') }) }));
    expect(of(given, 'detect').at(-1)).toMatch(/^kms:Decrypt kms:GenerateDataKey -> <TopicKey\w+\.Arn> \[kms:ViaService=sns\.us-west-2\.amazonaws\.com\]$/);
  });

  test('signals add what they read, in the Region where it is', () => {
    expect(more(probes())).toEqual([]);
    expect(more([Signal.agentHeartbeat(), Signal.replicationLag({ atMost: Duration.hours(1) })])).toEqual([]);
    expect(more(({ endpoint }) => [Signal.instanceStatus(endpoint)])).toEqual(['ec2:DescribeInstanceStatus -> * [aws:RequestedRegion=us-east-1]']);
    expect(more([Signal.metric(new Metric({ namespace: 'N', metricName: 'M' }), { threshold: 1 })])).toEqual(['cloudwatch:GetMetricData -> * [aws:RequestedRegion=us-east-1]']);
    expect(more([Signal.metric(new Metric({ namespace: 'N', metricName: 'M', region: 'eu-west-1' }), { threshold: 1 })])).toEqual(['cloudwatch:GetMetricData -> * [aws:RequestedRegion=eu-west-1]']);
    expect(more([Signal.alarm(`arn:aws:cloudwatch:eu-west-1:${ACCOUNT}:alarm:a`)])).toEqual(['cloudwatch:DescribeAlarms -> * [aws:RequestedRegion=eu-west-1]']);
    expect(more(({ stack }) => [Signal.lambda(LambdaFunction.fromFunctionArn(stack, 'Own', `arn:aws:lambda:us-west-2:${Aws.ACCOUNT_ID}:function:own`))]))
      .toEqual(['lambda:InvokeFunction -> arn:aws:lambda:us-west-2:ACCOUNT:function:own']);
    expect(more([Signal.logPattern({ logGroupName: '/shop', pattern: 'ERROR' })])).toEqual(['cloudwatch:DescribeAlarms -> * [aws:RequestedRegion=us-east-1]']);
  });

  test('grantApprove lets answer, and nothing else', () => {
    const given = quorum();
    const operator = new Role(given.stack, 'Operator', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    given.project.grantApprove(operator);
    expect(statementsOfRole(template(given), given.stack.getLogicalId(operator.node.defaultChild as never))).toEqual(['lambda:InvokeFunction -> <ShopDetectionApprovalApproveFunction.Arn>']);
    const other = project();
    expect(thrown(() => other.project.grantApprove(operator))).toContain('no detector asks for approval');
  });
});

describe('policy', () => {
  test('overrides', () => {
    const given = declared(({ endpoint }) => FailureDetector.quorum(1, probes(), {
      name: 'front', mode: DecisionMode.automatic(), consecutiveFailures: 5, recoveryAfter: 2, unknown: UnknownSignal.UNHEALTHY, cooldown: Duration.hours(2), interval: Duration.minutes(5),
      maxActionsPer: { count: 2, period: Duration.days(7) }, endpoints: [endpoint],
      maintenanceWindows: [MaintenanceWindow.daily('02:00', Duration.hours(1)), MaintenanceWindow.weekly(['SUN'], '22:30', Duration.minutes(90))],
    }));
    expect(only(given)).toMatchObject({
      name: 'front', endpoints: ['web'],
      policy: {
        scope: 'endpoints/web', quorum: 1, consecutiveFailures: 5, recoveryAfter: 2, unknown: 'unhealthy', mode: 'automatic', cooldownSeconds: 7200, spacingSeconds: 270, gapSeconds: 1500,
        maxActions: { count: 2, seconds: 604_800 },
        maintenanceWindows: [{ startUtc: '02:00', durationMinutes: 60 }, { weekdays: ['SUN'], startUtc: '22:30', durationMinutes: 90 }],
      },
    });
    expect(schedule(template(given)).ScheduleExpression).toBe('rate(5 minutes)');
  });

  test('two detectors share a function, which runs as often as the one that is most eager', () => {
    const given = declared(() => FailureDetector.quorum(1, probes(), { interval: Duration.minutes(10) }));
    given.project.detectFailure(FailureDetector.quorum(1, probes(), { endpoints: [given.endpoint], interval: Duration.minutes(2), mode: DecisionMode.notify() }));
    const rendered = template(given);
    expect(schedule(rendered).ScheduleExpression).toBe('rate(2 minutes)');
    expect(configOf(given).detectors.map(({ name }) => name)).toEqual(['project', 'web']);
    expect(added(rendered).filter((name) => name === 'detect')).toHaveLength(1);
    rendered.hasResourceProperties('AWS::CloudWatch::Alarm', { AlarmName: 'disaster-recovery-shop-detector-silent', EvaluationPeriods: 6, DatapointsToAlarm: 6 });
  });

  test.each<[() => unknown, string]>([
    [() => FailureDetector.quorum(0, probes()), 'quorum of a detector must be a whole number of at least 1, got 0'],
    [() => FailureDetector.quorum(1, probes(), { consecutiveFailures: 0 }), 'consecutiveFailures of a detector must be'],
    [() => FailureDetector.quorum(1, probes(), { recoveryAfter: 0.5 }), 'recoveryAfter of a detector must be'],
    [() => FailureDetector.quorum(1, probes(), { interval: Duration.seconds(90) }), 'must be whole minutes from 1 minute to 1 hour, got 1 minute 30 seconds'],
    [() => FailureDetector.quorum(1, probes(), { interval: Duration.hours(2) }), 'must be whole minutes from 1 minute to 1 hour'],
    [() => FailureDetector.quorum(1, probes(), { maxActionsPer: { count: 0, period: Duration.days(1) } }), 'maxActionsPer.count must be'],
    [() => FailureDetector.quorum(1, probes(), { maxActionsPer: { count: 1, period: Duration.minutes(1) } }), 'maxActionsPer.period must be at least 1 hour'],
    [() => DecisionMode.approval({ expires: Duration.minutes(4) }), 'expires of an approval must be from 5 minutes to 7 days, got 4 minutes'],
    [() => DecisionMode.approval({ expires: Duration.days(8) }), 'expires of an approval must be from 5 minutes to 7 days'],
    [() => MaintenanceWindow.daily('2:00', Duration.hours(1)), "startUtc of a maintenance window must be HH:MM in UTC, got '2:00'"],
    [() => MaintenanceWindow.daily('02:00', Duration.days(7)), 'from 1 minute to less than a week'],
    [() => MaintenanceWindow.weekly([], '02:00', Duration.hours(1)), 'needs days out of'],
    [() => MaintenanceWindow.weekly(['MONDAY' as never], '02:00', Duration.hours(1)), 'got MONDAY'],
  ])('%#: is refused at once', (declare, problem) => {
    expect(thrown(declare)).toContain(problem);
  });

  test.each<[string, (given: Declared) => FailureDetector[], string]>([
    ['a quorum that cannot be reached', () => [FailureDetector.quorum(3, probes())], "Detector 'project' has a quorum of 3 and 2 signals: it would never decide"],
    ['no signals', () => [FailureDetector.quorum(1, [])], "Detector 'project' has no signals"],
    ['two signals of one name', () => [FailureDetector.quorum(1, [...probes(), ...probes()])], "has two signals named 'tcp-shop.example-443'"],
    ['a signal that has no usable name', () => [FailureDetector.quorum(1, [Signal.tcpProbe('h', 1, { name: 'a/b' })])], "The name 'a/b' of a signal is not usable"],
    ['two detectors of one scope', () => [FailureDetector.quorum(1, probes()), FailureDetector.quorum(1, probes(), { name: 'other' })], "Two detectors watch the same scope, 'project'"],
    ['two detectors of one name', ({ endpoint }) => [FailureDetector.quorum(1, probes()), FailureDetector.quorum(1, probes(), { name: 'project', endpoints: [endpoint] })], "Two detectors are named 'project'"],
    ['no endpoints', () => [FailureDetector.quorum(1, probes(), { endpoints: [], name: 'none' })], 'names no endpoint'],
    ['an endpoint of another project', () => [FailureDetector.quorum(1, [Signal.instanceStatus(emptyProject().project.protect(Endpoint.instance('db', { tag: { a: 'b' } })))])], "names endpoint 'db', which is not of this project"],
  ])('%s is refused at synthesis', (_name, detectors, problem) => {
    const given = emptyProject(told);
    const all = { ...given, endpoint: given.project.protect(Endpoint.instances('web', { tag: { app: 'web' } })) };
    for (const detector of detectors(all)) given.project.detectFailure(detector);
    expect(synthError(given)).toContain(problem);
  });

  test.each([[DecisionMode.approval(), 'asks for approval'], [DecisionMode.notify(), 'notifies people']])('nobody to tell is refused: %#', (mode, problem) => {
    expect(synthError(declared(() => FailureDetector.quorum(1, probes(), { mode }), {}))).toContain(`${problem}, and there is nobody to tell. Give the project notifications`);
  });

  test('automatic without fencing, or by one signal alone, is a warning', () => {
    const automatic = FailureDetector.quorum(1, probes(), { mode: DecisionMode.automatic() });
    const open = declared(() => automatic, {});
    Annotations.fromStack(open.stack).hasWarning('/Recovery/Shop', Match.stringLikeRegexp('fails over by itself, and the project declares no fencing'));
    Annotations.fromStack(open.stack).hasWarning('/Recovery/Shop', Match.stringLikeRegexp('when a single signal shows a failure'));
    const fenced = declared(() => FailureDetector.quorum(2, probes(), { mode: DecisionMode.automatic() }), { fencing: Fencing.stopInstances() });
    Annotations.fromStack(fenced.stack).hasNoWarning('/Recovery/Shop', Match.anyValue());
    Annotations.fromStack(quorum().stack).hasNoWarning('/Recovery/Shop', Match.anyValue());
  });
});

describe('approval', () => {
  const machineOf = (given: Given): Asl => {
    const machine = Object.values(template(given).findResources('AWS::StepFunctions::StateMachine')).find(({ Properties }) => Properties.StateMachineName.endsWith('-approval'))!;
    return JSON.parse(flat(machine.Properties.DefinitionString)) as Asl;
  };
  const asl = machineOf(quorum());

  test('is valid ASL', () => {
    const { isValid, errorsText } = validate(asl, { checkArn: false, checkPaths: true });
    expect(isValid ? '' : errorsText('\n')).toBe('');
  });

  test('asks with a token, until the question expires; no answer is carried out like an answer', () => {
    const task = asl.States['Ask people']!;
    expect(task).toMatchObject({ Resource: expect.stringMatching(/lambda:invoke\.waitForTaskToken$/), TimeoutSecondsPath: '$.expiresSeconds', Next: 'Carry out', ResultPath: null });
    expect(task.Parameters!.Payload).toEqual({ 'config.$': '$.config', 'question.$': '$$.Execution.Input', 'token.$': '$$.Task.Token' });
    expect(task.Catch).toEqual([
      { ErrorEquals: ['States.Timeout'], ResultPath: null, Next: 'Carry out' },
      { ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Approval failed' },
    ]);
    // A time-out must not be tried again: nobody would ever stop asking.
    expect(task.Retry!.flatMap(({ ErrorEquals }) => ErrorEquals)).not.toContain('States.Timeout');
    expect(task.Retry!.flatMap(({ ErrorEquals }) => ErrorEquals)).not.toContain('States.ALL');
    expect(asl.States['Carry out']!.Next).toBe('Answered');
  });

  test('tells the names that people need; the task token is in no log', () => {
    expect(asl.States.Configure!.Result).toEqual({
      project: 'shop', recoveryRegion: 'us-west-2', runMachineArn: expect.stringMatching(/:stateMachine:disaster-recovery-shop-run$/),
      approveFunctionName: expect.stringContaining('ShopDetectionApprovalApproveFunction'), topicArn: expect.stringContaining('Operators'),
    });
    template(quorum()).hasResourceProperties('AWS::StepFunctions::StateMachine', { StateMachineName: 'disaster-recovery-shop-approval', LoggingConfiguration: { IncludeExecutionData: false } });
  });

  test('links are made only where they were asked for', () => {
    const given = quorum({ mode: DecisionMode.approval({ links: true, expires: Duration.minutes(20) }) });
    template(given).hasResourceProperties('AWS::Lambda::Url', { AuthType: 'NONE' });
    expect(added(template(given))).toContain('approve-link');
    expect(machineOf(given).States.Configure!.Result.linkUrl).toMatch(/FunctionUrl/);
    expect(only(given).expiresSeconds).toBe(1200);
  });
});

describe('alarms', () => {
  test('each has its chapter in the runbook and tells people both ways', () => {
    const given = quorum();
    const runbook = readFileSync(join(__dirname, '..', '..', 'docs', 'operator-runbook.md'), 'utf8');
    const alarms = Object.values(template(given).findResources('AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties).filter(({ AlarmName }) => /detector|approval/.test(AlarmName));
    expect(alarms.map(({ AlarmName }) => AlarmName.replace('disaster-recovery-shop-', '')).sort()).toEqual(['approval-failed', 'detector-silent']);
    for (const { AlarmName, AlarmDescription, AlarmActions, OKActions } of alarms) {
      const anchor = AlarmName.replace('disaster-recovery-shop-', '');
      expect(AlarmDescription).toContain(`docs/operator-runbook.md#${anchor}`);
      expect(runbook).toContain(`\n## ${anchor}\n`);
      expect([AlarmActions, OKActions]).toEqual(Array(2).fill([{ Ref: expect.stringMatching(/^Operators/) }]));
    }
  });

  test('silence for five minutes is one', () => {
    template(quorum()).hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'disaster-recovery-shop-detector-silent', MetricName: 'DetectorRuns', Statistic: 'SampleCount', Period: 60, EvaluationPeriods: 5, DatapointsToAlarm: 5,
      Threshold: 1, ComparisonOperator: 'LessThanThreshold', TreatMissingData: 'breaching',
    });
  });
});

test('cdk-nag has nothing to say that is not explained', () => {
  const given = quorum({ mode: DecisionMode.approval({ links: true }) });
  const network = new Stack(given.app, 'Network', { env: { region: 'us-west-2' } });
  given.project.detectFailure(FailureDetector.quorum(1, [
    Signal.instanceStatus(given.endpoint), Signal.metric(new Metric({ namespace: 'N', metricName: 'M' }), { threshold: 1 }), Signal.logPattern({ logGroupName: '/shop', pattern: 'x' }),
    Signal.tcpProbe('10.0.0.1', 1, { vpc: recoveryVpc(network) }),
  ], { endpoints: [given.endpoint], mode: DecisionMode.notify() }));
  Validations.of(given.app).addPlugins(new AwsSolutionsChecks(given.app));
  const error = synthError(given);
  process.exitCode = 0;
  // The topic is the test's own.
  expect([...error.matchAll(/Acknowledge with '(.*)'/g)].map(([, id]) => id)).toEqual(['AwsSolutions::AwsSolutions-SNS3']);
});
