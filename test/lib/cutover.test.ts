import { Duration } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { Endpoint, RecoveredAddress, TrafficCutover, type ArcRoutingControlOptions, type ProtectedEndpoint, type Route53RecordOptions } from '../../lib';
import { definition } from './support/asl';
import { statementsOf } from './support/iam';
import { ACCOUNT, emptyProject, synthError, template, thrown, type Given, type Overrides } from './support/project';

interface Shop extends Given {
  readonly web: ProtectedEndpoint;
  readonly db: ProtectedEndpoint;
}

function shop(overrides: Overrides = {}): Shop {
  const given = emptyProject(overrides);
  const [web, db] = ['web', 'db'].map((name) => given.project.protect(Endpoint.instances(name, { tag: { app: name } })));
  return { ...given, web: web!, db: db! };
}

const control = (name: string) => `arn:aws:route53-recovery-control::${ACCOUNT}:controlpanel/p/routingcontrol/${name}`;
const clusterEndpoints = ['us-east-1', 'us-west-2', 'eu-west-1', 'ap-northeast-1', 'ap-southeast-2']
  .map((region) => ({ region, endpoint: `https://abc.route53-recovery-cluster.${region}.amazonaws.com/v1` }));
const arc = (change: Partial<ArcRoutingControlOptions> = {}) => TrafficCutover.arcRoutingControl({ clusterEndpoints, on: [control('recovery')], off: [control('source')], ...change });
const zone = ({ stack }: Given) => HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z1', zoneName: 'example.com' });
const record = (given: Given, change: Partial<Route53RecordOptions> = {}) => TrafficCutover.route53Record({ hostedZone: zone(given), recordName: 'shop.example.com', values: ['192.0.2.1'], ...change });
const group = (name: string) => `arn:aws:globalaccelerator::${ACCOUNT}:accelerator/a/listener/l/endpoint-group/${name}`;
const handler = ({ stack }: Given, name = 'Switch') => LambdaFunction.fromFunctionArn(stack, name, `arn:aws:lambda:us-west-2:${ACCOUNT}:function:${name}`);

const configured = (given: Given): any[] => definition(template(given), 'run').States.Configure!.Result.cutover;
const granted = (given: Given): string[] => statementsOf(template(given), 'run-cutover').filter((line) => !/^(logs|dynamodb|kms):/.test(line));

