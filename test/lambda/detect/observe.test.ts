import { RefusedCall } from '../../../lambda/adapters/errors';
import type { SignalConfig } from '../../../lambda/core/detection-config';
import type { EndpointMember } from '../../../lambda/core/model';
import { observe, type ObservePorts } from '../../../lambda/detect/observe';
import { recordReport } from '../../../lambda/detect/report';
import { FakeDetectionStore, FakeMonitoring, FakeStatuses, memberOf } from '../fakes/detection';
import { FakeClock } from '../fakes/clock';
import { FakeFunctions } from '../fakes/services';

const NOW = '2030-01-01T12:00:00.000Z';
const ago = (seconds: number): string => new Date(Date.parse(NOW) - seconds * 1000).toISOString();

function setting() {
  const store = new FakeDetectionStore();
  const given = { store, members: [] as EndpointMember[], instances: new FakeStatuses(), monitoring: new FakeMonitoring(), functions: new FakeFunctions() };
  const ports: ObservePorts = { members: { members: () => Promise.resolve(given.members) }, reports: store, instances: given.instances, monitoring: given.monitoring, functions: given.functions };
  const look = (signal: Partial<SignalConfig> & { kind: SignalConfig['kind'] }) => observe({ name: 's', timeoutMs: 50, ...signal } as SignalConfig, ports, 'shop', NOW);
  return { ...given, given, ports, look };
}

const gone = new RefusedCall('Describe', 'unreachable', 'TimeoutError', 'no answer');

describe('EC2 status checks', () => {
  const signal = { kind: 'instance-status', endpoint: 'web', minHealthy: 2 } as const;
  const health = async (...states: ('healthy' | 'initializing' | 'impaired' | 'not-running')[]) => {
    const { given, instances, look } = setting();
    given.members.push(...states.map((state, index) => {
      instances.health.set(`i-${index}`, state);
      return memberOf({ instanceId: `i-${index}` });
    }), memberOf({ endpoint: 'db', instanceId: 'i-db' }), memberOf({ instanceId: 'i-gone', missingSince: ago(60) }));
    return look(signal);
  };

  test.each([
    [['healthy', 'healthy', 'impaired'], 'healthy'], [['healthy', 'impaired', 'not-running'], 'unhealthy'], [['healthy', 'initializing'], 'unknown'], [['initializing', 'impaired'], 'unhealthy'],
  ] as const)('%j is %s where 2 must pass', async (states, status) => {
    expect(await health(...states)).toMatchObject({ status });
  });

  test('says which machines do not pass', async () => {
    expect((await health('healthy', 'impaired', 'not-running')).detail).toBe("1 of 3 machines pass EC2's checks, 2 must: i-1 impaired, i-2 not-running");
  });

  test('without machines is unknown', async () => {
    expect(await setting().look(signal)).toMatchObject({ status: 'unknown', detail: 'discovery knows no machine of endpoint web' });
  });
});

describe('heartbeats of agents', () => {
  const look = (beats: FakeDetectionStore['beats'], endpoint?: string) => {
    const { store, look: observed } = setting();
    store.beats = beats;
    return observed({ kind: 'heartbeat', maxAgeSeconds: 120, endpoint });
  };

  test('none is unknown, the newest counts', async () => {
    expect(await look([])).toMatchObject({ status: 'unknown', detail: 'no agent has reported' });
    expect(await look([{ agent: 'a', at: ago(600) }, { agent: 'b', at: ago(120) }])).toMatchObject({ status: 'healthy', detail: 'agent b reported 120 s ago' });
    expect(await look([{ agent: 'a', at: ago(600) }, { agent: 'b', at: ago(121) }])).toMatchObject({ status: 'unhealthy' });
  });

  test('of one endpoint', async () => {
    const beats = [{ agent: 'a', endpoint: 'erp', at: ago(600) }, { agent: 'b', endpoint: 'web', at: ago(1) }];
    expect(await look(beats, 'erp')).toMatchObject({ status: 'unhealthy' });
    expect(await look(beats, 'other')).toMatchObject({ status: 'unknown' });
  });
});

