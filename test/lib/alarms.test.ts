import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { ProtectionSchedule } from '../../lib';
import { project, template } from './support/project';

const alarmsOf = (given: ReturnType<typeof project>): Record<string, any> =>
  Object.fromEntries(Object.values(template(given).findResources('AWS::CloudWatch::Alarm')).map(({ Properties }) => [Properties.AlarmName.replace('disaster-recovery-shop-', ''), Properties]));

const alarms = alarmsOf(project());

test('every alarm has its chapter in the runbook', () => {
  const runbook = readFileSync(join(__dirname, '..', '..', 'docs', 'operator-runbook.md'), 'utf8');
  expect(Object.keys(alarms).sort()).toEqual(['cycle-degraded', 'cycle-failed', 'findings', 'no-cycle', 'orphans', 'rpo-missed', 'run-failed', 'unprotected', 'upkeep-failed']);
  for (const [name, { AlarmDescription }] of Object.entries(alarms)) {
    expect(AlarmDescription).toContain(`docs/operator-runbook.md#${name}`);
    expect(runbook).toContain(`\n## ${name}\n`);
  }
});

test('the RPO is measured, on the machine that is worst off', () => {
  expect(alarms['rpo-missed']).toMatchObject({
    Namespace: 'DisasterRecovery', MetricName: 'WorstRpoSeconds', Dimensions: [{ Name: 'Project', Value: 'shop' }],
    Statistic: 'Maximum', Period: 300, EvaluationPeriods: 1, Threshold: 900, ComparisonOperator: 'GreaterThanThreshold', TreatMissingData: 'notBreaching',
  });
});

test('silence of the cycle is an alarm', () => {
  expect(alarms['no-cycle']).toMatchObject({
    MetricName: 'CycleSeconds', Statistic: 'SampleCount', Period: 300, EvaluationPeriods: 3, DatapointsToAlarm: 3,
    Threshold: 1, ComparisonOperator: 'LessThanThreshold', TreatMissingData: 'breaching',
  });
});

test.each([['cycle-failed', 300, 3, 2], ['run-failed', 60, 1, 1]])('%s counts failures, time-outs and aborts', (name, period, periods, toAlarm) => {
  expect(alarms[name]).toMatchObject({ EvaluationPeriods: periods, DatapointsToAlarm: toAlarm, Threshold: 1 });
  expect(alarms[name].Metrics.filter(({ MetricStat }: any) => MetricStat).map(({ MetricStat }: any) => [MetricStat.Metric.MetricName, MetricStat.Period]))
    .toEqual([['ExecutionsFailed', period], ['ExecutionsTimedOut', period], ['ExecutionsAborted', period]]);
});

test.each([['unprotected', 'MembersWithoutPoint', 4], ['findings', 'Findings', 2], ['orphans', 'OrphansRemoved', 3], ['cycle-degraded', 'Problems', 3]])('%s watches %s', (name, MetricName, EvaluationPeriods) => {
  expect(alarms[name]).toMatchObject({ MetricName, EvaluationPeriods, Threshold: 1 });
});

test('no alarm looks back longer than CloudWatch can, at any interval', () => {
  for (const [interval, rpo] of [[Duration.minutes(1), Duration.days(3)], [Duration.hours(8), Duration.days(2)]] as const) {
    const found = alarmsOf(project({ schedule: ProtectionSchedule.every(interval), objectives: { rpo, rto: Duration.hours(1) } }));
    for (const { Period, EvaluationPeriods } of Object.values(found)) expect((Period ?? 3600) * EvaluationPeriods).toBeLessThanOrEqual(86_400);
  }
});

test('without a topic nobody is told, with one it is told both ways', () => {
  expect(alarms['rpo-missed'].AlarmActions).toBeUndefined();
  const told = alarmsOf(project((stack) => ({ notifications: new Topic(stack, 'Operators') })));
  for (const { AlarmActions, OKActions } of Object.values(told)) expect([AlarmActions, OKActions]).toEqual(Array(2).fill([{ Ref: expect.stringMatching(/^Operators/) }]));
});
