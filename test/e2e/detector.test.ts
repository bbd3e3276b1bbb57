import { CloudWatchClient, PutMetricAlarmCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { LambdaClient, InvokeCommand } from '@aws-sdk/client-lambda';
import { DescribeExecutionCommand, ListExecutionsCommand, SFNClient, type ExecutionListItem } from '@aws-sdk/client-sfn';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { DetectConfig } from '../../lambda/core/detection-config';
import type { DetectResult } from '../../lambda/detect/detect';
import { LocalCloud } from '../../local-cloud';
import { eventually } from './functions';

const [SOURCE, RECOVERY, PROJECT] = ['us-east-1', 'us-west-2', 'watched'];

/** A project whose detectors watch a server that the test runs, on the local cloud. Each test goes on from what the one before it left. */
describe('a failure is detected and decided upon', () => {
  let cloud: LocalCloud;
  let lambda: LambdaClient;
  let states: SFNClient;
  let server: Server;
  /** Paths that answer 503. */
  const broken = new Set<string>();

  const call = async <T>(handler: string, payload: object): Promise<T> => {
    const answer = await lambda.send(new InvokeCommand({ FunctionName: `disaster-recovery-${PROJECT}-${handler}`, Payload: JSON.stringify(payload) }));
    const text = Buffer.from(answer.Payload ?? []).toString();
    if (answer.FunctionError) throw new Error(text);
    return JSON.parse(text) as T;
  };

  /** What the schedule does each minute, without the minute: an evaluation may follow another at once. */
  const look = async (times = 1): Promise<DetectResult[]> => {
    const schedule = (await cloud.schedules.list()).find(({ name }) => name.endsWith('-detect'))!;
    const { config } = JSON.parse(schedule.input) as { config: DetectConfig };
    const detectors = config.detectors.map((detector) => ({ ...detector, policy: { ...detector.policy, spacingSeconds: 0 } }));
    let results: DetectResult[] = [];
    for (let time = 0; time < times; time += 1) results = await call('detect', { config: { ...config, detectors } });
    return results;
  };

  const executions = async (part: string): Promise<ExecutionListItem[]> => {
    const stateMachineArn = `arn:aws:states:${RECOVERY}:${cloud.account}:stateMachine:disaster-recovery-${PROJECT}-${part}`;
    return (await states.send(new ListExecutionsCommand({ stateMachineArn }))).executions ?? [];
  };
  const inputOf = async ({ executionArn }: ExecutionListItem): Promise<unknown> => JSON.parse((await states.send(new DescribeExecutionCommand({ executionArn }))).input ?? '{}');
  const told = (handler: string): number => cloud.calls.count({ operation: 'Publish', principal: `function:disaster-recovery-${PROJECT}-${handler}`, status: 200 });

  beforeAll(async () => {
    server = createServer((request, response) => {
      response.writeHead(broken.has(request.url ?? '') ? 503 : 200).end('up');
    });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    cloud = await LocalCloud.start({ regions: [SOURCE, RECOVERY], runSchedules: false });
    lambda = new LambdaClient(cloud.clientConfig(RECOVERY));
    states = new SFNClient(cloud.clientConfig(RECOVERY));
    await cloud.bootstrap();
    await cloud.deploy({ app: 'node detector-app.cjs', cwd: join(__dirname, 'fixture'), context: { port: String((server.address() as AddressInfo).port) } });
  }, 240_000);

  afterAll(async () => {
    lambda.destroy();
    states.destroy();
    server.closeAllConnections();
    server.close();
    await cloud.stop();
  }, 30_000);

  test('by its schedule the detector looks at all signals, as its own role', async () => {
    await cloud.schedules.fire(`disaster-recovery-${PROJECT}-detect`);
    await eventually('the detector has run', () => Promise.resolve(cloud.logs(`disaster-recovery-${PROJECT}-detect`).some((line) => line.includes('"DetectorRuns":1'))));
    expect(cloud.calls.filter({ decision: 'denied' })).toEqual([]);
  }, 60_000);

  test('while all is well nothing is decided', async () => {
    const [all, web] = await look(4);
    expect(all).toEqual({ name: 'project', outcome: 'evaluated', unhealthy: [], unknown: [] });
    expect(web).toMatchObject({ name: 'web', unhealthy: [], unknown: ['errors', 'alarm', 'checks', 'agent', 'lag'] });
    expect([await executions('run'), await executions('approval')]).toEqual([[], []]);
  }, 60_000);

  test('a single signal below the quorum decides nothing', async () => {
    broken.add('/back');
    expect((await look(5))[0]).toMatchObject({ unhealthy: ['back'] });
    expect(await executions('run')).toEqual([]);
  }, 60_000);

  test('a quorum starts one failover, and none again while the incident lasts', async () => {
    broken.add('/front');
    await look(2);
    expect(await executions('run')).toEqual([]);
    const [result] = await look();
    const [run, ...others] = await executions('run');
    expect(others).toEqual([]);
    expect(result).toMatchObject({ unhealthy: ['front', 'back'], action: `execution ${run!.name} was started` });
    expect(run!.name).toBe(`incident-${result!.incident}`);
    expect(await inputOf(run!)).toEqual({ mode: 'failover', requestedBy: 'detector project' });
    expect(told('detect')).toBe(1);
    await look(6);
    expect(await executions('run')).toHaveLength(1);
  }, 120_000);

  test('after a recovery the limit of automatic failovers holds: people are told', async () => {
    broken.clear();
    expect((await look(2))[0]).toMatchObject({ unhealthy: [] });
    expect((await look())[0]!.incident).toBeUndefined();
    broken.add('/back').add('/front');
    const [result] = await look(3);
    expect(result!.action).toMatch(/^people were told, since 1 automatic actions/);
    expect(await executions('run')).toHaveLength(1);
    expect(told('detect')).toBe(2);
    broken.clear();
    await look(3);
  }, 120_000);

  test('with approval people are asked, and their yes starts the run', async () => {
    broken.add('/web');
    const [, web] = await look(3);
    const [question] = await executions('approval');
    expect(web).toMatchObject({ name: 'web', action: `approval execution ${question!.name} was started` });
    await eventually('people are asked', () => Promise.resolve(told('approval-ask') === 1));
    expect(await executions('run')).toHaveLength(1);

    const incidentId = web!.incident!;
    await expect(call('approve', { incidentId: 'other', decision: 'approve', by: 'test' })).rejects.toThrow('There is no question about incident other');
    expect(await call('approve', { incidentId, decision: 'approve', by: 'test' })).toEqual({ incidentId, status: 'APPROVED', by: 'test' });
    await eventually('the approval has ended', async () => (await executions('approval')).every(({ status }) => status === 'SUCCEEDED'));
    const run = (await executions('run')).find(({ name }) => name === `incident-${incidentId}`);
    expect(await inputOf(run!)).toEqual({ mode: 'failover', endpoints: ['web'], requestedBy: 'detector web, approved by test' });
    await expect(call('approve', { incidentId, decision: 'refuse', by: 'test' })).rejects.toThrow('APPROVED, test at');
    await look(3);
    expect(await executions('approval')).toHaveLength(1);
    expect(cloud.calls.filter({ decision: 'denied' })).toEqual([]);
  }, 120_000);

  test('metrics and alarms of the source Region are read; with the Region refused they are unknown, and the detector works', async () => {
    const source = new CloudWatchClient(cloud.clientConfig(SOURCE));
    await source.send(new PutMetricDataCommand({ Namespace: 'Watched', MetricData: [{ MetricName: 'Errors', Value: 9, Timestamp: new Date(Date.now() - 60_000) }] }));
    await source.send(new PutMetricAlarmCommand({ AlarmName: 'errors', Namespace: 'Watched', MetricName: 'Errors', ComparisonOperator: 'GreaterThanThreshold', EvaluationPeriods: 1, Period: 60, Statistic: 'Sum', Threshold: 5 }));
    source.destroy();
    const [, web] = await look();
    expect(web!.unhealthy).toContain('errors');
    cloud.faults.refuseRegion(SOURCE);
    const [, dark] = await look();
    expect(dark).toMatchObject({ outcome: 'evaluated', unhealthy: ['web'], unknown: ['errors', 'alarm', 'panic', 'checks', 'agent', 'lag'] });
    cloud.faults.clear();
  }, 60_000);

  test('what a log of the source Region showed last counts, though the Region is gone since', async () => {
    const alarmName = `disaster-recovery-${PROJECT}-log-panic`;
    const detail = { alarmName, state: { value: 'ALARM', reason: 'kernel panic', timestamp: new Date().toISOString().replace('Z', '+0000') } };
    // As CloudWatch puts it on the default bus when the alarm changes.
    const entry = { Source: 'aws.cloudwatch', DetailType: 'CloudWatch Alarm State Change', Resources: [`arn:aws:cloudwatch:${SOURCE}:${cloud.account}:alarm:${alarmName}`], Detail: JSON.stringify(detail) };
    const response = await fetch(cloud.endpoint, {
      method: 'POST', body: JSON.stringify({ Entries: [entry] }),
      headers: {
        'authorization': `AWS4-HMAC-SHA256 Credential=AKIAOPERATOR/20260101/${SOURCE}/events/aws4_request, SignedHeaders=host, Signature=0`,
        'x-amz-target': 'AWSEvents.PutEvents', 'content-type': 'application/x-amz-json-1.1',
      },
    });
    expect(await response.json()).toMatchObject({ FailedEntryCount: 0 });
    await eventually('the report is kept', () => Promise.resolve(cloud.calls.count({ operation: 'PutItem', principal: `function:disaster-recovery-${PROJECT}-signal-report`, status: 200 }) === 1));
    cloud.faults.refuseRegion(SOURCE);
    const [, web] = await look();
    expect(web).toMatchObject({ unhealthy: ['web', 'panic'] });
    cloud.faults.clear();
  }, 60_000);
});
