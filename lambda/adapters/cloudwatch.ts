import { CloudWatchClient, DescribeAlarmsCommand, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { clientSettings } from '../runtime/clients';
import { refusing } from './errors';
import type { MetricQuery, Monitoring } from './ports/detection';

/** Any Region may be the one that is gone. */
const SHORT = { requestTimeoutMs: 5_000, maxAttempts: 2 };
/** Metrics come late; the newest of these periods counts. */
const PERIODS = 3;

export class CloudWatchMonitoring implements Monitoring {
  private readonly clients = new Map<string, CloudWatchClient>();

  async newestValue(region: string, query: MetricQuery, now: string): Promise<{ readonly value: number; readonly at: string } | undefined> {
    const end = Date.parse(now);
    const answer = await refusing('GetMetricData', () => this.client(region).send(new GetMetricDataCommand({
      StartTime: new Date(end - (PERIODS + 1) * query.periodSeconds * 1000),
      EndTime: new Date(end),
      ScanBy: 'TimestampDescending',
      MetricDataQueries: [{
        Id: 'signal',
        MetricStat: {
          Metric: { Namespace: query.namespace, MetricName: query.metricName, Dimensions: Object.entries(query.dimensions).map(([Name, Value]) => ({ Name, Value })) },
          Period: query.periodSeconds,
          Stat: query.statistic,
        },
      }],
    })));
    const [found] = answer.MetricDataResults ?? [];
    const values = (found?.Timestamps ?? []).flatMap((time, index) => {
      const value = found?.Values?.[index];
      return value === undefined ? [] : [{ value, at: time.toISOString() }];
    });
    return values.sort((a, b) => b.at.localeCompare(a.at))[0];
  }

  async alarm(region: string, alarmName: string): Promise<{ readonly state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA'; readonly reason: string } | undefined> {
    const answer = await refusing('DescribeAlarms', () => this.client(region).send(new DescribeAlarmsCommand({
      AlarmNames: [alarmName], AlarmTypes: ['MetricAlarm', 'CompositeAlarm'],
    })));
    const [found] = [...answer.MetricAlarms ?? [], ...answer.CompositeAlarms ?? []];
    return found?.StateValue === undefined ? undefined : { state: found.StateValue, reason: found.StateReason ?? '' };
  }

  private client(region: string): CloudWatchClient {
    const client = this.clients.get(region) ?? new CloudWatchClient(clientSettings(region, SHORT));
    this.clients.set(region, client);
    return client;
  }
}
