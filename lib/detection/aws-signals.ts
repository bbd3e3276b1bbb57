import { Token } from 'aws-cdk-lib';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ProtectedEndpoint } from '../endpoint/protected-endpoint';
import { describe, type Permission } from '../functions/permissions/permission';
import { wholeNumber } from '../policies/duration';
import { timeoutMs } from './limits';
import { MissingValue, SignalComparison, type InstanceStatusOptions, type LambdaSignalOptions, type MetricSignalOptions, type SignalOptions } from './signal-options';
import type { SignalSpec } from './signal-spec';

export function instanceStatus(endpoint: ProtectedEndpoint, options: InstanceStatusOptions): SignalSpec {
  const minHealthy = wholeNumber('minHealthy of an instance status', options.minHealthy ?? 1, 1);
  const limit = timeoutMs(options.timeout);
  return {
    defaultName: `instance-status-${endpoint.name}`,
    endpoint,
    bind: (name, { context }) => ({
      config: { kind: 'instance-status', name, timeoutMs: limit, endpoint: endpoint.name, minHealthy },
      permissions: [describe(['DescribeInstanceStatus'], [context.sourceRegion])],
    }),
  };
}

/** A metric is read where it is; one without a Region of its own is that of the source. */
export function metricSignal(metric: IMetric, options: MetricSignalOptions): SignalSpec {
  const stat = metric.toMetricConfig().metricStat;
  if (stat === undefined) throw new Error('Signal.metric() takes no math expression. Make an alarm of it and give that to Signal.alarm().');
  const { threshold, unhealthyWhen = SignalComparison.GREATER_THAN, missing = MissingValue.UNKNOWN } = options;
  if (!Token.isUnresolved(threshold) && !Number.isFinite(threshold)) throw new Error(`threshold of a metric must be a number, got ${threshold}.`);
  const limit = timeoutMs(options.timeout);
  return {
    defaultName: `metric-${stat.metricName}`,
    bind: (name, { context }) => {
      const region = stat.region ?? context.sourceRegion;
      return {
        config: {
          kind: 'metric', name, timeoutMs: limit, region, namespace: stat.namespace, metricName: stat.metricName,
          dimensions: Object.fromEntries((stat.dimensions ?? []).map((dimension) => [dimension.name, String(dimension.value)])),
          statistic: stat.statistic, periodSeconds: stat.period.toSeconds(), unhealthyWhen, threshold, missing,
        },
        permissions: [readMetrics('GetMetricData', region)],
      };
    },
  };
}

export function alarmSignal(alarmArn: string, options: SignalOptions): SignalSpec {
  const [, , service, region, , type, ...rest] = alarmArn.split(':');
  const alarmName = rest.join(':');
  if (Token.isUnresolved(alarmArn) || service !== 'cloudwatch' || type !== 'alarm' || !region || alarmName === '') {
    throw new Error(`Signal.alarm() needs the ARN of a CloudWatch alarm as a literal, arn:aws:cloudwatch:<Region>:<account>:alarm:<name>, got '${alarmArn}'. Give the alarm a name and write its ARN.`);
  }
  const limit = timeoutMs(options.timeout);
  return {
    defaultName: `alarm-${alarmName}`,
    bind: (name) => ({ config: { kind: 'alarm', name, timeoutMs: limit, region, alarmName }, permissions: [readMetrics('DescribeAlarms', region)] }),
  };
}

export function lambdaSignal(handler: IFunction, options: LambdaSignalOptions): SignalSpec {
  const limit = timeoutMs(options.timeout);
  return {
    defaultName: `lambda-${handler.node.id}`,
    bind: (name) => ({
      config: { kind: 'lambda', name, timeoutMs: limit, functionArn: handler.functionArn, ...(options.payload === undefined ? {} : { payload: options.payload }) },
      permissions: [{ actions: ['lambda:InvokeFunction'], resources: [handler.functionArn] }],
    }),
  };
}

/** Reading metrics takes no resource, and DescribeAlarms looks through all alarms of a Region. */
export function readMetrics(action: 'GetMetricData' | 'DescribeAlarms', region: string): Permission {
  return {
    actions: [`cloudwatch:${action}`], resources: ['*'], conditions: { StringEquals: { 'aws:RequestedRegion': region } },
    wide: 'CloudWatch takes no resource for reading metrics, and looks through all alarms to describe one; read only and bound to the Region.',
  };
}
