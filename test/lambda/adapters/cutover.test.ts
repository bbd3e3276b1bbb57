import { CloudWatchClient, DescribeAlarmsCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeEndpointGroupCommand, GlobalAcceleratorClient, UpdateEndpointGroupCommand } from '@aws-sdk/client-global-accelerator';
import { ChangeResourceRecordSetsCommand, GetChangeCommand, ListResourceRecordSetsCommand, Route53Client } from '@aws-sdk/client-route-53';
import { GetRoutingControlStateCommand, Route53RecoveryClusterClient, UpdateRoutingControlStatesCommand } from '@aws-sdk/client-route53-recovery-cluster';
import { mockClient } from 'aws-sdk-client-mock';
import { AcceleratorCutover } from '../../../lambda/adapters/cutover/accelerator';
import { ArcCutover } from '../../../lambda/adapters/cutover/arc';
import { FunctionCutover } from '../../../lambda/adapters/cutover/function';
import { MetricCutover } from '../../../lambda/adapters/cutover/metric';
import { RecordCutover } from '../../../lambda/adapters/cutover/record';
import type { CutoverContext } from '../../../lambda/adapters/ports/cutover';
import type { AcceleratorCutoverConfig, ArcCutoverConfig, CutoverConfig, LambdaCutoverConfig, MetricCutoverConfig, RecordCutoverConfig } from '../../../lambda/core/cutover';
import { FakeFunctions } from '../fakes/services';

const cloudwatch = mockClient(CloudWatchClient);
const accelerator = mockClient(GlobalAcceleratorClient);
const route53 = mockClient(Route53Client);
const refusal = (name: string, httpStatusCode = 400) => Object.assign(new Error('refused'), { name, $metadata: { httpStatusCode } });

beforeEach(() => [cloudwatch, accelerator, route53].forEach((mock) => void mock.reset()));

function contextOf<C extends CutoverConfig>(config: C): CutoverContext<C> {
  return {
    config, project: 'shop', runId: 'run-1', mode: 'failover', idempotencyKey: 'run-1/cutover/x/1', budgetMs: 60_000,
    machines: [
      { memberId: 'web/i-b', endpoint: 'web', instanceId: 'i-new-b', privateIp: '10.0.0.2' },
      { memberId: 'web/i-a', endpoint: 'web', instanceId: 'i-new-a', privateIp: '10.0.0.1' },
      { memberId: 'db/i-c', endpoint: 'db', instanceId: 'i-new-c' },
    ],
  };
}

