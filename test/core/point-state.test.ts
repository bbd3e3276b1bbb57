import fc from 'fast-check';
import { IllegalTransition, IncompleteSet, PointPinned } from '../../lambda/core/errors';
import type { RecoveryPoint, RecoveryPointState } from '../../lambda/core/model';
import { canRecover, isOpen, isWhole, needsWork, transition, type PointEvent } from '../../lambda/core/point-state';
import { aNewPoint, at, aVolume } from './builders';

const STARTED: PointEvent = {
  type: 'snapshots-started',
  consistentAt: at(10),
  snapshots: [
    { sourceVolumeId: 'vol-0', snapshotId: 'snap-s0' },
    { sourceVolumeId: 'vol-1', snapshotId: 'snap-s1' },
  ],
};
const EVENTS = {
  started: STARTED,
  sourceDone: { type: 'source-completed' },
  copy0: { type: 'copy-started', sourceVolumeId: 'vol-0', snapshotId: 'snap-r0', at: at(30) },
  copy1: { type: 'copy-started', sourceVolumeId: 'vol-1', snapshotId: 'snap-r1', at: at(30) },
  copiesDone: { type: 'copies-completed', at: at(60) },
  failed: { type: 'failed', reason: 'snapshot in error' },
  expired: { type: 'expired', reason: 'retention', at: at(90) },
  sourceGone: { type: 'source-removed' },
  cleaned: { type: 'cleaned', at: at(99) },
} satisfies Record<string, PointEvent>;
type EventName = keyof typeof EVENTS;

function after(...names: EventName[]): RecoveryPoint {
  return names.reduce((point, name) => transition(point, EVENTS[name]), aNewPoint(2));
}

const WHOLE = ['started', 'sourceDone', 'copy0', 'copy1', 'copiesDone'] as const;
const POINTS: Record<string, RecoveryPoint> = {
  recorded: aNewPoint(2),
  snapshotting: after('started'),
  inSource: after('started', 'sourceDone'),
  copyingOne: after('started', 'sourceDone', 'copy0'),
  copyingAll: after('started', 'sourceDone', 'copy0', 'copy1'),
  complete: after(...WHOLE),
  pinned: { ...after(...WHOLE), pinnedBy: ['r-1'] },
  sourceless: after(...WHOLE, 'sourceGone'),
  expired: after(...WHOLE, 'expired'),
  failed: after('started', 'failed'),
  cleaned: after('started', 'failed', 'cleaned'),
};

/** Per point, for each event in the order of EVENTS: `x` refused, `=` nothing changes, else the state that follows. */
const TABLE: Record<string, string> = {
  //             started   sourceDone          copy0     copy1    copiesDone failed  expired  sourceGone cleaned
  recorded:     'CREATING  x                   x         x        x         FAILED  x        x         x',
  snapshotting: '=         COMPLETE_IN_SOURCE  x         x        x         FAILED  x        x         x',
  inSource:     '=         =                   COPYING   COPYING  x         FAILED  x        x         x',
  copyingOne:   '=         =                   =         COPYING  x         FAILED  x        x         x',
  copyingAll:   '=         =                   =         =        COMPLETE  FAILED  x        x         x',
  complete:     '=         =                   =         =        =         x       EXPIRED  COMPLETE  x',
  pinned:       '=         =                   =         =        =         x       x        COMPLETE  x',
  sourceless:   'x         =                   =         =        =         x       EXPIRED  =         x',
  expired:      'x         x                   x         x        x         x       =        x         EXPIRED',
  failed:       'x         x                   x         x        x         =       x        x         FAILED',
  cleaned:      'x         x                   x         x        x         =       x        x         =',
};

const CASES = Object.entries(TABLE).flatMap(([name, row]) =>
  row.split(/ +/).map((outcome, index) => [name, Object.keys(EVENTS)[index] as EventName, outcome] as const),
);

test('the table covers every point and every event', () => {
  expect(Object.keys(TABLE)).toEqual(Object.keys(POINTS));
  expect(CASES).toHaveLength(Object.keys(POINTS).length * Object.keys(EVENTS).length);
});

test.each(CASES)('%s, %s: %s', (name, eventName, outcome) => {
  const point = POINTS[name]!;
  const event = EVENTS[eventName];
  if (outcome === 'x') {
    expect(() => transition(point, event)).toThrow(IllegalTransition);
    return;
  }
  const result = transition(point, event);
  if (outcome === '=') {
    expect(result).toBe(point);
    return;
  }
  expect(result.state).toBe(outcome);
  expect(result.version).toBe(point.version + 1);
  expect(transition(result, event)).toBe(result);
});

