import fc from 'fast-check';
import { BlockSet, inChunks } from '../../lambda/core/block-set';

const indexes = fc.array(fc.nat(5_000), { maxLength: 100 });
const ascending = (list: Iterable<number>): number[] => [...new Set(list)].sort((a, b) => a - b);

test('is the set of what was added, in ascending order', () => {
  fc.assert(fc.property(indexes, fc.nat(6_000), (list, other) => {
    const set = BlockSet.of(list);
    expect([...set]).toEqual(ascending(list));
    expect(set.size).toBe(new Set(list).size);
    expect(set.has(other)).toBe(list.includes(other));
  }));
});

test('a union has what either has, and leaves both as they are', () => {
  fc.assert(fc.property(indexes, indexes, (a, b) => {
    const [left, right] = [BlockSet.of(a), BlockSet.of(b)];
    const both = left.union(right);
    expect([...both]).toEqual(ascending([...a, ...b]));
    expect([[...left], [...right], both.size]).toEqual([ascending(a), ascending(b), new Set([...a, ...b]).size]);
  }));
});

test('chunks have all but the first ones, in order, and none is empty', () => {
  fc.assert(fc.property(indexes, fc.integer({ min: 1, max: 20 }), fc.nat(120), (list, size, skip) => {
    const chunks = [...inChunks(BlockSet.of(list), size, skip)];
    expect(chunks.flat()).toEqual(ascending(list).slice(skip));
    expect(chunks.slice(0, -1).every(({ length }) => length === size)).toBe(true);
    expect(chunks.every(({ length }) => length > 0 && length <= size)).toBe(true);
  }));
});

test('the last block of the largest disk that EBS has', () => {
  const last = 65_536 * 2048 - 1;
  const set = BlockSet.of([last, 31, 32, 0]);
  expect([...set]).toEqual([0, 31, 32, last]);
  expect([set.has(last), set.has(last - 1), set.has(last + 1)]).toEqual([true, false, false]);
});
