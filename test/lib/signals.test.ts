import { Duration, Lazy } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { SecurityGroup, Vpc } from 'aws-cdk-lib/aws-ec2';
import { DecisionMode, FailureDetector, MissingValue, Signal, SignalComparison } from '../../lib';
import { added, declared, LOGS, only, quorum, TABLE_KEY, type Declared } from './support/detection';
import { statementsOf } from './support/iam';
import { ACCOUNT, synthError, template, thrown } from './support/project';

describe('signals', () => {
  const config = (signal: Signal | ((given: Declared) => Signal)) => only(declared((given) => FailureDetector.quorum(1, [typeof signal === 'function' ? signal(given) : signal]))).signals[0];

  test('HTTP probe: status, body, latency, time-out, name', () => {
    const signal = Signal.httpProbe('https://shop.example/health?deep=1', { name: 'front', status: [200, 204], bodyMatch: 'db: up (1.0)', maxLatency: Duration.millis(800), timeout: Duration.seconds(3) });
    expect(config(signal)).toEqual({
      kind: 'http', name: 'front', url: 'https://shop.example/health?deep=1', statuses: [200, 204], bodyMatch: { source: 'db: up \\(1\\.0\\)', flags: '' }, maxLatencyMs: 800, timeoutMs: 3000,
    });
    expect(config(Signal.httpProbe('http://shop.example', { status: 401, bodyMatch: /UP$/gi }))).toMatchObject({ statuses: [401], bodyMatch: { source: 'UP$', flags: 'i' } });
  });

  test('of the source and of the catalogue', () => {
    expect(config(({ endpoint }) => Signal.instanceStatus(endpoint, { minHealthy: 2 }))).toEqual({ kind: 'instance-status', name: 'instance-status-web', endpoint: 'web', minHealthy: 2, timeoutMs: 10_000 });
    expect(config(Signal.agentHeartbeat({ maxAge: Duration.minutes(2) }))).toEqual({ kind: 'heartbeat', name: 'agent-heartbeat', maxAgeSeconds: 120, timeoutMs: 10_000 });
    expect(config(({ endpoint }) => Signal.agentHeartbeat({ endpoint }))).toMatchObject({ name: 'agent-heartbeat-web', endpoint: 'web', maxAgeSeconds: 300 });
    expect(config(Signal.replicationLag({ atMost: Duration.hours(1) }))).toEqual({ kind: 'replication-lag', name: 'replication-lag', atMostSeconds: 3600, timeoutMs: 10_000 });
  });

  test('of CloudWatch', () => {
    const metric = new Metric({ namespace: 'Shop', metricName: 'Errors', dimensionsMap: { App: 'shop' }, statistic: 'Sum', period: Duration.minutes(1) });
    expect(config(Signal.metric(metric, { threshold: 5, unhealthyWhen: SignalComparison.GREATER_THAN_OR_EQUAL, missing: MissingValue.HEALTHY }))).toEqual({
      kind: 'metric', name: 'metric-Errors', region: 'us-east-1', namespace: 'Shop', metricName: 'Errors', dimensions: { App: 'shop' }, statistic: 'Sum', periodSeconds: 60,
      unhealthyWhen: '>=', threshold: 5, missing: 'healthy', timeoutMs: 10_000,
    });
    expect(config(Signal.metric(metric, { threshold: 5 }))).toMatchObject({ unhealthyWhen: '>', missing: 'unknown' });
    expect(config(Signal.alarm(`arn:aws:cloudwatch:us-east-1:${ACCOUNT}:alarm:a:b`))).toMatchObject({ kind: 'alarm', name: 'alarm-a-b', region: 'us-east-1', alarmName: 'a:b' });
  });

  test.each([
    [() => Signal.httpProbe('ftp://shop.example'), 'must be http://… or https://…'],
    [() => Signal.httpProbe('https://user:secret@shop.example'), 'must not have a password'],
    [() => Signal.httpProbe('https://shop.example', { status: 42 }), 'must be from 100 to 599, got 42'],
    [() => quorum({}, [Signal.httpProbe('https://shop.example', { timeout: Duration.seconds(31) })], 1), 'timeout of a signal must be from 1 second to 30 seconds, got 31 seconds'],
    [() => quorum({}, [Signal.tcpProbe('h', 1, { maxLatency: Duration.seconds(11) })], 1), 'maxLatency of a probe must be from 1 ms to its timeout of 10000 ms'],
    [() => Signal.tcpProbe('shop.example', 0), 'must be from 1 to 65535, got 0'],
    [() => Signal.agentHeartbeat({ maxAge: Duration.seconds(30) }), 'maxAge of a heartbeat must be at least 1 minute'],
    [() => Signal.metric(new MathExpression({ expression: 'a', usingMetrics: { a: new Metric({ namespace: 'N', metricName: 'M' }) } }), { threshold: 1 }), 'takes no math expression'],
    [() => Signal.alarm('errors'), "needs the ARN of a CloudWatch alarm as a literal, arn:aws:cloudwatch:<Region>:<account>:alarm:<name>, got 'errors'"],
    [() => Signal.logPattern({ logGroupName: Lazy.string({ produce: () => 'x' }), pattern: 'x' }), 'must be known at synthesis'],
    [() => Signal.logPattern({ logGroupName: '/shop', pattern: ' ' }), 'is empty'],
  ])('%#: is refused', (declare, problem) => {
    expect(thrown(declare)).toContain(problem);
  });
});

