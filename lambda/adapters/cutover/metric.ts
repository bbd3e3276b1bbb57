import { CloudWatchClient, DescribeAlarmsCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import type { MetricCutoverConfig } from '../../core/cutover';
import { clientSettings } from '../../runtime/clients';
import { RefusedCall, refusing } from '../errors';
import type { CutoverContext, CutoverKind, CutoverVerdict } from '../ports/cutover';

interface Before {
  readonly recoveryActive: boolean;
}

/**
 * A metric in the recovery Region that Route 53's health checks follow through an alarm there: no control plane is called.
 * The value is published again at each look until the alarm shows it, since the alarm judges whole minutes.
 */
export class MetricCutover implements CutoverKind<MetricCutoverConfig> {
  private readonly client: CloudWatchClient;

  constructor(region: string) {
    this.client = new CloudWatchClient(clientSettings(region));
  }

  async before({ config }: CutoverContext<MetricCutoverConfig>): Promise<Before> {
    return { recoveryActive: await this.alarmState(config) === 'ALARM' };
  }

  async apply({ config }: CutoverContext<MetricCutoverConfig>): Promise<undefined> {
    await this.publish(config, 1);
  }

  async verify({ config }: CutoverContext<MetricCutoverConfig>): Promise<CutoverVerdict> {
    return this.bring(config, 1);
  }

  async rollBack({ config }: CutoverContext<MetricCutoverConfig>, before: unknown): Promise<CutoverVerdict> {
    return this.bring(config, (before as Before).recoveryActive ? 1 : 0);
  }

  private async bring(config: MetricCutoverConfig, value: 0 | 1): Promise<CutoverVerdict> {
    await this.publish(config, value);
    const [state, wanted] = [await this.alarmState(config), value === 1 ? 'ALARM' : 'OK'];
    return { done: state === wanted, detail: `${config.metricName} ${value}, alarm ${config.alarmName} ${state}${state === wanted ? '' : `, to be ${wanted}`}` };
  }

  private async publish({ namespace, metricName, dimensions }: MetricCutoverConfig, value: number): Promise<void> {
    await refusing('PutMetricData', () => this.client.send(new PutMetricDataCommand({
      Namespace: namespace,
      MetricData: [{ MetricName: metricName, Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })), Value: value, Unit: 'Count' }],
    })));
  }

  private async alarmState({ alarmName }: MetricCutoverConfig): Promise<string> {
    const answer = await refusing('DescribeAlarms', () => this.client.send(new DescribeAlarmsCommand({ AlarmNames: [alarmName], AlarmTypes: ['MetricAlarm'] })));
    const [alarm] = answer.MetricAlarms ?? [];
    if (alarm === undefined) throw new RefusedCall('DescribeAlarms', 'not-found', 'AlarmNotFound', `there is no alarm ${alarmName}; deploy the recovery stack again`);
    return alarm.StateValue ?? 'INSUFFICIENT_DATA';
  }
}
