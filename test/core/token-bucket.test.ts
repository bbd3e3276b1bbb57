import fc from 'fast-check';
import { bucket, take, type TokenBucket } from '../../lambda/core/admission';

interface Request {
  readonly at: number;
  readonly n: number;
}

const capacities = fc.integer({ min: 1, max: 1000 });
const rates = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.double({ min: 0.01, max: 100, noNaN: true }));
const requests = fc
  .array(fc.record({ gap: fc.integer({ min: 0, max: 20_000 }), n: fc.integer({ min: 1, max: 50 }) }), { minLength: 1, maxLength: 60 })
  .map((steps) => {
    let at = 0;
    return steps.map(({ gap, n }): Request => ({ at: (at += gap), n }));
  });

function grants(from: TokenBucket, all: readonly Request[]): number[] {
  let state = from;
  return all.map(({ at, n }) => {
    const { bucket: next, granted } = take(state, at, n);
    state = next;
    return granted;
  });
}

test('in no stretch of time is more granted than capacity plus refill', () => {
  fc.assert(
    fc.property(capacities, rates, requests, (capacity, rate, all) => {
      const granted = grants(bucket(capacity, rate, 0), all);
      all.forEach((first, from) => {
        let sum = 0;
        for (let to = from; to < all.length; to++) {
          sum += granted[to]!;
          expect(sum).toBeLessThanOrEqual(capacity + ((all[to]!.at - first.at) / 1000) * rate + 1e-6);
        }
      });
    }),
    { numRuns: 500 },
  );
});

test('never grants more than asked for, and grants all that the tokens allow', () => {
  fc.assert(
    fc.property(capacities, rates, requests, (capacity, rate, all) => {
      let exact = capacity;
      let last = 0;
      const granted = grants(bucket(capacity, rate, 0), all);
      all.forEach(({ at, n }, index) => {
        exact = Math.min(capacity, exact + ((at - last) / 1000) * rate);
        last = at;
        expect(granted[index]).toBeLessThanOrEqual(n);
        expect(granted[index]).toBeGreaterThan(Math.min(n, exact) - 1 - 1e-6);
        exact -= granted[index]!;
      });
    }),
    { numRuns: 500 },
  );
});

test('after the wait the rest is granted', () => {
  fc.assert(
    fc.property(capacities, rates, fc.integer({ min: 1, max: 3000 }), (capacity, rate, n) => {
      const { bucket: left, granted, waitSeconds } = take(bucket(capacity, rate, 0), 0, n);
      expect(granted).toBe(Math.min(n, capacity));
      const rest = Math.min(n - granted, capacity);
      expect(waitSeconds > 0).toBe(rest > 0);
      expect(take(left, Math.ceil(waitSeconds * 1000), rest).granted).toBe(rest);
    }),
  );
});

test('what has refilled already shortens the wait', () => {
  const empty = take(bucket(10, 1, 0), 0, 10).bucket;
  expect(take(empty, 2_500, 4)).toMatchObject({ granted: 2, waitSeconds: 1.5 });
});

test('a clock that goes back gives nothing for free', () => {
  const empty = take(bucket(10, 1, 5_000), 5_000, 10).bucket;
  const back = take(empty, 0, 1);
  expect(back.granted).toBe(0);
  expect(take(back.bucket, 6_000, 5).granted).toBe(1);
});
