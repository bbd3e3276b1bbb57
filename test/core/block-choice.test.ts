import fc from 'fast-check';
import { chooseBlocks } from '../../lambda/core/block-choice';

const blocks = fc.uniqueArray(fc.nat(50_000), { maxLength: 200 }).map((list) => list.sort((a, b) => a - b));

test('chooses so many of what is there, and all that is known to have changed', () => {
  fc.assert(fc.property(blocks, fc.nat(250), fc.func(fc.boolean()), fc.string(), (all, sample, changed, seed) => {
    const always = new Set(all.filter((index) => changed(index)));
    const chosen = chooseBlocks({ all, always, sample, seed });
    expect(new Set(chosen).size).toBe(chosen.length);
    expect(chosen.every((index) => all.includes(index))).toBe(true);
    expect([...always].every((index) => chosen.includes(index))).toBe(true);
    expect(chosen).toHaveLength(always.size + Math.min(sample, all.length - always.size));
    expect([...chosen].sort((a, b) => a - b)).toEqual(chosen);
  }));
});

test('the same seed chooses the same, and a larger sample contains the smaller one', () => {
  fc.assert(fc.property(blocks, fc.nat(200), fc.nat(50), fc.string(), (all, sample, more, seed) => {
    const of = (count: number) => chooseBlocks({ all, always: new Set(), sample: count, seed });
    expect(of(sample)).toEqual(of(sample));
    const larger = new Set(of(sample + more));
    expect(of(sample).every((index) => larger.has(index))).toBe(true);
  }));
});

test('without a sample all are chosen; another seed chooses others', () => {
  const all = Array.from({ length: 500 }, (_, index) => index);
  expect(chooseBlocks({ all, always: new Set(), sample: undefined, seed: 'a' })).toEqual(all);
  const of = (seed: string) => chooseBlocks({ all, always: new Set(), sample: 20, seed });
  expect(of('a')).not.toEqual(of('b'));
});
