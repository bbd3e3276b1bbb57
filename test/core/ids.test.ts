import fc from 'fast-check';
import { clientToken, cycleId, imageName, pointId } from '../../lambda/core/ids';

const parts = fc.tuple(fc.string(), fc.string(), fc.string());

test.each([
  ['pointId', pointId],
  ['imageName', imageName],
  ['clientToken', clientToken],
])('%s: the same for the same, another for others', (_, idOf) => {
  fc.assert(
    fc.property(parts, parts, (one, other) => {
      expect(idOf(...one)).toBe(idOf(...one));
      expect(idOf(...one) === idOf(...other)).toBe(JSON.stringify(one) === JSON.stringify(other));
    }),
  );
});

test('parts do not run into each other', () => {
  expect(pointId('a', 'bc', 'd')).not.toBe(pointId('ab', 'c', 'd'));
  expect(clientToken('a', 'b')).not.toBe(clientToken('ab'));
  expect(clientToken('launch', 1)).not.toBe(clientToken('launch', 2));
});

test('an image name is one that EC2 takes, whatever the project is called', () => {
  fc.assert(fc.property(fc.tuple(fc.string({ unit: 'binary', maxLength: 200 }), fc.string(), fc.string()), (all) => {
    expect(imageName(...all)).toMatch(/^[A-Za-z0-9()[\] ./\-'@_]{3,128}$/);
  }));
  expect(imageName('shop'.repeat(50), 'r-1', 'db/i-0abc')).toMatch(/^dr-shopshop[a-z]+-[0-9a-f]{20}$/);
  expect(imageName('shop'.repeat(50), 'r-1', 'db/i-0abc')).toHaveLength(128);
  expect(imageName('shop', 'r-1', 'db/i-0abc')).toMatch(/^dr-shop-r-1-db\/i-0abc-[0-9a-f]{20}$/);
});

test('a client token is at most 64 ASCII characters', () => {
  expect(clientToken('x'.repeat(500), 7)).toMatch(/^[!-~]{1,64}$/);
});

test('a cycle is its execution', () => {
  expect(cycleId('arn:1')).toMatch(/^c-[0-9a-f]{20}$/);
  expect(cycleId('arn:1')).not.toBe(cycleId('arn:2'));
});