test.each([[[100, 300], 'healthy'], [[100, 301], 'unhealthy'], [[], 'unknown']] as const)('replication lags of %j s are %s where 300 s are allowed', async (lags, status) => {
  const { given, look } = setting();
  given.members.push(...lags.map((lag, index) => memberOf({ memberId: `m${index}`, newestPointAt: ago(lag) })));
  expect(await look({ kind: 'replication-lag', atMostSeconds: 300 })).toMatchObject({ status });
});

describe('metrics', () => {
  const signal = { kind: 'metric', region: 'us-east-1', namespace: 'N', metricName: 'Errors', dimensions: {}, statistic: 'Sum', periodSeconds: 60, threshold: 5, missing: 'unknown' } as const;
  test.each([['>', 5, 'healthy'], ['>', 6, 'unhealthy'], ['>=', 5, 'unhealthy'], ['<', 5, 'healthy'], ['<', 4, 'unhealthy'], ['<=', 5, 'unhealthy']] as const)('unhealthy when %s 5: %i is %s', async (unhealthyWhen, value, status) => {
    const { monitoring, look } = setting();
    monitoring.value = { value, at: ago(60) };
    expect(await look({ ...signal, unhealthyWhen })).toMatchObject({ status });
  });

  test.each(['healthy', 'unhealthy', 'unknown'] as const)('without a value it is what was said: %s', async (missing) => {
    expect(await setting().look({ ...signal, unhealthyWhen: '>', missing })).toMatchObject({ status: missing });
  });
});

describe('alarms', () => {
  const signal = { kind: 'alarm', region: 'us-east-1', alarmName: 'a' } as const;
  test.each([['OK', 'healthy'], ['ALARM', 'unhealthy'], ['INSUFFICIENT_DATA', 'unknown']] as const)('%s is %s', async (state, status) => {
    const { monitoring, look } = setting();
    monitoring.state = { state, reason: 'why' };
    expect(await look(signal)).toMatchObject({ status, detail: `a is ${state}: why` });
  });

  test('one that does not exist is unknown', async () => {
    expect(await setting().look(signal)).toMatchObject({ status: 'unknown', detail: 'there is no alarm a in us-east-1' });
  });
});

describe('patterns in logs', () => {
  const signal = { kind: 'log-pattern', region: 'us-east-1', alarmName: 'dr-log', rememberSeconds: 900 } as const;
  const event = (value: string, at: string) => ({ time: at, region: 'us-east-1', detail: { alarmName: 'dr-log', state: { value, reason: 'disk failure', timestamp: at.replace('Z', '+0000') } } });
  const record = (store: FakeDetectionStore, value: string, at: string) => recordReport(event(value, at), { reports: store }, new FakeClock(NOW).tools());

  test('what the source Region says counts', async () => {
    const { store, monitoring, look } = setting();
    await record(store, 'ALARM', ago(30));
    monitoring.state = { state: 'OK', reason: '' };
    expect(await look(signal)).toMatchObject({ status: 'healthy' });
  });

  test('a failure that was forwarded counts for a while when the Region cannot be asked any more', async () => {
    const { store, monitoring, look } = setting();
    monitoring.fail = gone;
    expect(await look(signal)).toMatchObject({ status: 'unknown' });
    await record(store, 'ALARM', ago(900));
    expect(await look(signal)).toMatchObject({ status: 'unhealthy', detail: expect.stringContaining('disk failure') });
    expect(await look({ ...signal, rememberSeconds: 899 })).toMatchObject({ status: 'unknown' });
    await record(store, 'OK', ago(60));
    expect(await look(signal)).toMatchObject({ status: 'unknown' });
  });

  test('events that overtake each other: the later one stays', async () => {
    const { store } = setting();
    await record(store, 'OK', ago(10));
    await record(store, 'ALARM', ago(60));
    await record(store, 'INSUFFICIENT_DATA', ago(5));
    expect(store.reports.get('dr-log')).toMatchObject({ status: 'unknown', at: ago(5) });
  });

  test('a time that cannot be read is now', async () => {
    const { store } = setting();
    await recordReport({ time: 'then', detail: { alarmName: 'x', state: { value: 'OK' } } }, { reports: store }, new FakeClock(NOW).tools());
    expect(store.reports.get('x')).toMatchObject({ status: 'healthy', at: NOW });
  });
});