test('a refusal names the state, the event and what to do', () => {
  const refused = new IllegalTransition('p-1', 'CREATING', 'cleaned', 'only the snapshots of an ended point are deleted');
  expect(() => transition(POINTS.recorded!, EVENTS.cleaned)).toThrow(refused);
  expect(refused).toMatchObject({ name: 'IllegalTransition', pointId: 'p-1', from: 'CREATING', event: 'cleaned' });
  expect(refused.message).toContain('Read the point again');
});

test('a pinned point refuses expiry and names the run', () => {
  expect(() => transition(POINTS.pinned!, EVENTS.expired)).toThrow(PointPinned);
  expect(() => transition(POINTS.pinned!, EVENTS.expired)).toThrow('r-1');
});

test('a point unpinned expires', () => {
  expect(transition({ ...POINTS.pinned!, pinnedBy: [] }, EVENTS.expired).state).toBe('EXPIRED');
});

test.each([
  ['a disk without snapshot', [{ sourceVolumeId: 'vol-0', snapshotId: 's' }], 'no snapshot of vol-1'],
  ['an unknown disk', [...STARTED.snapshots, { sourceVolumeId: 'vol-9', snapshotId: 's' }], 'unexpected snapshot of vol-9'],
])('%s is no consistency set', (_, snapshots, message) => {
  expect(() => transition(aNewPoint(2), { ...STARTED, snapshots })).toThrow(IncompleteSet);
  expect(() => transition(aNewPoint(2), { ...STARTED, snapshots })).toThrow(message);
});

test.each([
  ['two snapshots of a disk', aNewPoint(2), { ...STARTED, snapshots: [...STARTED.snapshots, { sourceVolumeId: 'vol-0', snapshotId: 'other' }] }],
  ['no disks at all', aNewPoint(0), { ...STARTED, snapshots: [] }],
  ['another instant', POINTS.snapshotting!, { ...STARTED, consistentAt: at(11) }],
  ['another snapshot of one disk', POINTS.snapshotting!, { ...STARTED, snapshots: [STARTED.snapshots[0]!, { sourceVolumeId: 'vol-1', snapshotId: 'other' }] }],
  ['completion in the source of a point with a disk not snapshotted', { ...aNewPoint(2), volumes: [POINTS.snapshotting!.volumes[0]!, aVolume(1)] }, EVENTS.sourceDone],
  ['completion in the source of a point whose disks are unknown', aNewPoint(0), EVENTS.sourceDone],
  ['another copy of a disk', POINTS.copyingOne!, { ...EVENTS.copy0, snapshotId: 'other' }],
  ['a copy of an unknown disk', POINTS.inSource!, { ...EVENTS.copy0, sourceVolumeId: 'vol-9' }],
  ['a copy for a complete point that lacks one', { ...POINTS.complete!, volumes: [aVolume(0)] }, EVENTS.copy0],
  ['completion of a point whose disks are unknown', { ...aNewPoint(0), state: 'COPYING' }, EVENTS.copiesDone],
] satisfies [string, RecoveryPoint, PointEvent][])('%s is refused', (_, point, event) => {
  expect(() => transition(point, event)).toThrow(IllegalTransition);
});

test('removing the source side leaves the copies', () => {
  expect(POINTS.sourceless!.volumes).toEqual(POINTS.complete!.volumes.map(({ sourceSnapshotId: _gone, ...rest }) => rest));
});

test('removing the source side finishes what was half done', () => {
  const half = { ...POINTS.complete!, volumes: [POINTS.complete!.volumes[0]!, POINTS.sourceless!.volumes[1]!] };
  expect(transition(half, EVENTS.sourceGone).volumes).toEqual(POINTS.sourceless!.volumes);
});

const SUMMARY: Record<RecoveryPointState, [open: boolean, work: boolean]> = {
  CREATING: [true, true],
  COMPLETE_IN_SOURCE: [true, true],
  COPYING: [true, true],
  COMPLETE: [false, false],
  EXPIRED: [false, true],
  FAILED: [false, true],
};

test.each(Object.entries(POINTS))('%s: open, work to do, usable', (name, point) => {
  const [open, work] = SUMMARY[point.state];
  expect(isOpen(point)).toBe(open);
  expect(needsWork(point)).toBe(work && name !== 'cleaned');
  expect(canRecover(point)).toBe(['complete', 'pinned', 'sourceless'].includes(name));
});