describe('ARC routing controls', () => {
  const regions = ['us-east-1', 'us-west-2', 'eu-west-1', 'ap-northeast-1', 'ap-southeast-2'];
  const config: ArcCutoverConfig = {
    kind: 'arc', name: 'arc', timeoutSeconds: 60, on: ['arn:rc/recovery'], off: ['arn:rc/source'], safetyRulesToOverride: ['arn:rule'],
    clusterEndpoints: regions.map((region) => ({ region, endpoint: `https://cluster.${region}.example/v1` })),
  };
  const context = contextOf(config);

  /** One client per Region, with the states of the cluster behind all of them. */
  function cluster(down: Record<string, Error> = {}) {
    const states: Record<string, string> = { 'arn:rc/recovery': 'Off', 'arn:rc/source': 'On' };
    const asked: string[] = [];
    const updates: unknown[] = [];
    const clientOf = ({ region, endpoint }: { region: string; endpoint: string }) => {
      const client = new Route53RecoveryClusterClient({ region, endpoint });
      const mock = mockClient(client);
      const enter = () => {
        asked.push(region);
        if (down[region] !== undefined) throw down[region];
      };
      mock.on(GetRoutingControlStateCommand).callsFake((input: { RoutingControlArn: string }) => {
        enter();
        return { RoutingControlArn: input.RoutingControlArn, RoutingControlState: states[input.RoutingControlArn] };
      });
      mock.on(UpdateRoutingControlStatesCommand).callsFake((input: { UpdateRoutingControlStateEntries: { RoutingControlArn: string; RoutingControlState: string }[] }) => {
        enter();
        updates.push(input);
        for (const entry of input.UpdateRoutingControlStateEntries) states[entry.RoutingControlArn] = entry.RoutingControlState;
        return {};
      });
      return client;
    };
    return { states, asked, updates, clientOf };
  }

  test('all are set in one call, and read back', async () => {
    const { clientOf, updates, states } = cluster();
    const arc = new ArcCutover(clientOf);
    const before = await arc.before(context);
    expect(before).toEqual({ 'arn:rc/recovery': 'Off', 'arn:rc/source': 'On' });
    expect(await arc.verify(context)).toMatchObject({ done: false, detail: 'routing controls not yet: recovery On, source Off' });
    await arc.apply(context);
    expect(updates).toEqual([{
      UpdateRoutingControlStateEntries: [
        { RoutingControlArn: 'arn:rc/recovery', RoutingControlState: 'On' }, { RoutingControlArn: 'arn:rc/source', RoutingControlState: 'Off' },
      ],
      SafetyRulesToOverride: ['arn:rule'],
    }]);
    expect((await arc.verify(context)).done).toBe(true);
    expect((await arc.rollBack(context, before)).done).toBe(true);
    expect(states).toEqual(before);
    expect(updates).toHaveLength(2);
    // Rolled back already: nothing is written again.
    await arc.rollBack(context, before);
    expect(updates).toHaveLength(2);
  });

  test('endpoints are tried in another order each time, until one answers', async () => {
    const lost = Object.fromEntries(regions.slice(0, 4).map((region) => [region, refusal('EndpointTemporarilyUnavailableException', 503)]));
    const { clientOf, asked, updates } = cluster(lost);
    await new ArcCutover(clientOf, () => 0).apply(context);
    expect(updates).toHaveLength(1);
    expect(asked.at(-1)).toBe('ap-southeast-2');
    const firsts = new Set<string | undefined>();
    for (let draw = 0; draw < 5; draw += 1) {
      const { clientOf: again, asked: order } = cluster();
      await new ArcCutover(again, () => draw / 5).apply(context);
      firsts.add(order[0]);
    }
    expect(firsts.size).toBeGreaterThan(1);
  });

  test('a lost Region, throttling and dropped connections lead to the next endpoint', async () => {
    const { clientOf, updates } = cluster({ 'us-east-1': refusal('TimeoutError'), 'us-west-2': refusal('ThrottlingException'), 'eu-west-1': Object.assign(new Error('reset'), { code: 'ECONNRESET' }) });
    for (const random of [0, 0.3, 0.6, 0.99]) await new ArcCutover(clientOf, () => random).apply(context);
    expect(updates).toHaveLength(4);
  });

  test.each(['ConflictException', 'AccessDeniedException', 'ResourceNotFoundException', 'ValidationException'])('%s is the answer of the whole cluster', async (name) => {
    const { clientOf, asked } = cluster(Object.fromEntries(regions.map((region) => [region, refusal(name)])));
    await expect(new ArcCutover(clientOf).apply(context)).rejects.toMatchObject({ code: name });
    expect(asked).toHaveLength(1);
  });

  test('when no endpoint answers, each is named', async () => {
    const { clientOf } = cluster(Object.fromEntries(regions.map((region) => [region, refusal('TimeoutError')])));
    for (const region of regions) await expect(new ArcCutover(clientOf).apply(context)).rejects.toMatchObject({ kind: 'unreachable', message: expect.stringContaining(region) });
  });
});

describe('a metric that health checks follow', () => {
  const config: MetricCutoverConfig = { kind: 'metric', name: 'dns', timeoutSeconds: 60, namespace: 'DR', metricName: 'RecoveryActive', dimensions: { Project: 'shop', Cutover: 'dns' }, alarmName: 'dr-shop-cutover-dns' };
  const context = contextOf(config);
  const metric = new MetricCutover('us-west-2');
  const alarm = (StateValue: string) => ({ MetricAlarms: [{ StateValue: StateValue as never }] });
  const published = () => cloudwatch.commandCalls(PutMetricDataCommand).map(({ args }) => args[0].input.MetricData?.[0]?.Value);

  test('is published until the alarm shows it', async () => {
    cloudwatch.on(PutMetricDataCommand).resolves({});
    cloudwatch.on(DescribeAlarmsCommand).resolvesOnce(alarm('INSUFFICIENT_DATA')).resolvesOnce(alarm('OK')).resolves(alarm('ALARM'));
    expect(await metric.before(context)).toEqual({ recoveryActive: false });
    await metric.apply(context);
    expect(cloudwatch.commandCalls(PutMetricDataCommand)[0]!.args[0].input).toEqual({
      Namespace: 'DR', MetricData: [{ MetricName: 'RecoveryActive', Dimensions: [{ Name: 'Project', Value: 'shop' }, { Name: 'Cutover', Value: 'dns' }], Value: 1, Unit: 'Count' }],
    });
    expect(await metric.verify(context)).toEqual({ done: false, detail: 'RecoveryActive 1, alarm dr-shop-cutover-dns OK, to be ALARM' });
    expect((await metric.verify(context)).done).toBe(true);
    expect(published()).toEqual([1, 1, 1]);
    expect(cloudwatch.commandCalls(DescribeAlarmsCommand)[0]!.args[0].input).toEqual({ AlarmNames: ['dr-shop-cutover-dns'], AlarmTypes: ['MetricAlarm'] });
  });

  test('goes back to what it was, also when recovery was active before', async () => {
    cloudwatch.on(PutMetricDataCommand).resolves({});
    cloudwatch.on(DescribeAlarmsCommand).resolvesOnce(alarm('ALARM')).resolvesOnce(alarm('OK')).resolves(alarm('ALARM'));
    expect((await metric.rollBack(context, { recoveryActive: false })).done).toBe(false);
    expect((await metric.rollBack(context, { recoveryActive: false })).done).toBe(true);
    expect((await metric.rollBack(context, { recoveryActive: true })).done).toBe(true);
    expect(published()).toEqual([0, 0, 1]);
  });

  test('an alarm that is not there is a wrong deployment', async () => {
    cloudwatch.on(DescribeAlarmsCommand).resolves({ MetricAlarms: [] });
    await expect(metric.before(context)).rejects.toMatchObject({ kind: 'not-found' });
  });
});

