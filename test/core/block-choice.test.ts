import fc from 'fast-check';
import { chooseBlocks } from '../../lambda/core/block-choice';
import { BlockSet } from '../../lambda/core/block-set';

const blocks = fc.uniqueArray(fc.nat(50_000), { maxLength: 200 }).map((list) => list.sort((a, b) => a - b));
const NONE = new BlockSet();
const choose = (all: readonly number[], sample: number | undefined, seed: string, always = NONE): number[] => [...chooseBlocks({ all: BlockSet.of(all), always, sample, seed })];

test('chooses so many of what is there, and all that is known to have changed', () => {
  fc.assert(fc.property(blocks, fc.nat(250), fc.func(fc.boolean()), fc.string(), (all, sample, changed, seed) => {
    const always = BlockSet.of(all.filter((index) => changed(index)));
    const chosen = choose(all, sample, seed, always);
    expect(chosen.every((index) => all.includes(index))).toBe(true);
    expect([...always].every((index) => chosen.includes(index))).toBe(true);
    expect(chosen).toHaveLength(always.size + Math.min(sample, all.length - always.size));
  }));
});

test('the same seed chooses the same, and a larger sample contains the smaller one', () => {
  fc.assert(fc.property(blocks, fc.nat(200), fc.nat(50), fc.string(), (all, sample, more, seed) => {
    expect(choose(all, sample, seed)).toEqual(choose(all, sample, seed));
    const larger = new Set(choose(all, sample + more, seed));
    expect(choose(all, sample, seed).every((index) => larger.has(index))).toBe(true);
  }));
});

test('what is known to have changed and is listed nowhere is not read', () => {
  expect(choose([1, 2], 0, 'a', BlockSet.of([2, 3]))).toEqual([2]);
});

test('without a sample all are chosen; another seed chooses others', () => {
  const all = Array.from({ length: 500 }, (_, index) => index);
  expect(choose(all, undefined, 'a')).toEqual(all);
  expect(choose(all, 20, 'a')).not.toEqual(choose(all, 20, 'b'));
});

test('of a large disk the sample comes from all of it, and is the same whatever else is chosen with it', () => {
  const all = Array.from({ length: 100_000 }, (_, index) => index);
  const chosen = choose(all, 1000, 'run-1/db/i-1//dev/sdf');
  const tenths = Array.from({ length: 10 }, (_, tenth) => chosen.filter((index) => Math.floor(index / 10_000) === tenth).length);
  // One hundred each, and three standard deviations are thirty.
  for (const count of tenths) expect(Math.abs(count - 100)).toBeLessThan(50);
  expect(new Set(choose(all, 5000, 'run-1/db/i-1//dev/sdf'))).toEqual(new Set([...choose(all, 5000, 'run-1/db/i-1//dev/sdf'), ...chosen]));
});
