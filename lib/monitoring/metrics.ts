import { Duration } from 'aws-cdk-lib';
import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';

/** Where the functions' metrics are; they have one dimension, `Project`. */
export const METRIC_NAMESPACE = 'DisasterRecovery';

/** Names of the metrics that each protection cycle and sweep emit. */
export enum RecoveryMetric {
  /** Seconds since the newest complete recovery point of the member that is worst off. */
  WORST_RPO_SECONDS = 'WorstRpoSeconds',
  /** Recovery points that are not complete yet. */
  OPEN_POINTS = 'OpenPoints',
  /** Recovery points that became complete in the cycle. */
  COMMITTED_POINTS = 'CommittedPoints',
  /** Machines that discovery knows. */
  MEMBERS_FOUND = 'MembersFound',
  /** Machines that have no complete recovery point. */
  MEMBERS_WITHOUT_POINT = 'MembersWithoutPoint',
  /** What stands in the way of protecting or recovering machines. */
  FINDINGS = 'Findings',
  /** What a cycle could not do, though it ended. */
  PROBLEMS = 'Problems',
  /** Recovery points that failed in the cycle. */
  FAILED_POINTS = 'FailedPoints',
  /** Seconds that the cycle took. */
  CYCLE_SECONDS = 'CycleSeconds',
  /** Snapshots and images that the sweeper removed. */
  ORPHANS_REMOVED = 'OrphansRemoved',
  /** Looks of the failure detector at its signals. */
  DETECTOR_RUNS = 'DetectorRuns',
  /** Signals that the last look found unhealthy. */
  UNHEALTHY_SIGNALS = 'UnhealthySignals',
  /** Signals that the last look could not read. */
  UNKNOWN_SIGNALS = 'UnknownSignals',
}

/** @internal */
export function projectMetric(project: string, region: string, name: RecoveryMetric, options: MetricOptions = {}): Metric {
  return new Metric({
    namespace: METRIC_NAMESPACE,
    metricName: name,
    dimensionsMap: { Project: project },
    region,
    statistic: 'Maximum',
    period: Duration.minutes(5),
    ...options,
  });
}