describe('a record of Route 53', () => {
  const config: RecordCutoverConfig = { kind: 'record', name: 'shop', timeoutSeconds: 60, hostedZoneId: 'Z1', recordName: 'shop.example.com', recordType: 'A', ttlSeconds: 30, values: [{ recovered: 'web' }, { value: '192.0.2.9' }] };
  const context = contextOf(config);
  const record = new RecordCutover('us-west-2');
  const was = { Name: 'shop.example.com.', Type: 'A' as const, TTL: 300, ResourceRecords: [{ Value: '198.51.100.1' }] };
  const ours = { Name: 'shop.example.com', Type: 'A' as const, TTL: 30, ResourceRecords: ['10.0.0.1', '10.0.0.2', '192.0.2.9'].map((Value) => ({ Value })) };
  const listed = (...ResourceRecordSets: object[]) => ({ ResourceRecordSets: ResourceRecordSets as never, IsTruncated: false, MaxItems: 1 });
  const changes = () => route53.commandCalls(ChangeResourceRecordSetsCommand).map(({ args }) => args[0].input.ChangeBatch?.Changes?.[0]);

  beforeEach(() => {
    route53.on(ChangeResourceRecordSetsCommand).resolves({ ChangeInfo: { Id: '/change/C1', Status: 'PENDING', SubmittedAt: new Date() } });
  });

  test('is read, upserted, and followed until Route 53 has it everywhere', async () => {
    route53.on(ListResourceRecordSetsCommand).resolvesOnce(listed(was)).resolves(listed({ ...ours, Name: 'shop.example.com.', ResourceRecords: [...ours.ResourceRecords].reverse() }));
    route53.on(GetChangeCommand).resolvesOnce({ ChangeInfo: { Id: 'C1', Status: 'PENDING', SubmittedAt: new Date() } }).resolves({ ChangeInfo: { Id: 'C1', Status: 'INSYNC', SubmittedAt: new Date() } });
    const before = await record.before(context);
    expect(before).toEqual({ record: was });
    expect(route53.commandCalls(ListResourceRecordSetsCommand)[0]!.args[0].input).toEqual({ HostedZoneId: 'Z1', StartRecordName: 'shop.example.com', StartRecordType: 'A', MaxItems: 1 });
    expect(await record.apply(context)).toBe('C1');
    expect(changes()).toEqual([{ Action: 'UPSERT', ResourceRecordSet: ours }]);
    expect(await record.verify(context, before, 'C1')).toEqual({ done: false, detail: 'change C1 is PENDING' });
    expect(await record.verify(context, before, 'C1')).toEqual({ done: true, detail: 'shop.example.com A is 10.0.0.1, 10.0.0.2, 192.0.2.9 (TTL 30 s)' });
  });

  test('what follows it in the zone is not taken for it', async () => {
    route53.on(ListResourceRecordSetsCommand).resolves(listed({ ...was, Name: 'zoo.example.com.' }));
    expect(await record.before(context)).toEqual({});
    expect((await record.verify(context, {}, undefined)).done).toBe(false);
  });

  test('one with a routing policy is refused', async () => {
    route53.on(ListResourceRecordSetsCommand).resolves(listed({ ...was, SetIdentifier: 'primary' }));
    await expect(record.before(context)).rejects.toMatchObject({ code: 'RoutingPolicy' });
  });

  test('is put back as it was, or deleted when it was not', async () => {
    route53.on(ListResourceRecordSetsCommand).resolves(listed(ours));
    await record.rollBack(context, { record: was });
    await record.rollBack(context, {});
    expect(changes()).toEqual([{ Action: 'UPSERT', ResourceRecordSet: was }, { Action: 'DELETE', ResourceRecordSet: ours }]);
  });

  test('is not put back twice, and never over what somebody else has put there', async () => {
    route53.on(ListResourceRecordSetsCommand).resolvesOnce(listed(was)).resolves(listed({ ...was, ResourceRecords: [{ Value: '203.0.113.7' }] }));
    expect((await record.rollBack(context, { record: was })).done).toBe(true);
    await expect(record.rollBack(context, { record: was })).rejects.toMatchObject({ code: 'ChangedByOthers' });
    expect(changes()).toEqual([]);
  });

  test('can be an alias', async () => {
    const alias = { ...config, values: undefined, ttlSeconds: undefined, alias: { hostedZoneId: 'ZLB', dnsName: 'lb.example.com' } };
    route53.on(ListResourceRecordSetsCommand).resolves(listed({ Name: 'shop.example.com.', Type: 'A', AliasTarget: { HostedZoneId: 'ZLB', DNSName: 'LB.example.com.', EvaluateTargetHealth: false } }));
    await record.apply(contextOf(alias));
    expect(changes()[0]?.ResourceRecordSet).toEqual({ Name: 'shop.example.com', Type: 'A', AliasTarget: { HostedZoneId: 'ZLB', DNSName: 'lb.example.com', EvaluateTargetHealth: false } });
    expect((await record.verify(contextOf(alias), {}, undefined)).done).toBe(true);
  });

  test('a machine without an address fails before anything is changed', async () => {
    await expect(record.apply(contextOf({ ...config, values: [{ recovered: 'db' }] }))).rejects.toMatchObject({ name: 'CutoverAddressMissing', message: 'db/i-c has no private address.' });
    expect(changes()).toEqual([]);
  });

  test.each([['us-west-2', 'us-east-1'], ['us-gov-east-1', 'us-gov-west-1'], ['cn-north-1', 'cn-northwest-1']])('from %s the control plane is asked in %s', async (region, controlPlane) => {
    route53.on(ListResourceRecordSetsCommand).resolves(listed(was));
    await new RecordCutover(region).before(context);
    const [call] = route53.commandCalls(ListResourceRecordSetsCommand);
    expect(await (call!.thisValue as Route53Client).config.region()).toBe(controlPlane);
  });
});

