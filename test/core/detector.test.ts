import fc from 'fast-check';
import {
  acted, decide, INITIAL_STATE, type Decision, type DetectionPolicy, type DetectorState, type Observation, type SignalStatus,
} from '../../lambda/core/detector';

const START = Date.parse('2030-01-07T00:00:00Z'); // a Monday
const MINUTE = 60;
const at = (seconds: number): string => new Date(START + seconds * 1000).toISOString();

function policy(change: Partial<DetectionPolicy> = {}): DetectionPolicy {
  return {
    project: 'shop', scope: 'project', signals: ['a', 'b', 'c'], quorum: 2, consecutiveFailures: 3, recoveryAfter: 2, unknown: 'ignored', mode: 'automatic',
    maintenanceWindows: [], cooldownSeconds: 0, spacingSeconds: 30, gapSeconds: 300, ...change,
  };
}

const seen = (statuses: readonly SignalStatus[], now: string): Observation[] =>
  statuses.map((status, index) => ({ signal: 'abcdefgh'[index]!, status, at: now, detail: status }));

interface Tick {
  readonly statuses: readonly SignalStatus[];
  /** Since the tick before. @default one minute */
  readonly gap?: number;
  readonly standby?: string;
  /** The detector is killed between its decision and the act. */
  readonly killed?: boolean;
}

interface Step { readonly index: number; readonly now: string; readonly before: DetectorState; readonly state: DetectorState; readonly decision?: Decision }

/** Runs ticks as the detector does: what is decided is acted upon and noted, unless it is killed. */
function run(ticks: readonly Tick[], given: DetectionPolicy, from = INITIAL_STATE): Step[] {
  let state = from;
  let seconds = state.at === undefined ? 0 : (Date.parse(state.at) - START) / 1000;
  return ticks.map((tick, index) => {
    seconds += tick.gap ?? MINUTE;
    const now = at(seconds);
    const before = state;
    const { state: next, decision } = decide(state, seen(tick.statuses, now), given, { now, standby: tick.standby });
    state = decision === undefined || tick.killed ? next : acted(next, decision, 'started', now);
    return { index, now, before, state, decision };
  });
}

const times = (count: number, ...statuses: SignalStatus[]): Tick[] => Array.from({ length: count }, () => ({ statuses }));
const decisions = (steps: readonly Step[]): Step[] => steps.filter(({ decision }) => decision);
const ids = (steps: readonly Step[]): string[] => [...new Set(decisions(steps).map(({ decision }) => decision!.incidentId))];

const status = fc.constantFrom<SignalStatus>('healthy', 'unhealthy', 'unknown');
/** Mostly failing, mostly healthy or mixed, so that both incidents and their ends are common. */
const statuses = fc.oneof(
  fc.tuple(status, status, status), fc.constant<SignalStatus[]>(['unhealthy', 'unhealthy', 'unhealthy']), fc.constant<SignalStatus[]>(['healthy', 'healthy', 'healthy']),
);
const tick: fc.Arbitrary<Tick> = fc.record({
  statuses,
  gap: fc.oneof({ weight: 8, arbitrary: fc.constant(MINUTE) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 29 }) }, { weight: 1, arbitrary: fc.integer({ min: 31, max: 900 }) }),
  standby: fc.option(fc.constant('the recovery side is active'), { nil: undefined, freq: 10 }),
  killed: fc.boolean(),
});
const ticks = fc.array(tick, { minLength: 1, maxLength: 80 });
const policies: fc.Arbitrary<DetectionPolicy> = fc.record({
  quorum: fc.integer({ min: 1, max: 3 }),
  consecutiveFailures: fc.integer({ min: 1, max: 4 }),
  recoveryAfter: fc.integer({ min: 1, max: 4 }),
  unknown: fc.constantFrom('healthy' as const, 'unhealthy' as const, 'ignored' as const),
  mode: fc.constantFrom('automatic' as const, 'approval' as const, 'notify' as const),
  cooldownSeconds: fc.constantFrom(0, 600, 3600),
  maxActions: fc.option(fc.record({ count: fc.integer({ min: 1, max: 2 }), seconds: fc.constantFrom(1800, 86_400) }), { nil: undefined }),
  maintenanceWindows: fc.constantFrom([], [{ startUtc: '00:20', durationMinutes: 15 }]),
}).map((change) => policy(change));

