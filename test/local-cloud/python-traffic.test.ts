import { CloudFormationClient, CreateStackCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CreateHostedZoneCommand, Route53Client } from '@aws-sdk/client-route-53';
import { MetricCutover } from '../../lambda/adapters/cutover/metric';
import { RecordCutover } from '../../lambda/adapters/cutover/record';
import type { CutoverContext } from '../../lambda/adapters/ports/cutover';
import type { CutoverConfig, MetricCutoverConfig, RecordCutoverConfig } from '../../lambda/core/cutover';
import { PythonEmulator } from './python-emulator';

let emulator: PythonEmulator;

beforeAll(async () => {
  emulator = await PythonEmulator.start();
  Object.assign(process.env, { AWS_ENDPOINT_URL: emulator.endpoint, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
});
afterAll(async () => {
  for (const name of ['AWS_ENDPOINT_URL', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) Reflect.deleteProperty(process.env, name);
  await emulator.stop();
});

function contextOf<C extends CutoverConfig>(config: C): CutoverContext<C> {
  return { config, project: 'shop', runId: 'run-1', mode: 'failover', idempotencyKey: 'k', budgetMs: 1000, machines: [{ memberId: 'web/i-1', endpoint: 'web', instanceId: 'i-2', privateIp: '10.0.0.7' }] };
}

test('a record is changed and put back', async () => {
  const { HostedZone } = await new Route53Client({ region: 'us-east-1' }).send(new CreateHostedZoneCommand({ Name: 'example.com', CallerReference: 'one' }));
  const config: RecordCutoverConfig = { kind: 'record', name: 'shop', timeoutSeconds: 60, hostedZoneId: HostedZone!.Id!.replace('/hostedzone/', ''), recordName: 'shop.example.com', recordType: 'A', ttlSeconds: 60, values: [{ recovered: 'web' }] };
  const [record, context] = [new RecordCutover('us-west-2'), contextOf(config)];
  const before = await record.before(context);
  expect(before).toEqual({});
  const handle = await record.apply(context);
  expect(await record.verify(context, before, handle)).toEqual({ done: true, detail: 'shop.example.com A is 10.0.0.7 (TTL 60 s)' });
  expect((await record.rollBack(context, before)).done).toBe(true);
  expect(await record.before(context)).toEqual({});
});

test('an alarm follows the metric that is published, and health checks of a template have their ids', async () => {
  const cloudFormation = new CloudFormationClient({ region: 'us-west-2' });
  const alarm = { Namespace: 'DR', MetricName: 'RecoveryActive', Dimensions: [{ Name: 'Project', Value: 'shop' }], Period: 2, Statistic: 'Maximum', Threshold: 1, EvaluationPeriods: 1, ComparisonOperator: 'GreaterThanOrEqualToThreshold', TreatMissingData: 'missing' };
  const TemplateBody = JSON.stringify({
    Resources: {
      Alarm: { Type: 'AWS::CloudWatch::Alarm', Properties: { AlarmName: 'active', ...alarm } },
      Check: { Type: 'AWS::Route53::HealthCheck', Properties: { HealthCheckConfig: { Type: 'CLOUDWATCH_METRIC', AlarmIdentifier: { Name: 'active', Region: 'us-west-2' }, Inverted: true, InsufficientDataHealthStatus: 'LastKnownStatus' } } },
    },
    Outputs: { Check: { Value: { 'Fn::GetAtt': ['Check', 'HealthCheckId'] } } },
  });
  await cloudFormation.send(new CreateStackCommand({ StackName: 'traffic', TemplateBody }));
  const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName: 'traffic' }));
  expect(Stacks![0]).toMatchObject({ StackStatus: 'CREATE_COMPLETE', Outputs: [{ OutputKey: 'Check', OutputValue: expect.stringMatching(/^[0-9a-f-]{36}$/) }] });
  const config: MetricCutoverConfig = { kind: 'metric', name: 'dns', timeoutSeconds: 60, namespace: 'DR', metricName: 'RecoveryActive', dimensions: { Project: 'shop' }, alarmName: 'active' };
  const [metric, context] = [new MetricCutover('us-west-2'), contextOf(config)];
  const before = await metric.before(context);
  expect(before).toEqual({ recoveryActive: false });
  await metric.apply(context);
  expect((await metric.verify(context)).done).toBe(true);
  // The maximum of the period is still 1.
  expect((await metric.rollBack(context, before)).done).toBe(false);
  await new Promise((resolve) => { setTimeout(resolve, 2500); });
  expect((await metric.rollBack(context, before)).done).toBe(true);
});
