import type { LineSink } from './log';

export const METRIC_NAMESPACE = 'DisasterRecovery';

export type MetricUnit = 'Seconds' | 'Count';

export interface Metric {
  readonly name: string;
  readonly value: number;
  readonly unit: MetricUnit;
}

/** Hands measured values to whoever keeps them. */
export type MetricSink = (metrics: readonly Metric[]) => void;

/**
 * Metrics as log lines in CloudWatch's embedded metric format: no PutMetricData call, hence no permission, no latency and
 * no failure of its own. One dimension, the project.
 */
export function emfSink(project: string, sink: LineSink = console.log, clock: () => Date = () => new Date()): MetricSink {
  return (metrics) => {
    if (metrics.length === 0) return;
    sink(JSON.stringify({
      _aws: {
        Timestamp: clock().getTime(),
        CloudWatchMetrics: [{
          Namespace: METRIC_NAMESPACE,
          Dimensions: [['Project']],
          Metrics: metrics.map(({ name, unit }) => ({ Name: name, Unit: unit })),
        }],
      },
      Project: project,
      ...Object.fromEntries(metrics.map(({ name, value }) => [name, value])),
    }));
  };
}
