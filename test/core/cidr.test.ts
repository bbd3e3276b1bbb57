import { BlockList } from 'node:net';
import fc from 'fast-check';
import { contains, formatIp, isUsable, overlaps, parseCidr, parseIp } from '../../lambda/core/cidr';

const addresses = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const prefixes = fc.integer({ min: 0, max: 32 });
const blocks = fc.record({ address: addresses, prefix: prefixes });
const textOf = ({ address, prefix }: { address: number; prefix: number }) => `${formatIp(address)}/${prefix}`;
/** Addresses in the block, at its edges and just outside. */
const near = (block: { address: number; prefix: number }) => {
  const size = 2 ** (32 - block.prefix);
  return fc.integer({ min: -2, max: size + 2 }).map((offset) => {
    const first = block.address - (block.address % size);
    return Math.min(2 ** 32 - 1, Math.max(0, first + offset));
  });
};

test('contains what Node says it contains', () => {
  fc.assert(
    fc.property(blocks.chain((block) => fc.tuple(fc.constant(block), fc.oneof(near(block), addresses))), ([block, address]) => {
      const list = new BlockList();
      list.addSubnet(formatIp(block.address), block.prefix, 'ipv4');
      expect(contains(parseCidr(textOf(block)), address)).toBe(list.check(formatIp(address), 'ipv4'));
    }),
    { numRuns: 500 },
  );
});

test('addresses survive being written and read', () => {
  fc.assert(fc.property(addresses, (address) => expect(parseIp(formatIp(address))).toBe(address)));
});

test('two blocks overlap when one contains the other\'s first address', () => {
  const related = fc.tuple(blocks, prefixes, fc.nat(3)).map(([block, prefix, shift]) => [block, { address: (block.address + shift * 2 ** (32 - block.prefix)) % 2 ** 32, prefix }] as const);
  fc.assert(
    fc.property(related, ([one, other]) => {
      const [a, b] = [parseCidr(textOf(one)), parseCidr(textOf(other))];
      expect(overlaps(a, b)).toBe(contains(a, b.first) || contains(b, a.first));
    }),
    { numRuns: 500 },
  );
});

test.each([
  ['10.0.0.3', false], ['10.0.0.4', true], ['10.0.0.14', true], ['10.0.0.15', false], ['10.0.0.16', false], ['9.255.255.255', false],
])('in 10.0.0.0/28, %s may be used: %s', (ip, usable) => {
  expect(isUsable(parseCidr('10.0.0.0/28'), parseIp(ip))).toBe(usable);
});

test.each(['10.0.0.0', '10.0.0.0/33', '10.0.0/8', '256.0.0.0/8', '10.0.0.0/8 ', '10.0.0.0/-1', 'a/8', '::/0', '10.0.0.0/8/8', ''])('"%s" is no block', (text) => {
  expect(() => parseCidr(text)).toThrow('10.64.0.0/20');
});

test('an address with a name is refused', () => {
  expect(() => parseIp('localhost')).toThrow('localhost');
});