interface StoredGroup {
  TrafficDialPercentage?: number;
  EndpointDescriptions: { EndpointId: string; Weight?: number; ClientIPPreservationEnabled?: boolean; HealthState?: string }[];
}

interface Update {
  EndpointGroupArn: string;
  TrafficDialPercentage: number;
  EndpointConfigurations: StoredGroup['EndpointDescriptions'];
}

describe('endpoint groups of Global Accelerator', () => {
  const [recovery, source] = ['arn:group/recovery', 'arn:group/source'];
  const config: AcceleratorCutoverConfig = {
    kind: 'accelerator', name: 'ga', timeoutSeconds: 60,
    groups: [
      { endpointGroupArn: recovery, trafficDial: 100, endpoints: [{ endpoint: { recovered: 'web' }, weight: 128 }, { endpoint: { value: 'arn:lb/standby' }, weight: 0 }] },
      { endpointGroupArn: source, trafficDial: 0, endpoints: [] },
    ],
  };
  const context = contextOf(config);
  const traffic = new AcceleratorCutover();

  function groups() {
    const stored: Record<string, StoredGroup> = {
      [recovery]: { TrafficDialPercentage: 0, EndpointDescriptions: [{ EndpointId: 'arn:lb/standby', Weight: 10, ClientIPPreservationEnabled: true, HealthState: 'HEALTHY' }, { EndpointId: 'arn:lb/other', Weight: 5 }] },
      [source]: { EndpointDescriptions: [{ EndpointId: 'arn:lb/source', Weight: 128 }] },
    };
    accelerator.on(DescribeEndpointGroupCommand).callsFake(({ EndpointGroupArn }: { EndpointGroupArn: string }) => ({ EndpointGroup: stored[EndpointGroupArn] }));
    accelerator.on(UpdateEndpointGroupCommand).callsFake(({ EndpointGroupArn, TrafficDialPercentage, EndpointConfigurations }: Update) => {
      stored[EndpointGroupArn] = { TrafficDialPercentage, EndpointDescriptions: EndpointConfigurations };
      return {};
    });
    return stored;
  }

  test('get dials and weights; what is not named stays', async () => {
    groups();
    const before = await traffic.before(context);
    await traffic.apply(context, before);
    expect(accelerator.commandCalls(UpdateEndpointGroupCommand).map(({ args }) => args[0].input)).toEqual([
      {
        EndpointGroupArn: recovery, TrafficDialPercentage: 100, EndpointConfigurations: [
          { EndpointId: 'arn:lb/standby', Weight: 0, ClientIPPreservationEnabled: true }, { EndpointId: 'arn:lb/other', Weight: 5 },
          { EndpointId: 'i-new-a', Weight: 128 }, { EndpointId: 'i-new-b', Weight: 128 },
        ],
      },
      { EndpointGroupArn: source, TrafficDialPercentage: 0, EndpointConfigurations: [{ EndpointId: 'arn:lb/source', Weight: 128 }] },
    ]);
    expect((await traffic.verify(context, before)).done).toBe(true);
  });

  test('are put back, also when only the first was changed', async () => {
    const stored = groups();
    const before = await traffic.before(context);
    accelerator.on(UpdateEndpointGroupCommand, { EndpointGroupArn: source }).rejectsOnce(refusal('TransactionInProgressException')).callsFake(({ EndpointGroupArn, TrafficDialPercentage, EndpointConfigurations }: Update) => {
      stored[EndpointGroupArn] = { TrafficDialPercentage, EndpointDescriptions: EndpointConfigurations };
      return {};
    });
    await expect(traffic.apply(context, before)).rejects.toMatchObject({ operation: 'UpdateEndpointGroup', kind: 'throttled' });
    expect(await traffic.verify(context, before)).toMatchObject({ done: false, detail: expect.stringContaining('source: dial 100 %') });
    expect((await traffic.rollBack(context, before)).done).toBe(true);
    expect(stored[recovery]!.EndpointDescriptions.map(({ EndpointId }) => EndpointId)).toEqual(['arn:lb/standby', 'arn:lb/other']);
    const calls = accelerator.commandCalls(UpdateEndpointGroupCommand).length;
    await traffic.rollBack(context, before);
    expect(accelerator.commandCalls(UpdateEndpointGroupCommand)).toHaveLength(calls);
  });

  test('its control plane is in us-west-2', async () => {
    groups();
    await traffic.before(context);
    expect(await (accelerator.commandCalls(DescribeEndpointGroupCommand)[0]!.thisValue as GlobalAcceleratorClient).config.region()).toBe('us-west-2');
  });
});