describe('any sequence of events', () => {
  const volumeId = fc.constantFrom('vol-0', 'vol-1', 'vol-2', 'vol-9');
  const anyEvent: fc.Arbitrary<PointEvent> = fc.oneof(
    fc.record({ type: fc.constant('snapshots-started' as const), consistentAt: fc.constantFrom(at(1), at(2)), snapshots: fc.array(fc.record({ sourceVolumeId: volumeId, snapshotId: fc.constantFrom('s-a', 's-b') }), { maxLength: 4 }) }),
    fc.constant({ type: 'source-completed' as const }),
    fc.record({ type: fc.constant('copy-started' as const), sourceVolumeId: volumeId, snapshotId: fc.constantFrom('r-a', 'r-b'), at: fc.constant(at(30)) }),
    fc.constant({ type: 'copies-completed' as const, at: at(5) }),
    fc.constant({ type: 'failed' as const, reason: 'why' }),
    fc.constant({ type: 'expired' as const, reason: 'old', at: at(6) }),
    fc.constant({ type: 'source-removed' as const }),
    fc.constant({ type: 'cleaned' as const, at: at(7) }),
  );
  /** The right events in the right order, with any others in between, so that every state is reached often. */
  const history = fc.integer({ min: 1, max: 3 }).chain((disks) => {
    const ids = Array.from({ length: disks }, (_, index) => `vol-${index}`);
    const script: PointEvent[] = [
      { type: 'snapshots-started', consistentAt: at(1), snapshots: ids.map((sourceVolumeId) => ({ sourceVolumeId, snapshotId: 's-a' })) },
      { type: 'source-completed' },
      ...ids.map((sourceVolumeId) => ({ type: 'copy-started' as const, sourceVolumeId, snapshotId: 'r-a', at: at(30) })),
      { type: 'copies-completed', at: at(5) },
      { type: 'expired', reason: 'old', at: at(6) },
      { type: 'cleaned', at: at(7) },
    ];
    const noise = fc.array(fc.array(anyEvent, { maxLength: 3 }), { minLength: script.length, maxLength: script.length });
    return fc.record({ disks: fc.constant(disks), pinned: fc.boolean(), events: noise.map((between) => script.flatMap((event, index) => [...between[index]!, event])) });
  });
  const LEGAL = new Set(['CREATING>COMPLETE_IN_SOURCE', 'COMPLETE_IN_SOURCE>COPYING', 'COPYING>COMPLETE', 'COMPLETE>EXPIRED', 'CREATING>FAILED', 'COMPLETE_IN_SOURCE>FAILED', 'COPYING>FAILED']);

  function* steps(disks: number, pinned: boolean, events: readonly PointEvent[]): Generator<[RecoveryPoint, PointEvent, RecoveryPoint]> {
    let point = aNewPoint(disks, pinned ? { pinnedBy: ['r-1'] } : {});
    for (const event of events) {
      let result: RecoveryPoint;
      try {
        result = transition(point, event);
      } catch (error) {
        if (error instanceof IllegalTransition || error instanceof IncompleteSet) continue;
        throw error;
      }
      yield [point, event, result];
      point = result;
    }
  }

  test('moves along legal edges only, and is complete only when whole', () => {
    const reached = new Set<string>();
    fc.assert(
      fc.property(history, ({ disks, pinned, events }) => {
        for (const [before, event, result] of steps(disks, pinned, events)) {
          reached.add(result.state);
          if (before.state !== result.state) expect(LEGAL).toContain(`${before.state}>${result.state}`);
          expect(result.version).toBe(result === before ? before.version : before.version + 1);
          expect(transition(result, event)).toBe(result);
          if (result.state === 'COMPLETE') {
            expect(isWhole(result)).toBe(true);
            expect(result.volumes).toHaveLength(disks);
          }
          if (pinned) expect(result.state).not.toBe('EXPIRED');
        }
      }),
      { numRuns: 1000 },
    );
    expect(reached).toEqual(new Set(Object.keys(SUMMARY)));
  });

  test('never loses or exchanges a disk, an id or an instant', () => {
    fc.assert(
      fc.property(history, ({ disks, pinned, events }) => {
        for (const [before, event, result] of steps(disks, pinned, events)) {
          expect(result.volumes.map((volume) => volume.sourceVolumeId)).toEqual(before.volumes.map((volume) => volume.sourceVolumeId));
          if (before.consistentAt !== undefined) expect(result.consistentAt).toBe(before.consistentAt);
          before.volumes.forEach((volume, index) => {
            const now = result.volumes[index]!;
            if (volume.recoverySnapshotId !== undefined) expect(now.recoverySnapshotId).toBe(volume.recoverySnapshotId);
            if (volume.sourceSnapshotId !== undefined && event.type !== 'source-removed') expect(now.sourceSnapshotId).toBe(volume.sourceSnapshotId);
          });
        }
      }),
      { numRuns: 1000 },
    );
  });
});
