import { Duration, Stack, Token } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { EventBus as EventBusTarget } from 'aws-cdk-lib/aws-events-targets';
import { FilterPattern, LogGroup, MetricFilter } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { METRIC_NAMESPACE } from '../monitoring/metrics';
import { physicalName } from '../names';
import { wholeNumber } from '../policies/duration';
import { readMetrics } from './aws-signals';
import { secondsOf, timeoutMs } from './limits';
import type { LogPatternOptions } from './signal-options';
import type { SignalSpec } from './signal-spec';

const DEFAULT_REMEMBER = Duration.minutes(15);
/** Alarms tell of a change by this event (CloudWatch user guide, "Alarm events and EventBridge"). @internal */
export const ALARM_EVENTS = { source: ['aws.cloudwatch'], detailType: ['CloudWatch Alarm State Change'] };

export function logPattern(options: LogPatternOptions): SignalSpec {
  const { logGroupName, pattern } = options;
  if (Token.isUnresolved(logGroupName)) throw new Error('logGroupName of a log pattern must be known at synthesis: a reference would tie the stacks of two Regions together. Give a literal name.');
  if (pattern.trim() === '') throw new Error(`The pattern for log group ${logGroupName} is empty: it would match every line.`);
  const threshold = wholeNumber('threshold of a log pattern', options.threshold ?? 1, 1);
  const rememberSeconds = secondsOf('remember of a log pattern', options.remember ?? DEFAULT_REMEMBER, Duration.minutes(1));
  const limit = timeoutMs(options.timeout);
  let made: LogPatternFootprint | undefined;
  return {
    defaultName: `log-${logGroupName}`,
    bind: (name, place) => {
      const { context, source } = place;
      const alarmName = physicalName(context.project, `log-${name}`);
      const id = `Log-${name}`;
      // One signal can be in two detectors.
      if (source.node.tryFindChild(id) !== made) throw new Error(`Two log patterns of project '${context.project}' are named '${name}'. Give one of them another name.`);
      made ??= new LogPatternFootprint(source, id, { project: context.project, recoveryRegion: context.recoveryRegion, alarmName, logGroupName, pattern, threshold });
      place.recordAlarms();
      return {
        config: { kind: 'log-pattern', name, timeoutMs: limit, region: context.sourceRegion, alarmName, rememberSeconds },
        permissions: [readMetrics('DescribeAlarms', context.sourceRegion)],
      };
    },
  };
}

interface LogPatternFootprintProps {
  readonly project: string;
  readonly recoveryRegion: string;
  readonly alarmName: string;
  readonly logGroupName: string;
  readonly pattern: string;
  readonly threshold: number;
}

/** In the source Region: counts the pattern, raises an alarm, and forwards what becomes of it. */
class LogPatternFootprint extends Construct {
  constructor(scope: Construct, id: string, props: LogPatternFootprintProps) {
    super(scope, id);
    const { project, recoveryRegion, alarmName, threshold } = props;
    const { account, partition } = Stack.of(this);
    const filter = new MetricFilter(this, 'Filter', {
      logGroup: LogGroup.fromLogGroupName(this, 'LogGroup', props.logGroupName),
      filterPattern: FilterPattern.literal(props.pattern),
      metricNamespace: METRIC_NAMESPACE,
      metricName: alarmName,
      metricValue: '1',
    });
    const alarm = new Alarm(this, 'Alarm', {
      alarmName,
      alarmDescription: `${project}: '${props.pattern}' in ${props.logGroupName}. A signal of the failure detector in ${recoveryRegion}.`,
      metric: filter.metric({ statistic: 'Sum', period: Duration.minutes(1) }),
      threshold,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    // Computed, not referenced: a reference would tie the recovery stack to the Region that may be lost.
    const bus = EventBus.fromEventBusArn(this, 'Bus', `arn:${partition}:events:${recoveryRegion}:${account}:event-bus/${physicalName(project)}`);
    new Rule(this, 'Changes', {
      description: `${project}: changes of alarm ${alarmName} are recorded in ${recoveryRegion}`,
      eventPattern: { ...ALARM_EVENTS, resources: [alarm.alarmArn] },
      targets: [new EventBusTarget(bus)],
    });
  }
}