const always = (check: (given: DetectionPolicy, steps: Step[]) => void, numRuns = 800): void => {
  fc.assert(fc.property(policies, ticks, (given, all) => { check(given, run(all, given)); }), { numRuns });
};

describe('under any sequence', () => {
  test('one incident has one decision, given again only until it is acted upon', () => {
    always((_given, steps) => {
      const byIncident = new Map<string, Decision>();
      for (const { decision, before } of decisions(steps)) {
        const first = byIncident.get(decision!.incidentId) ?? decision!;
        expect(decision).toEqual(first);
        byIncident.set(first.incidentId, first);
        if (before.incident?.id === first.incidentId) expect(before.incident.acted).toBeUndefined();
      }
    });
  });

  test('a decision needs a quorum of signals that each failed that often in a row, at that very time', () => {
    always((given, steps) => {
      for (const { index, decision, state } of decisions(steps)) {
        const counted = steps.slice(0, index + 1).filter((step) => step.state !== step.before);
        const failing = given.signals.filter((name) => {
          const last = counted.map(({ state: { signals } }) => signals[name]!.last.status).filter((one) => one !== 'unknown' || given.unknown !== 'ignored').slice(-given.consecutiveFailures);
          return last.length === given.consecutiveFailures && last.every((one) => one === 'unhealthy' || (one === 'unknown' && given.unknown === 'unhealthy'));
        });
        expect(failing.length).toBeGreaterThanOrEqual(given.quorum);
        expect(state.incident?.id).toBe(decision!.incidentId);
      }
    });
  });

  test('no flapping: from one decision to the next lies a recovery, a new failure and the cooldown', () => {
    always((given, steps) => {
      const first = decisions(steps).filter(({ decision, before }) => before.incident?.decision?.incidentId !== decision!.incidentId);
      first.slice(1).forEach((next, place) => {
        const previous = first[place]!;
        const between = steps.slice(previous.index + 1, next.index + 1).filter((step) => step.state !== step.before);
        expect(between.length).toBeGreaterThanOrEqual(given.recoveryAfter + given.consecutiveFailures);
        expect(between.some(({ state }) => state.incident === undefined)).toBe(true);
        expect((Date.parse(next.now) - Date.parse(previous.now)) / 1000).toBeGreaterThanOrEqual(given.cooldownSeconds);
      });
    });
  });

  test('nothing is decided in a maintenance window, nor while the recovery side is active', () => {
    fc.assert(fc.property(policies, ticks, (given, all) => {
      for (const { index, now } of decisions(run(all, given))) {
        expect(all[index]!.standby).toBeUndefined();
        if (given.maintenanceWindows.length > 0) expect(now.slice(11, 16) >= '00:20' && now.slice(11, 16) < '00:35').toBe(false);
      }
    }), { numRuns: 500 });
  });

  test('no period has more automatic decisions than the policy allows; what is beyond is told to people', () => {
    always((given, steps) => {
      const { maxActions } = given;
      const automatic = new Map(decisions(steps).filter(({ decision }) => decision!.kind === 'automatic').map(({ decision }) => [decision!.incidentId, Date.parse(decision!.at)]));
      for (const { decision } of decisions(steps)) {
        if (decision!.kind !== given.mode) expect([decision!.kind, given.mode, maxActions === undefined]).toEqual(['notify', 'automatic', false]);
      }
      if (maxActions === undefined) return;
      for (const from of automatic.values()) {
        expect([...automatic.values()].filter((time) => time >= from && time < from + maxActions.seconds * 1000).length).toBeLessThanOrEqual(maxActions.count);
      }
    });
  });

  test('versions grow by one with each write, and the state is JSON', () => {
    always((_given, steps) => {
      for (const { before, state, decision } of steps) {
        expect([0, 1, ...(decision ? [2] : [])]).toContain(state.version - before.version);
        expect(JSON.parse(JSON.stringify(state))).toEqual(JSON.parse(JSON.stringify(structuredClone(state))));
      }
    }, 200);
  });

  test('below the quorum nothing is ever decided', () => {
    const one = fc.array(fc.tuple(status, fc.constantFrom<SignalStatus>('healthy', 'unknown'), fc.constantFrom<SignalStatus>('healthy', 'unknown')), { maxLength: 60 });
    fc.assert(fc.property(one, fc.integer({ min: 1, max: 4 }), fc.constantFrom('healthy' as const, 'ignored' as const), (all, consecutiveFailures, unknown) => {
      expect(decisions(run(all.map((statuses) => ({ statuses })), policy({ consecutiveFailures, unknown })))).toEqual([]);
    }), { numRuns: 500 });
  });

  test('an observation that changes no count decides nothing: a quorum of the unknown, ignored or held for healthy', () => {
    for (const unknown of ['ignored', 'healthy'] as const) expect(decisions(run(times(50, 'unknown', 'unknown', 'unknown'), policy({ unknown })))).toEqual([]);
  });
});