describe('the state machine', () => {
  const given = shop();
  given.project.cutOver(arc());
  const { States } = definition(template(given), 'run') as { States: Record<string, any> };

  test('moves traffic after the last wave and before the end, in a failover only', () => {
    expect(States.Waves.Next).toBe('After the waves');
    expect(States['After the waves']).toMatchObject({ Type: 'Choice', Choices: [{ Variable: '$.run.mode', StringEquals: 'failover', Next: 'Cut over?' }], Default: 'Finish' });
    expect(States['Cut over?']).toMatchObject({ Type: 'Choice', Choices: [{ Variable: '$.config.cutover', IsPresent: true, Next: 'Cut over' }], Default: 'Finish' });
    expect(States['Cut over: done?']).toMatchObject({ Choices: [{ BooleanEquals: true, Next: 'Finish' }], Default: 'Cut over: pause' });
  });

  test('records a failure as that of any other step, without repeating what was refused', () => {
    expect(States['Cut over'].Catch).toEqual([{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Record the failure' }]);
    expect(States['Cut over'].Retry[0]).toMatchObject({ ErrorEquals: expect.arrayContaining(['CutoverFailed', 'StaleEpoch']), MaxAttempts: 0 });
    expect(States['Cut over'].Parameters.Payload).toEqual({ 'config.$': '$.config', 'run.$': '$.run', 'executionName.$': '$$.Execution.Name' });
  });

  test('has nothing configured without cutovers', () => {
    expect(configured(shop())).toBeUndefined();
  });
});

describe('what a run is told', () => {
  test('in the order of the calls', () => {
    const given = shop();
    given.project.cutOver(TrafficCutover.lambda(handler(given)), arc());
    given.project.cutOver(record(given));
    expect(configured(given).map(({ name, kind }) => [name, kind])).toEqual([['Switch', 'lambda'], ['arc-routing-control', 'arc'], ['shop.example.com', 'record']]);
  });

  test('of routing controls', () => {
    const given = shop();
    const rule = `arn:aws:route53-recovery-control::${ACCOUNT}:controlpanel/p/safetyrule/r`;
    given.project.cutOver(arc({ off: undefined }), arc({ name: 'strict', safetyRulesToOverride: [rule], requires: [given.db], timeout: Duration.seconds(30) }));
    expect(configured(given)).toEqual([
      { kind: 'arc', name: 'arc-routing-control', timeoutSeconds: 600, clusterEndpoints, on: [control('recovery')], off: [] },
      { kind: 'arc', name: 'strict', timeoutSeconds: 30, requires: ['db'], clusterEndpoints, on: [control('recovery')], off: [control('source')], safetyRulesToOverride: [rule] },
    ]);
  });

  test('of a record', () => {
    const given = shop();
    const hostedZone = zone(given);
    given.project.cutOver(
      TrafficCutover.route53Record({ hostedZone, recordName: 'Shop.example.com.', values: [RecoveredAddress.of(given.web), '192.0.2.1'] }),
      TrafficCutover.route53Record({ hostedZone, recordName: 'www.example.com', name: 'www', recordType: 'CNAME', values: ['shop.example.org'], ttl: Duration.seconds(5) }),
      TrafficCutover.route53Record({ hostedZone, recordName: 'api.example.com', alias: { hostedZoneId: 'ZLB', dnsName: 'lb.example.org' } }),
    );
    expect(configured(given)).toEqual([
      { kind: 'record', name: 'shop.example.com', timeoutSeconds: 600, hostedZoneId: 'Z1', recordName: 'shop.example.com', recordType: 'A', ttlSeconds: 60, values: [{ recovered: 'web' }, { value: '192.0.2.1' }] },
      { kind: 'record', name: 'www', timeoutSeconds: 600, hostedZoneId: 'Z1', recordName: 'www.example.com', recordType: 'CNAME', ttlSeconds: 5, values: [{ value: 'shop.example.org' }] },
      { kind: 'record', name: 'api.example.com', timeoutSeconds: 600, hostedZoneId: 'Z1', recordName: 'api.example.com', recordType: 'A', alias: { hostedZoneId: 'ZLB', dnsName: 'lb.example.org' } },
    ]);
  });

  test('of endpoint groups', () => {
    const given = shop();
    given.project.cutOver(TrafficCutover.globalAccelerator({
      endpointGroups: [{ endpointGroupArn: group('r'), trafficDial: 100, endpoints: [{ endpoint: RecoveredAddress.of(given.web), weight: 128 }] }, { endpointGroupArn: group('s'), trafficDial: 0 }],
    }));
    expect(configured(given)).toEqual([{
      kind: 'accelerator', name: 'global-accelerator', timeoutSeconds: 600,
      groups: [{ endpointGroupArn: group('r'), trafficDial: 100, endpoints: [{ endpoint: { recovered: 'web' }, weight: 128 }] }, { endpointGroupArn: group('s'), trafficDial: 0, endpoints: [] }],
    }]);
  });

  test('of a function', () => {
    const given = shop();
    given.project.cutOver(TrafficCutover.lambda(handler(given), { payload: { 'path.$': '$.config' } }));
    expect(configured(given)).toEqual([{ kind: 'lambda', name: 'Switch', timeoutSeconds: 600, functionArn: `arn:aws:lambda:us-west-2:${ACCOUNT}:function:Switch`, payload: { 'path.$': '$.config' } }]);
  });
});

describe('a metric that health checks follow', () => {
  const given = shop();
  const dns = TrafficCutover.healthCheckMetric();
  given.project.cutOver(dns, TrafficCutover.healthCheckMetric({ name: 'api', namespace: 'Shop', metricName: 'Active' }));
  const rendered = template(given);
  const alarmName = 'disaster-recovery-shop-cutover-health-check-metric';

  test('has an alarm in the recovery Region that keeps silent without data', () => {
    rendered.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: alarmName, Namespace: 'DisasterRecovery/Cutover', MetricName: 'RecoveryActive', Period: 60, Statistic: 'Maximum', Threshold: 1, EvaluationPeriods: 1,
      Dimensions: [{ Name: 'Cutover', Value: 'health-check-metric' }, { Name: 'Project', Value: 'shop' }],
      ComparisonOperator: 'GreaterThanOrEqualToThreshold', TreatMissingData: 'missing', AlarmActions: Match.absent(),
    });
    expect(configured(given)).toEqual([
      { kind: 'metric', name: 'health-check-metric', timeoutSeconds: 600, namespace: 'DisasterRecovery/Cutover', metricName: 'RecoveryActive', dimensions: { Project: 'shop', Cutover: 'health-check-metric' }, alarmName },
      expect.objectContaining({ name: 'api', namespace: 'Shop', metricName: 'Active' }),
    ]);
  });

  test('has a health check for each side, one the inverse of the other, that keep what they last saw', () => {
    for (const inverted of [false, true]) {
      rendered.hasResourceProperties('AWS::Route53::HealthCheck', {
        HealthCheckConfig: { Type: 'CLOUDWATCH_METRIC', AlarmIdentifier: { Name: alarmName, Region: 'us-west-2' }, InsufficientDataHealthStatus: 'LastKnownStatus', Inverted: inverted },
      });
    }
    expect(given.stack.resolve(dns.sourceHealthCheckId)).toEqual({ 'Fn::GetAtt': [expect.stringMatching(/SourceHealthCheck/), 'HealthCheckId'] });
    expect(given.stack.resolve(dns.recoveryHealthCheckId)).toEqual({ 'Fn::GetAtt': [expect.stringMatching(/RecoveryHealthCheck/), 'HealthCheckId'] });
  });

  test('the health checks stay the same in another order of cutovers', () => {
    const ids = (order: (a: TrafficCutover, b: TrafficCutover) => TrafficCutover[]) => {
      const other = shop();
      other.project.cutOver(...order(TrafficCutover.healthCheckMetric({ name: 'a' }), TrafficCutover.healthCheckMetric({ name: 'b' })));
      return Object.keys(template(other).findResources('AWS::Route53::HealthCheck')).sort();
    };
    expect(ids((a, b) => [b, a])).toEqual(ids((a, b) => [a, b]));
  });

  test('may publish to its own namespace only', () => {
    expect(granted(given)).toEqual([
      'cloudwatch:PutMetricData -> * [cloudwatch:namespace=DisasterRecovery/Cutover, aws:RequestedRegion=us-west-2]',
      'cloudwatch:DescribeAlarms -> * [aws:RequestedRegion=us-west-2]',
      'cloudwatch:PutMetricData -> * [cloudwatch:namespace=Shop, aws:RequestedRegion=us-west-2]',
    ]);
  });

  test('its health checks are not there before the project knows of it', () => {
    expect(thrown(() => TrafficCutover.healthCheckMetric().sourceHealthCheckId)).toContain('once the cutover was given to DisasterRecovery.cutOver()');
  });
});

describe('permissions are those of the cutovers and no more', () => {
  test('none without cutovers', () => {
    expect(granted(shop())).toEqual([]);
  });

  test('routing controls: the data plane of those named; rules are overridden only where asked for', () => {
    const given = shop();
    const rule = `arn:aws:route53-recovery-control::${ACCOUNT}:controlpanel/p/safetyrule/r`;
    const actions = 'route53-recovery-cluster:GetRoutingControlState route53-recovery-cluster:UpdateRoutingControlStates';
    given.project.cutOver(arc(), arc({ name: 'other', on: [control('third')], off: [], safetyRulesToOverride: [rule] }));
    expect(granted(given)).toEqual([
      `${actions} -> ${control('recovery')} ${control('source')} [BoolIfExists route53-recovery-cluster:AllowSafetyRulesOverrides=false]`,
      `${actions} -> ${control('third')}`,
    ]);
  });

  test('a record: of its name and type in its zone', () => {
    const given = shop();
    given.project.cutOver(record(given));
    const keys = 'ForAllValues:StringEquals route53:ChangeResourceRecordSets';
    expect(granted(given)).toEqual([
      `route53:ChangeResourceRecordSets -> route53:::hostedzone/Z1 [${keys}NormalizedRecordNames=shop.example.com, ${keys}RecordTypes=A, ${keys}Actions=UPSERT|DELETE]`,
      'route53:ListResourceRecordSets -> route53:::hostedzone/Z1',
      'route53:GetChange -> route53:::change/*',
    ]);
  });

  test('endpoint groups and functions: those named', () => {
    const given = shop();
    given.project.cutOver(TrafficCutover.globalAccelerator({ endpointGroups: [{ endpointGroupArn: group('r'), trafficDial: 1 }] }), TrafficCutover.lambda(handler(given)));
    expect(granted(given)).toEqual([
      `globalaccelerator:DescribeEndpointGroup globalaccelerator:UpdateEndpointGroup -> ${group('r')}`,
      `lambda:InvokeFunction -> arn:aws:lambda:us-west-2:${ACCOUNT}:function:Switch`,
    ]);
  });
});

describe('warned of', () => {
  test('a record, which depends on us-east-1', () => {
    const given = shop();
    given.project.cutOver(record(given));
    Annotations.fromStack(given.stack).hasWarning('/Recovery/Shop', Match.stringLikeRegexp("Cutover 'shop.example.com' changes a record through Route 53's control plane, which is in us-east-1"));
  });

  test('Global Accelerator when its control plane is in the source Region', () => {
    const accelerator = () => TrafficCutover.globalAccelerator({ endpointGroups: [{ endpointGroupArn: group('r'), trafficDial: 1 }] });
    const away = shop();
    away.project.cutOver(accelerator(), arc(), TrafficCutover.healthCheckMetric());
    Annotations.fromStack(away.stack).hasNoWarning('/Recovery/Shop', Match.stringLikeRegexp('[Cc]utover'));
    const there = shop({ source: { region: 'us-west-2' } });
    there.project.cutOver(accelerator());
    // Both Regions are the same here, which synthesis refuses; the warning is there before.
    expect(there.project.node.metadata.map(({ data }) => String(data)).join('\n')).toMatch(/control plane, which is in us-west-2, the source Region/);
  });
});

describe('refused at synthesis, with the path of the project', () => {
  test.each<[string, (given: Shop) => void, string]>([
    ['too few cluster endpoints', ({ project }) => project.cutOver(arc({ clusterEndpoints: clusterEndpoints.slice(1) })), "Cutover 'arc-routing-control': clusterEndpoints must be the 5 endpoints of the cluster, each of another Region, got 4 of 4 Regions"],
    ['a cluster endpoint twice', ({ project }) => project.cutOver(arc({ clusterEndpoints: [...clusterEndpoints.slice(1), clusterEndpoints[1]!] })), 'got 5 of 4 Regions'],
    ['an endpoint without TLS', ({ project }) => project.cutOver(arc({ clusterEndpoints: clusterEndpoints.map(({ region }) => ({ region, endpoint: 'http://x' })) })), "The cluster endpoint 'http://x' must start with https://."],
    ['nothing to turn on', ({ project }) => project.cutOver(arc({ on: [] })), 'It turns no routing control on'],
    ['what is no routing control', ({ project }) => project.cutOver(arc({ on: ['arn:aws:s3:::x'] })), "'arn:aws:s3:::x' is no ARN of a routing control."],
    ['what is no safety rule', ({ project }) => project.cutOver(arc({ safetyRulesToOverride: [control('x')] })), 'is no ARN of a safety rule.'],
    ['a control on and off', ({ project }) => project.cutOver(arc({ off: [control('recovery')] })), 'is to be on and off. Name it once.'],
    ['a record outside of its zone', (given) => given.project.cutOver(record(given, { recordName: 'shop.example.org' })), "Record 'shop.example.org' is not in zone 'example.com'."],
    ['a record without values', (given) => given.project.cutOver(record(given, { values: [] })), "Record 'shop.example.com' needs either values or an alias."],
    ['a record with both', (given) => given.project.cutOver(record(given, { alias: { hostedZoneId: 'Z', dnsName: 'x' } })), 'needs either values or an alias.'],
    ['a CNAME of two values', (given) => given.project.cutOver(record(given, { recordType: 'CNAME', values: ['a', 'b'] })), 'of type CNAME holds one value, got 2.'],
    ['addresses in a record of another type', (given) => given.project.cutOver(record(given, { recordType: 'AAAA', values: [RecoveredAddress.of(given.web)] })), 'of type AAAA cannot hold recovered addresses'],
    ['what is no name', (given) => given.project.cutOver(record(given, { recordName: 'a b.example.com' })), "'a b.example.com' is no name of a record."],
    ['no endpoint group', ({ project }) => project.cutOver(TrafficCutover.globalAccelerator({ endpointGroups: [] })), 'It changes no endpoint group.'],
    ['a group that is not changed', ({ project }) => project.cutOver(TrafficCutover.globalAccelerator({ endpointGroups: [{ endpointGroupArn: group('r') }] })), 'is not changed. Give a trafficDial or endpoints.'],
    ['a group twice', ({ project }) => project.cutOver(TrafficCutover.globalAccelerator({ endpointGroups: [{ endpointGroupArn: group('r'), trafficDial: 1 }, { endpointGroupArn: group('r'), trafficDial: 2 }] })), 'is named twice. Put its changes together.'],
    ['a dial beyond 100', ({ project }) => project.cutOver(TrafficCutover.globalAccelerator({ endpointGroups: [{ endpointGroupArn: group('r'), trafficDial: 101 }] })), 'trafficDial must be from 0 to 100 percent, got 101.'],
    ['a weight beyond 255', ({ project }) => project.cutOver(TrafficCutover.globalAccelerator({ endpointGroups: [{ endpointGroupArn: 'x', endpoints: [{ endpoint: 'e', weight: 256 }] }] })), 'must be a whole number from 0 to 255, got 256.'],
    ['a namespace of Amazon\'s', ({ project }) => project.cutOver(TrafficCutover.healthCheckMetric({ namespace: 'AWS/EC2' })), "The namespace 'AWS/EC2' is not usable"],
    ['two of one name', ({ project }) => project.cutOver(arc(), arc()), "Two cutovers are named 'arc-routing-control'."],
    ['a bad name', ({ project }) => project.cutOver(arc({ name: 'a#b' })), "The name 'a#b' of a cutover is not usable"],
    ['an endpoint of another project', ({ project }) => project.cutOver(arc({ requires: [shop().web] })), "Cutover 'arc-routing-control' names endpoint 'web' of another project (Recovery/Shop)."],
    ['an address of another project', (given) => given.project.cutOver(record(given, { values: [RecoveredAddress.of(shop().web)] })), "names endpoint 'web' of another project"],
  ])('%s', (_what, declare, message) => {
    const given = shop();
    declare(given);
    const error = synthError(given);
    expect(error).toContain(message);
    expect(error).toContain('Recovery/Shop');
  });

  test('a cutover twice, or two with health checks of one name, at once', () => {
    const { project } = shop();
    const one = arc();
    project.cutOver(one, TrafficCutover.healthCheckMetric());
    expect(thrown(() => project.cutOver(one))).toContain('Recovery/Shop: this cutover is in use already (Recovery/Shop).');
    expect(thrown(() => project.cutOver(TrafficCutover.healthCheckMetric()))).toContain("Recovery/Shop: Two cutovers are named 'health-check-metric'.");
  });

  test('a time limit out of bounds, at once', () => {
    expect(thrown(() => arc({ timeout: Duration.seconds(9) }))).toBe('The timeout of a cutover must be from 10 seconds to 1 hour, got 9 seconds.');
    expect(thrown(() => arc({ timeout: Duration.hours(2) }))).toContain('got 2 hours.');
  });
});