describe('a pattern in a log of the source Region', () => {
  const given = quorum({ mode: DecisionMode.notify() }, [Signal.logPattern({ name: 'panic', logGroupName: '/shop/kernel', pattern: '"kernel panic"', threshold: 3, remember: Duration.hours(1) })], 1);
  const source = Template.fromStack(given.project.sourceStack);
  const recovery = template(given);

  test('is counted there and raises an alarm there', () => {
    source.hasResourceProperties('AWS::Logs::MetricFilter', { LogGroupName: '/shop/kernel', FilterPattern: '"kernel panic"', MetricTransformations: [{ MetricName: 'disaster-recovery-shop-log-panic', MetricNamespace: 'DisasterRecovery', MetricValue: '1' }] });
    source.hasResourceProperties('AWS::CloudWatch::Alarm', { AlarmName: 'disaster-recovery-shop-log-panic', Threshold: 3, Period: 60, Statistic: 'Sum', TreatMissingData: 'notBreaching' });
  });

  test('changes of the alarm are forwarded to the bus of the project, where they are recorded', () => {
    source.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: { 'source': ['aws.cloudwatch'], 'detail-type': ['CloudWatch Alarm State Change'], 'resources': [{ 'Fn::GetAtt': [Match.anyValue(), 'Arn'] }] },
      Targets: [Match.objectLike({ RoleArn: Match.anyValue() })],
    });
    recovery.hasResourceProperties('AWS::Events::Rule', { EventBusName: Match.anyValue(), EventPattern: { 'source': ['aws.cloudwatch'], 'detail-type': ['CloudWatch Alarm State Change'] } });
    expect(added(recovery)).toEqual(['detect', 'signal-report']);
    expect(statementsOf(recovery, 'signal-report')).toEqual([LOGS, 'dynamodb:PutItem -> TABLE', TABLE_KEY]);
    expect(only(given).signals).toEqual([{ kind: 'log-pattern', name: 'panic', region: 'us-east-1', alarmName: 'disaster-recovery-shop-log-panic', rememberSeconds: 3600, timeoutMs: 10_000 }]);
  });

  test('ties nothing together', () => {
    for (const one of [source, recovery]) expect(JSON.stringify(one.toJSON())).not.toMatch(/Fn::ImportValue|Fn::GetStackOutput|Custom::/);
  });

  test('is one signal in two detectors; two of one name are refused', () => {
    const one = Signal.logPattern({ name: 'one', logGroupName: '/shop', pattern: 'x' });
    const both = declared(() => FailureDetector.quorum(1, [one]));
    both.project.detectFailure(FailureDetector.quorum(1, [one], { endpoints: [both.endpoint] }));
    Template.fromStack(both.project.sourceStack).resourceCountIs('AWS::CloudWatch::Alarm', 1);
    const other = declared(() => FailureDetector.quorum(1, [Signal.logPattern({ name: 'one', logGroupName: '/shop', pattern: 'x' })]));
    expect(thrown(() => { other.project.detectFailure(FailureDetector.quorum(1, [one], { endpoints: [other.endpoint] })); })).toContain("Two log patterns of project 'shop' are named 'one'");
  });
});

describe('probes from inside a VPC', () => {
  const inside = (options: object = {}) => declared(({ stack }) => {
    const vpc = Vpc.fromVpcAttributes(stack, 'Way', { vpcId: 'vpc-1', availabilityZones: ['us-west-2a'], privateSubnetIds: ['subnet-1'], region: 'us-west-2', ...options });
    const securityGroups = [SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-1')];
    return FailureDetector.quorum(2, [Signal.httpProbe('http://10.0.0.1/', { vpc }), Signal.tcpProbe('db.internal', 5432, { vpc }), Signal.tcpProbe('db.internal', 5433, { vpc, securityGroups })], { mode: DecisionMode.notify() });
  });

  test('are made by one function for each network, which may only be attached to it', () => {
    const given = inside();
    const rendered = template(given);
    expect(added(rendered)).toEqual(['detect', 'probe', 'probe-2']);
    rendered.hasResourceProperties('AWS::Lambda::Function', { FunctionName: 'disaster-recovery-shop-probe', VpcConfig: { SubnetIds: ['subnet-1'] } });
    rendered.hasResourceProperties('AWS::Lambda::Function', { FunctionName: 'disaster-recovery-shop-probe-2', VpcConfig: { SecurityGroupIds: ['sg-1'] } });
    expect(statementsOf(rendered, 'probe').map((line) => line.split(' ')[0])).toEqual(['logs:CreateLogStream', 'ec2:CreateNetworkInterface']);
    expect(statementsOf(rendered, 'detect').filter((line) => line.startsWith('lambda:'))).toHaveLength(2);
    expect(new Set(only(given).signals.map((signal) => (signal as { via?: string }).via)).size).toBe(2);
  });

  test('need a VPC of the recovery Region', () => {
    expect(synthError(inside({ region: 'eu-west-1' }))).toContain("The VPC of the probe of http://10.0.0.1/ is in Region 'eu-west-1', not in the recovery Region 'us-west-2'");
  });

  test.each(['http://10.0.0.1/', 'http://172.20.1.1:8080', 'https://192.168.1.1', 'https://db.internal', 'http://100.64.0.1'])('%s without one is refused', (url) => {
    expect(synthError(quorum({}, [Signal.httpProbe(url)], 1))).toContain(`The probe of ${url} goes to a private address`);
  });

  test.each(['https://shop.example', 'http://8.8.8.8', 'http://172.32.0.1', 'https://internal.shop.example'])('%s is public', (url) => {
    expect(synthError(quorum({}, [Signal.httpProbe(url)], 1))).toBe('synthesis succeeded');
  });
});
