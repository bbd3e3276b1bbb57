import { superseded } from '../../lambda/core/fencing';
import { acquire, confirm, fencedLater, FIRST_LEASE, guarded, release, StaleEpoch, switchOver, type Acquired, type Lease, type LeaseRequest } from '../../lambda/core/lease';
import { alive, arnOf, initial, PROTOCOL, successors, type Budget, type Model, type Protocol } from './support/lease-model';

jest.setTimeout(300_000);

const now = '2030-01-01T00:00:00.000Z';
const request = (runId: string, change: Partial<LeaseRequest> = {}): LeaseRequest => ({ runId, executionArn: `arn:${runId}`, mode: 'failover', ...change });
const taken = (lease: Lease, runId: string, change: Partial<LeaseRequest> = {}, ended?: string): Acquired => {
  const answer = acquire(lease, request(runId, change), now, ended);
  if (answer.kind !== 'acquired') throw new Error(answer.reason);
  return answer;
};

interface Explored {
  readonly states: number;
  readonly ends: readonly Model[];
  /** The way to the first state that breaks an invariant. */
  readonly broken?: string;
}

/** Breadth first over all reachable states. */
function explore(ids: readonly string[], budget: Budget, protocol: Protocol = PROTOCOL): Explored {
  const start = initial(ids, budget);
  const seen = new Set([JSON.stringify(start)]);
  let layer = [start];
  const ends: Model[] = [];
  while (layer.length > 0) {
    const following: Model[] = [];
    for (const state of layer) {
      const next = successors(state, protocol);
      if (next.length === 0) ends.push(state);
      for (const one of next) {
        const broken = violationOf(state, one);
        if (broken !== undefined) return { states: seen.size, ends, broken: `${broken}\n${JSON.stringify(state)}\n${JSON.stringify(one)}` };
        const key = JSON.stringify(one);
        if (!seen.has(key)) {
          seen.add(key);
          following.push(one);
        }
      }
    }
    layer = following;
  }
  return { states: seen.size, ends };
}

function violationOf(before: Model, after: Model): string | undefined {
  if (after.violation !== undefined) return after.violation;
  if (after.lease.epoch < before.lease.epoch) return 'the epoch went back';
  if (after.lease !== before.lease && after.lease.version !== before.lease.version + 1) return 'a write was lost';
  const passing = after.runs.filter((run) => alive(run) && run.epoch !== undefined && passes(after.lease, run.id, run.epoch));
  if (passing.length > 1) return `${passing.map(arnOf).join(' and ')} may both change something`;
  // Beside a machine of a newer epoch runs one of an older epoch only if its call took effect too late to be seen by the fence.
  const running = after.machines.filter((machine) => machine.running);
  const newest = Math.max(0, ...running.map(({ epoch }) => epoch));
  if (running.some(({ epoch, late }) => epoch < newest && !late)) return 'two sides write, and no late call explains it';
  return after.machines.filter(({ late }) => late).length > 2 ? 'more late calls than crashes' : undefined;
}

function passes(lease: Lease, runId: string, epoch: number): boolean {
  try {
    confirm(lease, runId, epoch);
    return true;
  } catch {
    return false;
  }
}

