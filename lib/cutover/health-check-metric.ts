import { Duration, Token } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnHealthCheck } from 'aws-cdk-lib/aws-route53';
import type { Construct } from 'constructs';
import type { MetricCutoverConfig } from '../../lambda/core/cutover';
import type { ProjectContext } from '../functions/context';
import { physicalName } from '../names';
import { commonConfig, type BoundCutover, type TrafficCutoverOptions } from './cutover-options';

/** Options of a cutover by a metric that health checks follow. */
export interface HealthCheckMetricOptions extends TrafficCutoverOptions {
  /** Of the metric; not one of AWS's own. @default 'DisasterRecovery/Cutover' */
  readonly namespace?: string;
  /** The metric is 1 while the recovery side is active. @default 'RecoveryActive' */
  readonly metricName?: string;
}

export interface BoundHealthCheck extends BoundCutover {
  readonly sourceHealthCheckId: string;
  readonly recoveryHealthCheckId: string;
}

/** Health checks follow metrics of standard resolution, so this is the shortest (Route 53 developer guide, "Monitoring a CloudWatch alarm"). */
const PERIOD = Duration.minutes(1);

export function bindHealthCheck(place: (name: string) => Construct, context: ProjectContext, options: HealthCheckMetricOptions): BoundHealthCheck {
  const { namespace = 'DisasterRecovery/Cutover', metricName = 'RecoveryActive' } = options;
  const common = commonConfig(options, 'health-check-metric');
  const dimensions = { Project: context.project, Cutover: common.name };
  const alarmName = physicalName(context.project, `cutover-${common.name}`);
  const config: MetricCutoverConfig = { kind: 'metric', ...common, namespace, metricName, dimensions, alarmName };
  const scope = place(common.name);
  const alarm = new Alarm(scope, 'RecoveryActive', {
    alarmName,
    alarmDescription: `In ALARM while traffic of ${context.project} belongs to the recovery Region. Route 53's health checks follow it: docs/cutover.md`,
    metric: new Metric({ namespace, metricName, dimensionsMap: dimensions, period: PERIOD, statistic: 'Maximum' }),
    threshold: 1,
    comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    evaluationPeriods: 1,
    // No data means "as before": the health checks keep what they last saw.
    treatMissingData: TreatMissingData.MISSING,
  });
  const check = (id: string, inverted: boolean): string => {
    const healthCheck = new CfnHealthCheck(scope, id, {
      healthCheckConfig: {
        type: 'CLOUDWATCH_METRIC',
        alarmIdentifier: { name: alarmName, region: context.recoveryRegion },
        insufficientDataHealthStatus: 'LastKnownStatus',
        inverted,
      },
      healthCheckTags: [{ key: 'Name', value: `${alarmName}-${inverted ? 'recovery' : 'source'}` }],
    });
    healthCheck.node.addDependency(alarm);
    return healthCheck.attrHealthCheckId;
  };
  return {
    config,
    permissions: [
      {
        actions: ['cloudwatch:PutMetricData'],
        resources: ['*'],
        conditions: { StringEquals: { 'cloudwatch:namespace': namespace, 'aws:RequestedRegion': context.recoveryRegion } },
        wide: 'PutMetricData takes no resource; bound to the namespace of the cutover and to the Region.',
      },
      {
        actions: ['cloudwatch:DescribeAlarms'],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:RequestedRegion': context.recoveryRegion } },
        wide: 'Alarms are listed by name; read only, bound to the Region.',
      },
    ],
    problems: problems(namespace, metricName),
    endpoints: options.requires ?? [],
    sourceHealthCheckId: check('SourceHealthCheck', false),
    recoveryHealthCheckId: check('RecoveryHealthCheck', true),
  };
}

function problems(namespace: string, metricName: string): string[] {
  if (Token.isUnresolved(namespace) || Token.isUnresolved(metricName)) return ['Namespace and name of the metric must be known at synthesis: the permission is bound to them. Give literal strings.'];
  return namespace.startsWith('AWS/') || namespace === '' ? [`The namespace '${namespace}' is not usable: those that start with AWS/ are Amazon's. Give one of your own.`] : [];
}