describe('a function', () => {
  const config: LambdaCutoverConfig = { kind: 'lambda', name: 'switch', timeoutSeconds: 30, functionArn: 'arn:switch', payload: { zone: 'a' } };

  test('is told what to do, with what it read', async () => {
    const functions = new FakeFunctions();
    functions.answer = (_arn, { action }) => ({ payload: action === 'read' ? { side: 'source' } : { passed: action !== 'verify', detail: 'not yet' } });
    const traffic = new FunctionCutover(functions);
    const context = contextOf(config);
    const before = await traffic.before(context);
    await traffic.apply(context, before);
    expect(await traffic.verify(context, before)).toEqual({ done: false, detail: 'not yet' });
    expect((await traffic.rollBack(context, before)).done).toBe(true);
    expect(functions.events.map(({ payload }) => payload.action)).toEqual(['read', 'apply', 'verify', 'roll-back']);
    expect(functions.events[1]).toMatchObject({ arn: 'arn:switch', timeoutMs: 30_000, payload: { zone: 'a', cutover: 'switch', runId: 'run-1', idempotencyKey: 'run-1/cutover/x/1', before: { side: 'source' } } });
    expect(functions.events[1]!.payload.members).toHaveLength(3);
  });

  test('that throws refuses; that answers nothing has not passed', async () => {
    const functions = new FakeFunctions();
    const traffic = new FunctionCutover(functions);
    functions.answer = () => ({ payload: undefined });
    expect(await traffic.before(contextOf(config))).toBeNull();
    expect((await traffic.verify(contextOf(config), null)).done).toBe(false);
    functions.answer = () => ({ payload: {}, error: 'Unhandled: no' });
    await expect(traffic.apply(contextOf(config), null)).rejects.toMatchObject({ kind: 'invalid', message: 'apply of switch: FunctionError: Unhandled: no' });
  });
});