describe('all interleavings', () => {
  const scenarios: [string, number, readonly string[], Budget][] = [
    ['two runs without misfortune', 100, ['A', 'B'], { crashes: 0, resumes: 0, lost: 0 }],
    ['two runs, crashes, a resume and lost answers', 150_000, ['A', 'B'], { crashes: 2, resumes: 1, lost: 1 }],
    ['two runs, many lost answers', 25_000, ['A', 'B'], { crashes: 1, resumes: 1, lost: 2 }],
    ['three runs without misfortune', 2000, ['A', 'B', 'C'], { crashes: 0, resumes: 0, lost: 0 }],
    ['three runs, one crash', 100_000, ['A', 'B', 'C'], { crashes: 1, resumes: 0, lost: 0 }],
  ];

  test.each(scenarios)('%s, over %i states: never two runs in one epoch, never two that may write, the epoch only grows', (_name, atLeast, ids, budget) => {
    const { broken, ends, states } = explore(ids, budget);
    expect(broken).toBeUndefined();
    expect(states).toBeGreaterThan(atLeast);
    for (const end of ends) {
      // Nobody waits for ever, and whoever did not recover was told by whom.
      for (const run of end.runs) {
        expect(alive(run)).toBe(false);
        if (run.at === 'refused') expect(run.message).toMatch(/^Run [ABC] \(failover, epoch \d, execution [ABC]#\d\) holds the lease since/);
        if (run.at === 'stale') expect(run.message).toMatch(/must not change anything any more: epoch \d was given to run [ABC]|has released the lease/);
      }
      // What a late call left is found by its epoch.
      const running = end.machines.filter((machine) => machine.running).map(({ run, epoch }) => ({ instanceId: run, memberId: 'db', runId: run, epoch }));
      const kept = running.filter((machine) => !superseded(running).includes(machine));
      expect(kept.length).toBeLessThanOrEqual(1);
    }
  });

  test('of failovers started at once at least one recovers; without misfortune no other is at work at the same time', () => {
    const { ends } = explore(['A', 'B'], { crashes: 0, resumes: 0, lost: 0 });
    expect(ends.every(({ runs }) => runs.some(({ at }) => at === 'recovered'))).toBe(true);
    expect(ends.some(({ runs }) => runs.some(({ at }) => at === 'refused'))).toBe(true);
    expect(ends.every(({ lease }) => lease.holder === undefined)).toBe(true);
  });

  const crashing: Budget = { crashes: 1, resumes: 1, lost: 1 };

  test.each<[string, Partial<Protocol>]>([
    ['writes without a condition', { writes: () => true }],
    ['a holder replaced while it runs', { acquire: (lease, asked, at) => acquire(lease, asked, at, lease.holder?.executionArn) }],
    ['a step that confirms nothing', { confirm: () => undefined }],
    ['an epoch that does not grow', {
      acquire: (lease, asked, at, ended) => {
        const answer = acquire(lease, asked, at, ended);
        return answer.kind === 'refused' ? answer : { ...answer, epoch: 1, lease: { ...answer.lease, epoch: 1 } };
      },
    }],
    ['no fencing', { fences: false }],
  ])('the check finds out a protocol with %s', (_name, change) => {
    expect(explore(['A', 'B'], crashing, { ...PROTOCOL, ...change }).broken).toBeDefined();
  });
});

describe('taking the lease', () => {
  test('gives an epoch that is one higher, and the same one to the same execution', () => {
    const first = taken(FIRST_LEASE, 'A');
    expect(first).toMatchObject({ epoch: 1, unchanged: false, lease: { epochOf: 'A', holder: { runId: 'A', since: now }, active: 'source', version: 1 } });
    expect(taken(first.lease, 'A')).toMatchObject({ epoch: 1, unchanged: true });
  });

  test('is refused while another run holds it, by name; its ended execution may be replaced', () => {
    const { lease } = taken(FIRST_LEASE, 'A');
    expect(acquire(lease, request('B'), now)).toMatchObject({ kind: 'refused', holder: { runId: 'A' }, reason: expect.stringContaining('Run A (failover, epoch 1, execution arn:A) holds the lease since 2030') });
    expect(taken(lease, 'B', {}, 'arn:A')).toMatchObject({ epoch: 2, lease: { epochOf: 'B' } });
    expect(acquire(lease, request('B'), now, 'arn:another').kind).toBe('refused');
  });

  test('a resumed run keeps its epoch, also after it had given the lease back', () => {
    const held = taken(FIRST_LEASE, 'A').lease;
    const again = { executionArn: 'arn:A2', epoch: 1 };
    expect(acquire(held, request('A', again), now).kind).toBe('refused');
    expect(taken(held, 'A', again, 'arn:A')).toMatchObject({ epoch: 1, lease: { holder: { executionArn: 'arn:A2' } } });
    const free = release(held, { runId: 'A', executionArn: 'arn:A' }, now);
    expect(taken(free, 'A', again)).toMatchObject({ epoch: 1, lease: { epoch: 1 } });
  });

  test('a run that a newer one has overtaken cannot be resumed', () => {
    const newer = release(taken(taken(FIRST_LEASE, 'A').lease, 'B', {}, 'arn:A').lease, { runId: 'B', executionArn: 'arn:B' }, now);
    expect(() => taken(newer, 'A', { epoch: 1 })).toThrow(StaleEpoch);
    expect(() => taken(newer, 'A', { epoch: 1 })).toThrow('epoch 2 was given to run B, which has ended');
  });
});

describe('under the lease', () => {
  const { lease } = taken(FIRST_LEASE, 'A');
  const run = { runId: 'A', epoch: 1 };

  test('confirm tells who is newer, or that the run has ended', () => {
    expect(() => confirm(lease, 'A', 1)).not.toThrow();
    expect(() => confirm(taken(lease, 'B', {}, 'arn:A').lease, 'A', 1)).toThrow('epoch 2 was given to run B, which holds the lease since');
    expect(() => confirm(release(lease, { runId: 'A', executionArn: 'arn:A' }, now), 'A', 1)).toThrow('has released the lease');
    expect(() => confirm(FIRST_LEASE, 'A', 1)).toThrow('epoch 0 was given to no run');
  });

  test('switches sides once, and adds what a second failover learns', () => {
    const switched = switchOver(lease, run, { active: 'recovery', oldSide: 'unreachable', acceptedBy: 'ops' }, now);
    expect(switched).toMatchObject({ active: 'recovery', activeEpoch: 1, activeBy: 'A', oldSide: 'unreachable', acceptedBy: 'ops' });
    expect(switchOver(switched, run, { active: 'recovery', oldSide: 'unreachable', acceptedBy: 'ops' }, now)).toBe(switched);
    const second = taken(release(switched, { runId: 'A', executionArn: 'arn:A' }, now), 'B').lease;
    expect(switchOver(second, { runId: 'B', epoch: 2 }, { active: 'recovery', oldSide: 'fenced' }, now)).toBe(second);
    const back = switchOver(second, { runId: 'B', epoch: 2 }, { active: 'source' }, now);
    expect(back).toMatchObject({ active: 'source', activeEpoch: 2, activeBy: 'B' });
    expect(back).not.toHaveProperty('oldSide');
    expect(() => switchOver(second, run, { active: 'source' }, now)).toThrow(StaleEpoch);
  });

  test('is given back by its holder only', () => {
    expect(release(lease, { runId: 'A', executionArn: 'arn:A' }, now)).not.toHaveProperty('holder');
    expect(release(lease, { runId: 'A', executionArn: 'arn:other' }, now)).toBe(lease);
    expect(release(lease, { runId: 'B', executionArn: 'arn:A' }, now)).toBe(lease);
  });

  test('the guard acts while the recovery side is active and nobody is about to change that', () => {
    const switched = switchOver(lease, run, { active: 'recovery', oldSide: 'unreachable' }, now);
    expect(guarded(lease)).toBe(false);
    expect(guarded(switched)).toBe(true);
    expect(guarded({ ...switched, oldSide: 'unfenced' })).toBe(false);
    expect(guarded({ ...switched, holder: { ...switched.holder!, mode: 'failback' as never } })).toBe(false);
    expect(fencedLater(switched, 1, 'guard', now)).toMatchObject({ oldSide: 'fenced', changedBy: 'guard', version: switched.version + 1 });
    expect(fencedLater(switched, 2, 'guard', now)).toBeUndefined();
    expect(fencedLater({ ...switched, active: 'source' }, 1, 'guard', now)).toBeUndefined();
  });
});
