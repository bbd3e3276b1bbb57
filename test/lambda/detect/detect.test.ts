import type { DetectConfig, DetectorConfig } from '../../../lambda/core/detection-config';
import type { DecisionKind, SignalStatus } from '../../../lambda/core/detector';
import { FIRST_LEASE } from '../../../lambda/core/lease';
import { detect, type DetectPorts } from '../../../lambda/detect/detect';
import type { Metric } from '../../../lambda/runtime/metrics';
import { FakeClock } from '../fakes/clock';
import { FakeDetectionStore, FakeMonitoring, FakeNotifications, FakeStarter, FakeStatuses } from '../fakes/detection';
import { Killed, Lifeline, type KillAt } from '../fakes/lifeline';
import { FakeExecutions, FakeFunctions } from '../fakes/services';

const RUN = 'arn:aws:states:us-west-2:1:stateMachine:disaster-recovery-shop-run';
const APPROVAL = 'arn:aws:states:us-west-2:1:stateMachine:disaster-recovery-shop-approval';
const TOPIC = 'arn:aws:sns:us-west-2:1:operators';

function detector(mode: DecisionKind, change: Partial<DetectorConfig> = {}): DetectorConfig {
  const signals = ['front', 'back'].map((name) => ({ kind: 'lambda' as const, name, functionArn: name, timeoutMs: 1000 }));
  return {
    name: 'project', signals, expiresSeconds: 3600,
    policy: {
      project: 'shop', scope: 'project', signals: signals.map(({ name }) => name), quorum: 2, consecutiveFailures: 2, recoveryAfter: 2, unknown: 'ignored', mode,
      maintenanceWindows: [], cooldownSeconds: 0, spacingSeconds: 30, gapSeconds: 300,
    },
    ...change,
  };
}

function setting(...detectors: DetectorConfig[]) {
  const clock = new FakeClock();
  const store = new FakeDetectionStore();
  const parts = { store, starter: new FakeStarter(), notifications: new FakeNotifications(), functions: new FakeFunctions(), executions: new FakeExecutions(), metrics: [] as Metric[], clock };
  const config: DetectConfig = { project: 'shop', recoveryRegion: 'us-west-2', detectors, runMachineArn: RUN, approvalMachineArn: APPROVAL, topicArn: TOPIC };
  const status: Record<string, SignalStatus> = { front: 'healthy', back: 'healthy' };
  parts.functions.answer = (arn) => ({ payload: { status: status[arn], detail: `${arn} is ${status[arn]}` } });
  const ports: DetectPorts = {
    members: { members: () => Promise.resolve([]) }, reports: store, instances: new FakeStatuses(), monitoring: new FakeMonitoring(), functions: parts.functions,
    starter: parts.starter, notifications: parts.notifications, detectors: store, leases: store, executions: parts.executions,
  };
  const tools = () => clock.tools({ metrics: (some) => void parts.metrics.push(...some) });
  const tick = (change: Partial<DetectPorts> = {}, given: Partial<DetectConfig> = {}) => {
    clock.advance(60);
    return detect({ config: { ...config, ...given } }, { ...ports, ...change }, tools());
  };
  const fail = (to: SignalStatus = 'unhealthy') => Object.assign(status, { front: to, back: to });
  const ticks = async (count: number) => {
    for (let index = 0; index < count; index += 1) await tick();
  };
  return { ...parts, config, ports, tick, ticks, fail, status, tools };
}