describe('the decision', () => {
  test('comes with the observation that completes the quorum, and carries what was seen', () => {
    const steps = run([...times(2, 'unhealthy', 'healthy', 'healthy'), ...times(4, 'unhealthy', 'unhealthy', 'healthy')], policy());
    expect(decisions(steps).map(({ index }) => index)).toEqual([4]);
    expect(steps[4]!.decision).toMatchObject({ kind: 'automatic', at: steps[4]!.now, seen: [{ signal: 'a', status: 'unhealthy' }, { signal: 'b', status: 'unhealthy' }, { signal: 'c', status: 'healthy' }] });
    expect(steps[4]!.decision!.incidentId).toMatch(/^20300107t000500z-[0-9a-f]{8}$/);
  });

  test('is the only one while the failure lasts', () => {
    expect(ids(run(times(500, 'unhealthy', 'unhealthy', 'unhealthy'), policy()))).toHaveLength(1);
    expect(decisions(run(times(500, 'unhealthy', 'unhealthy', 'unhealthy'), policy()))).toHaveLength(1);
  });

  test('is given again, the same, after the detector was killed before it acted', () => {
    const steps = run([...times(2, 'unhealthy', 'unhealthy'), { statuses: ['unhealthy', 'unhealthy'], killed: true }, ...times(3, 'unhealthy', 'unhealthy')], policy());
    expect(decisions(steps).map(({ index }) => index)).toEqual([2, 3]);
    expect(steps[3]!.decision).toEqual(steps[2]!.decision);
  });

  test('that was not acted upon is dropped when the source has recovered', () => {
    const steps = run([...times(2, 'unhealthy', 'unhealthy'), { statuses: ['unhealthy', 'unhealthy'], killed: true }, ...times(5, 'healthy', 'healthy')], policy());
    expect(decisions(steps)).toHaveLength(1);
    expect(steps.at(-1)!.state.incident).toBeUndefined();
  });

  test('a second failure after a recovery is a second incident', () => {
    const failure = times(3, 'unhealthy', 'unhealthy', 'healthy');
    expect(ids(run([...failure, ...times(2, 'healthy', 'healthy', 'healthy'), ...failure], policy()))).toHaveLength(2);
    expect(ids(run([...failure, ...times(1, 'healthy', 'healthy', 'healthy'), ...failure], policy()))).toHaveLength(1);
  });

  test('one recovered signal of the quorum ends the incident, one that never failed does not', () => {
    const failure = times(3, 'unhealthy', 'unhealthy', 'healthy');
    expect(run([...failure, ...times(2, 'unhealthy', 'healthy', 'healthy')], policy()).at(-1)!.state.incident).toBeUndefined();
    expect(run([...failure, ...times(9, 'unhealthy', 'unhealthy', 'healthy')], policy()).at(-1)!.state.incident).toBeDefined();
  });
});