describe('functions', () => {
  const signal = { kind: 'lambda', functionArn: 'arn:f', payload: { tier: 1 } } as const;
  test.each([
    [{ payload: { status: 'unhealthy', detail: 'slow' } }, 'unhealthy', 'slow'], [{ payload: { healthy: true } }, 'healthy', ''], [{ payload: { healthy: false, detail: { a: 1 } } }, 'unhealthy', '{"a":1}'],
    [{ payload: 'yes' }, 'unknown', 'the function answered "yes", not { status } or { healthy }'], [{ payload: undefined, error: 'Unhandled: x' }, 'unknown', 'the function failed: Unhandled: x'],
  ])('%j is %s', async (answer, status, detail) => {
    const { functions, look } = setting();
    functions.answer = () => answer;
    expect(await look(signal)).toMatchObject({ status, detail });
    expect(functions.events[0]).toMatchObject({ arn: 'arn:f', payload: { tier: 1, project: 'shop', signal: 's' }, timeoutMs: 50 });
  });

  test('probe from inside a VPC where that was asked for; a function that fails says nothing about what it probes', async () => {
    const { functions, look } = setting();
    const probe = { kind: 'tcp', host: '10.0.0.1', port: 5432, via: 'arn:probe' } as const;
    functions.answer = () => ({ payload: { status: 'unhealthy', detail: 'no answer' } });
    expect(await look(probe)).toMatchObject({ status: 'unhealthy', detail: 'no answer' });
    expect(functions.events[0]!.payload).toEqual({ signal: { kind: 'tcp', name: 's', host: '10.0.0.1', port: 5432, timeoutMs: 50, via: undefined } });
    functions.answer = () => ({ payload: undefined, error: 'Unhandled' });
    expect(await look(probe)).toMatchObject({ status: 'unknown' });
    functions.answer = () => ({ payload: null });
    expect(await look(probe)).toMatchObject({ status: 'unknown' });
  });
});

describe('whatever cannot be read is unknown, and says why', () => {
  const kinds: (Partial<SignalConfig> & { kind: SignalConfig['kind'] })[] = [
    { kind: 'http', url: 'https://shop.example' }, { kind: 'tcp', host: 'h', port: 1 }, { kind: 'instance-status', endpoint: 'web', minHealthy: 1 }, { kind: 'heartbeat', maxAgeSeconds: 1 },
    { kind: 'replication-lag', atMostSeconds: 1 }, { kind: 'metric', region: 'r' }, { kind: 'alarm', region: 'r' }, { kind: 'log-pattern', region: 'r' }, { kind: 'lambda', functionArn: 'a' },
  ];
  const all = (fail: () => Promise<never>): ObservePorts => ({
    members: { members: fail }, reports: { heartbeats: fail, report: fail }, instances: { healthOf: fail }, monitoring: { newestValue: fail, alarm: fail }, functions: { invoke: fail }, probe: fail,
  });

  test.each(kinds)('$kind: an error', async (signal) => {
    const seen = await observe({ name: 's', timeoutMs: 50, ...signal } as SignalConfig, all(() => Promise.reject(gone)), 'shop', NOW);
    expect(seen).toEqual({ signal: 's', status: 'unknown', at: NOW, detail: expect.stringContaining('no answer') });
  });

  test('a reading that never ends is left alone after its time-out', async () => {
    const never = all(() => new Promise<never>(() => undefined));
    expect(await observe({ name: 's', kind: 'heartbeat', maxAgeSeconds: 1, timeoutMs: 1 }, never, 'shop', NOW)).toMatchObject({ status: 'unknown', detail: 'could not be read in 1 ms' });
  });

  test('details are bounded', async () => {
    const { functions, look } = setting();
    functions.answer = () => ({ payload: { status: 'healthy', detail: 'x'.repeat(10_000) } });
    expect((await look({ kind: 'lambda', functionArn: 'a' })).detail).toHaveLength(300);
  });
});