describe('automatic', () => {
  test('starts one run for the incident, named after it, and tells people what was seen', async () => {
    const { tick, ticks, fail, store, starter, notifications } = setting(detector('automatic'));
    await ticks(3);
    fail();
    await ticks(1);
    expect(starter.calls).toBe(0);
    const [result] = await tick();
    await ticks(20);
    const { id } = store.states.get('project')!.incident!;
    expect(result).toMatchObject({ outcome: 'evaluated', unhealthy: ['front', 'back'], incident: id, action: `execution incident-${id} was started` });
    expect([...starter.started]).toEqual([[`${RUN}|incident-${id}`, { mode: 'failover', requestedBy: 'detector project' }]]);
    expect(starter.calls).toBe(1);
    expect(notifications.published).toHaveLength(1);
    expect(notifications.published[0]).toMatchObject({ topicArn: TOPIC, subject: `[shop] Failover by policy: incident ${id}`, message: expect.stringContaining('- front: unhealthy at 2030-01-01T00:05:00.000Z: front is unhealthy') });
  });

  test('of endpoints fails over those only', async () => {
    const { ticks, fail, starter } = setting(detector('automatic', { name: 'web', endpoints: ['web', 'app'] }));
    fail();
    await ticks(3);
    expect([...starter.started.values()]).toEqual([{ mode: 'failover', requestedBy: 'detector web', endpoints: ['web', 'app'] }]);
  });

  test('goes on without a topic, and when nobody can be told', async () => {
    const { tick, fail, starter, notifications } = setting(detector('automatic'));
    fail();
    notifications.fail = new Error('denied');
    await tick();
    await tick();
    expect(starter.started.size).toBe(1);
    const other = setting(detector('automatic'));
    other.fail();
    for (let index = 0; index < 3; index += 1) await other.tick({}, { topicArn: undefined });
    expect(other.starter.started.size).toBe(1);
    expect(other.notifications.published).toEqual([]);
  });

  test('a start that fails is tried again with the same name, unless the source has recovered', async () => {
    const { tick, ticks, fail, starter, store } = setting(detector('automatic'));
    fail();
    starter.fail = new Error('throttled');
    await tick();
    await expect(tick()).rejects.toThrow('throttled');
    await expect(tick()).rejects.toThrow('throttled');
    const { id } = store.states.get('project')!.incident!;
    starter.fail = undefined;
    await tick();
    expect([...starter.started.keys()]).toEqual([`${RUN}|incident-${id}`]);

    const other = setting(detector('automatic'));
    other.fail();
    other.starter.fail = new Error('throttled');
    await other.tick();
    await expect(other.tick()).rejects.toThrow();
    other.starter.fail = undefined;
    other.fail('healthy');
    await other.ticks(5);
    expect(other.starter.started.size).toBe(0);
    await ticks(1);
  });

  test('not while the recovery side is active, nor while a run is at work; a run that died does not hold it', async () => {
    const { tick, ticks, fail, store, starter, executions } = setting(detector('automatic'));
    fail();
    store.current = { ...FIRST_LEASE, active: 'recovery' };
    await ticks(4);
    expect((await tick())[0]).toMatchObject({ heldBy: 'the recovery side is active' });
    store.current = { ...FIRST_LEASE, holder: { runId: 'r1', executionArn: 'arn:r1', mode: 'failover', since: '' } };
    executions.running.add('arn:r1');
    expect((await tick())[0]).toMatchObject({ heldBy: 'recovery run r1 is under way' });
    expect(starter.calls).toBe(0);
    executions.running.clear();
    await tick();
    expect(starter.calls).toBe(1);
  });
});

describe('other modes', () => {
  test('approval starts the question with all that a person needs, and no run', async () => {
    const { ticks, fail, starter, notifications, store } = setting(detector('approval'));
    fail();
    await ticks(5);
    const { id } = store.states.get('project')!.incident!;
    expect([...starter.started]).toEqual([[`${APPROVAL}|incident-${id}`, {
      incidentId: id, detector: 'project', scope: 'project', decidedAt: '2030-01-01T00:02:00.000Z', expiresSeconds: 3600, request: { mode: 'failover', requestedBy: 'detector project' },
      seen: [expect.objectContaining({ signal: 'front', status: 'unhealthy' }), expect.objectContaining({ signal: 'back' })],
    }]]);
    expect(notifications.published).toEqual([]);
  });

  test('approval without its workflow is said to be missing', async () => {
    const { tick, fail } = setting(detector('approval'));
    fail();
    await tick();
    await expect(tick({}, { approvalMachineArn: undefined })).rejects.toMatchObject({ name: 'NotConfigured' });
  });

  test('notify tells people once, with the command, and starts nothing', async () => {
    const { ticks, fail, starter, notifications } = setting(detector('notify', { endpoints: ['web'] }));
    fail();
    await ticks(9);
    expect(starter.calls).toBe(0);
    expect(notifications.published).toHaveLength(1);
    expect(notifications.published[0]!.message).toContain(`--state-machine-arn ${RUN} --input '{"mode":"failover","endpoints":["web"],"requestedBy":"<you>"}'`);
  });

  test('a notification that fails is tried again', async () => {
    const { tick, fail, notifications } = setting(detector('notify'));
    fail();
    notifications.fail = new Error('denied');
    await tick();
    await expect(tick()).rejects.toThrow('denied');
    notifications.fail = undefined;
    await tick();
    expect(notifications.published).toHaveLength(1);
    const silent = setting(detector('notify'));
    silent.fail();
    await silent.tick();
    await expect(silent.tick({}, { topicArn: undefined })).rejects.toMatchObject({ name: 'NotConfigured' });
  });
});