describe('unknown counts as the policy says', () => {
  const dark = times(6, 'unknown', 'unknown', 'unknown');
  test.each([['unhealthy', 1], ['healthy', 0], ['ignored', 0]] as const)('%s', (unknown, count) => {
    expect(ids(run(dark, policy({ unknown })))).toHaveLength(count);
  });

  test('ignored ones neither add to a row nor break it', () => {
    const mixed: Tick[] = ['unhealthy', 'unknown', 'unhealthy', 'unknown', 'unhealthy'].map((one) => ({ statuses: [one, one, 'healthy'] as SignalStatus[] }));
    expect(decisions(run(mixed, policy())).map(({ index }) => index)).toEqual([4]);
    expect(decisions(run(mixed, policy({ unknown: 'healthy' })))).toEqual([]);
  });

  test('a signal that was not observed is unknown', () => {
    const { state } = decide(INITIAL_STATE, [], policy(), { now: at(0) });
    expect(state.signals.a!.last).toMatchObject({ status: 'unknown', detail: 'not observed' });
  });
});

describe('time', () => {
  test('a repeated delivery counts once', () => {
    const steps = run([...times(2, 'unhealthy', 'unhealthy'), { statuses: ['unhealthy', 'unhealthy'], gap: 2 }], policy());
    expect(steps[2]!.state).toBe(steps[2]!.before);
    expect(decisions(steps)).toEqual([]);
  });

  test('failures before a silence of the detector are not in a row with those after it', () => {
    const steps = run([...times(2, 'unhealthy', 'unhealthy'), { statuses: ['unhealthy', 'unhealthy'], gap: 3600 }, ...times(2, 'unhealthy', 'unhealthy')], policy());
    expect(decisions(steps).map(({ index }) => index)).toEqual([4]);
  });

  test('a clock that was far ahead does not stop the detector', () => {
    const ahead: DetectorState = { ...INITIAL_STATE, at: at(86_400) };
    expect(decide(ahead, [], policy(), { now: at(0) }).state.at).toBe(at(0));
  });

  test('maintenance: neither in the window nor from what was seen in it; what lasts is decided after', () => {
    const steps = run(times(30, 'unhealthy', 'unhealthy'), policy({ maintenanceWindows: [{ weekdays: ['MON'], startUtc: '00:02', durationMinutes: 10 }] }));
    expect(decisions(steps).map(({ now }) => now.slice(11, 16))).toEqual(['00:14']);
  });

  test('the cooldown holds the next incident back, and says so', () => {
    const failure = times(3, 'unhealthy', 'unhealthy');
    const steps = run([...failure, ...times(2, 'healthy', 'healthy'), ...times(30, 'unhealthy', 'unhealthy')], policy({ cooldownSeconds: 1200 }));
    expect(decisions(steps).map(({ now }) => now.slice(11, 16))).toEqual(['00:03', '00:23']);
    expect(steps[10]!.state.incident!.heldBy).toContain('less than 1200 s ago');
  });

  test('beyond the most actions of a period people are told, with the reason', () => {
    const round = [...times(3, 'unhealthy', 'unhealthy'), ...times(2, 'healthy', 'healthy')];
    const kinds = decisions(run([...round, ...round, ...round], policy({ maxActions: { count: 1, seconds: 3600 } }))).map(({ decision }) => [decision!.kind, decision!.note !== undefined]);
    expect(kinds).toEqual([['automatic', false], ['notify', true], ['notify', true]]);
  });

  test('standby holds a decision until it is over', () => {
    const steps = run([...times(5, 'unhealthy', 'unhealthy').map((one) => ({ ...one, standby: 'the recovery side is active' })), ...times(1, 'unhealthy', 'unhealthy')], policy());
    expect(decisions(steps).map(({ index }) => index)).toEqual([5]);
    expect(steps[4]!.state.incident!.heldBy).toBe('the recovery side is active');
  });
});

test('what came of another decision is not noted', () => {
  const { state, decision } = run(times(3, 'unhealthy', 'unhealthy'), policy()).at(-1)!;
  expect(acted(state, { ...decision!, incidentId: 'other' }, 'started', at(0))).toBe(state);
});
