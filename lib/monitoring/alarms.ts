import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, MathExpression, TreatMissingData, type IMetric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { physicalName } from '../names';
import { projectMetric, RecoveryMetric } from './metrics';

export interface RecoveryAlarmsProps {
  readonly project: string;
  readonly recoveryRegion: string;
  readonly rpo: Duration;
  readonly interval: Duration;
  readonly cycle: StateMachine;
  readonly run: StateMachine;
  readonly upkeep: IFunction[];
  readonly topic?: ITopic;
}

export interface AlarmSettings {
  readonly description: string;
  readonly metric: IMetric;
  readonly threshold: number;
  readonly comparison?: ComparisonOperator;
  readonly periods?: number;
  readonly outOf?: number;
  readonly missing?: TreatMissingData;
}

/** Missed cycles in a row after which nobody should rely on the next one. */
const MISSED_CYCLES = 3;

/** Lambda tries a scheduled invocation three times; a single failed try that a later one made good is no reason to wake anybody. */
const UPKEEP_ERRORS = 3;
/** CloudWatch evaluates at most one day of periods below an hour. */
const LONGEST_EVALUATION_SECONDS = 86_400;

/** One alarm per thing that an operator has to do something about; each names its chapter of the runbook. */
export class RecoveryAlarms extends Construct {
  /** The newest complete recovery point of some machine is older than the objective. */
  readonly rpoMissed: Alarm;
  /** No protection cycle has ended for three intervals. */
  readonly noCycle: Alarm;
  /** Two of three protection cycles failed. */
  readonly cycleFailed: Alarm;
  /** Two of three protection cycles ended without having done all of their work, e.g. since the source Region refused. */
  readonly cycleDegraded: Alarm;
  /** A recovery run failed. */
  readonly runFailed: Alarm;
  /** Some machine has no recovery point though it had the time for one. */
  readonly unprotected: Alarm;
  /** Something stands in the way of protecting or recovering a machine. */
  readonly findings: Alarm;
  /** Sweeps keep finding orphans. */
  readonly orphans: Alarm;
  /** Teardown of drills or the sweep fails. */
  readonly upkeepFailed: Alarm;

  private readonly props: RecoveryAlarmsProps;

  constructor(scope: Construct, id: string, props: RecoveryAlarmsProps) {
    super(scope, id);
    this.props = props;
    const { interval, rpo, cycle, run } = props;
    const measured = (name: RecoveryMetric, options: MetricOptions = {}): IMetric => projectMetric(props.project, props.recoveryRegion, name, { period: interval, ...options });

    this.rpoMissed = this.alarm('RpoMissed', 'rpo-missed', {
      description: `The newest complete recovery point of a machine is older than the RPO of ${rpo.toHumanString()}.`,
      metric: measured(RecoveryMetric.WORST_RPO_SECONDS), threshold: rpo.toSeconds(), comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
    });
    this.noCycle = this.alarm('NoCycle', 'no-cycle', {
      description: `No protection cycle has ended in ${MISSED_CYCLES} intervals of ${interval.toHumanString()}.`,
      metric: measured(RecoveryMetric.CYCLE_SECONDS, { statistic: 'SampleCount' }), threshold: 1,
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD, periods: MISSED_CYCLES, missing: TreatMissingData.BREACHING,
    });
    this.cycleFailed = this.alarm('CycleFailed', 'cycle-failed', {
      description: 'Two of three protection cycles failed.', metric: failures(cycle, interval), threshold: 1, periods: 2, outOf: 3,
    });
    this.cycleDegraded = this.alarm('CycleDegraded', 'cycle-degraded', {
      description: 'Two of three protection cycles ended with problems.', metric: measured(RecoveryMetric.PROBLEMS), threshold: 1, periods: 2, outOf: 3,
    });
    this.runFailed = this.alarm('RunFailed', 'run-failed', {
      description: 'A recovery run failed.', metric: failures(run, Duration.minutes(1)), threshold: 1,
    });
    this.unprotected = this.alarm('Unprotected', 'unprotected', {
      description: 'A machine has no complete recovery point, though it had more than the RPO to get one.',
      metric: measured(RecoveryMetric.MEMBERS_WITHOUT_POINT), threshold: 1, periods: periodsFor(rpo, interval),
    });
    this.findings = this.alarm('Findings', 'findings', {
      description: 'Something stands in the way of protecting or recovering a machine.', metric: measured(RecoveryMetric.FINDINGS), threshold: 1, periods: 2,
    });
    this.orphans = this.alarm('Orphans', 'orphans', {
      description: 'Three sweeps in a row found snapshots or images that belong to no recovery point or run.',
      metric: measured(RecoveryMetric.ORPHANS_REMOVED, { statistic: 'Sum', period: Duration.hours(1) }), threshold: 1, periods: 3,
    });
    this.upkeepFailed = this.alarm('UpkeepFailed', 'upkeep-failed', {
      description: 'The teardown of drills or the sweep of orphans fails; machines of drills may cost money beyond their time.',
      metric: errors(props.upkeep), threshold: UPKEEP_ERRORS,
    });
  }

  private alarm(id: string, anchor: string, settings: AlarmSettings): Alarm {
    return runbookAlarm(this, id, anchor, settings, this.props);
  }
}

/** An alarm whose description names its chapter of the runbook, and that tells people both ways. */
export function runbookAlarm(scope: Construct, id: string, anchor: string, settings: AlarmSettings, { project, topic }: { readonly project: string; readonly topic?: ITopic }): Alarm {
  const alarm = new Alarm(scope, id, {
    alarmName: physicalName(project, anchor),
    alarmDescription: `${settings.description} Runbook: docs/operator-runbook.md#${anchor}`,
    metric: settings.metric,
    threshold: settings.threshold,
    comparisonOperator: settings.comparison ?? ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    evaluationPeriods: settings.outOf ?? settings.periods ?? 1,
    datapointsToAlarm: settings.periods ?? 1,
    treatMissingData: settings.missing ?? TreatMissingData.NOT_BREACHING,
  });
  if (topic) {
    alarm.addAlarmAction(new SnsAction(topic));
    alarm.addOkAction(new SnsAction(topic));
  }
  return alarm;
}

/** Enough periods to cover the objective, so that a new machine has had its chance. */
function periodsFor(rpo: Duration, interval: Duration): number {
  return Math.min(Math.ceil(rpo.toSeconds() / interval.toSeconds()) + 1, Math.floor(LONGEST_EVALUATION_SECONDS / interval.toSeconds()));
}

/** Executions that ended in any way but well. */
export function failures(machine: StateMachine, period: Duration): IMetric {
  const options = { period, statistic: 'Sum' };
  return new MathExpression({
    // A series without a datapoint would leave the sum without one, and nothing would alarm.
    expression: 'FILL(failed, 0) + FILL(timedOut, 0) + FILL(aborted, 0)',
    label: 'Executions that failed',
    period,
    usingMetrics: { failed: machine.metricFailed(options), timedOut: machine.metricTimedOut(options), aborted: machine.metricAborted(options) },
  });
}

function errors(functions: readonly IFunction[]): IMetric {
  const period = Duration.hours(1);
  const usingMetrics = Object.fromEntries(functions.map((one, index) => [`errors${index}`, one.metricErrors({ period })]));
  return new MathExpression({ expression: Object.keys(usingMetrics).map((id) => `FILL(${id}, 0)`).join(' + '), label: 'Errors', period, usingMetrics });
}