describe('whatever happens', () => {
  test('a delivery that is repeated is not counted', async () => {
    const { tick, clock, ports, config, tools, fail, starter } = setting(detector('automatic'));
    fail();
    await tick();
    clock.advance(2);
    expect(await detect({ config }, ports, tools())).toEqual([{ name: 'project', outcome: 'repeated', unhealthy: [], unknown: [] }]);
    expect(starter.calls).toBe(0);
  });

  test('of two evaluations at once one counts and one decides', async () => {
    const { tick, clock, ports, config, tools, fail, starter, store } = setting(detector('automatic'));
    fail();
    await tick();
    clock.advance(60);
    const outcomes = (await Promise.all([detect({ config }, ports, tools()), detect({ config }, ports, tools())])).flat().map(({ outcome }) => outcome);
    expect(outcomes.sort()).toEqual(['evaluated', 'superseded']);
    expect(starter.calls).toBe(1);
    expect(store.states.get('project')!.signals.front!.failures).toBe(2);
  });

  test('a detector that fails does not keep the others from their work, and is silent', async () => {
    const broken = detector('automatic', { name: 'broken', policy: { ...detector('automatic').policy, scope: 'broken' } });
    const { tick, ports, metrics, store } = setting(detector('automatic'), broken);
    const detectors: DetectPorts['detectors'] = {
      detector: (scope) => (scope === 'broken' ? Promise.reject(new Error('denied')) : ports.detectors.detector(scope)),
      saveDetector: (...given) => ports.detectors.saveDetector(...given),
    };
    await expect(tick({ detectors })).rejects.toThrow('denied');
    expect(store.states.has('project')).toBe(true);
    expect(metrics.map(({ name }) => name)).toEqual(['UnhealthySignals', 'UnknownSignals']);
    await expect(tick({ detectors: { ...detectors, detector: () => Promise.reject(new Error('gone')) } })).rejects.toThrow('Error: gone; Error: gone');
  });

  test('each look is counted, with what it found', async () => {
    const { tick, metrics, status } = setting(detector('automatic'));
    Object.assign(status, { front: 'unhealthy', back: 'unknown' });
    await tick();
    expect(metrics).toEqual([{ name: 'UnhealthySignals', value: 1, unit: 'Count' }, { name: 'UnknownSignals', value: 1, unit: 'Count' }, { name: 'DetectorRuns', value: 1, unit: 'Count' }]);
  });

  test('killed at any call, one run is started and no second one', async () => {
    const calls = await killed();
    for (let call = 1; call <= calls; call += 1) for (const when of ['before', 'after'] as const) await killed({ call, when });
    expect(calls).toBeGreaterThan(6);
  });
});

/** The tick that decides is killed, and the next ones go on. Answers how many calls it made. */
async function killed(killAt?: KillAt): Promise<number> {
  const { tick, ticks, fail, ports, starter } = setting(detector('automatic'));
  fail();
  await ticks(1);
  const life = new Lifeline(killAt);
  await tick(life.wrapAll(ports as unknown as Record<string, object>) as unknown as DetectPorts).catch((error: unknown) => {
    // Signals take errors for unknown.
    if (!(error instanceof Killed)) throw error;
  });
  await ticks(4);
  expect([...starter.started.keys()]).toHaveLength(1);
  return life.calls;
}
