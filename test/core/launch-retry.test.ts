import fc from 'fast-check';
import type { RunConfig, SubnetConfig } from '../../lambda/core/config';
import { nextAttempt } from '../../lambda/core/launch-retry';
import type { RunMember } from '../../lambda/core/model';
import { aRunConfig, aRunMember } from './builders';

const FALLBACKS = aRunConfig({ instanceTypes: { map: {}, fallbacks: ['m5a.large', 'm6i.large'] } });

function tries(member: RunMember, config: RunConfig): RunMember[] {
  const all = [member];
  for (let next = nextAttempt(member, 'capacity', config); next !== undefined; next = nextAttempt(all.at(-1)!, 'capacity', config)) {
    all.push({ ...all.at(-1)!, ...next });
    if (all.length > 200) throw new Error('does not end');
  }
  return all;
}
const inShort = (all: readonly RunMember[]) => all.map((each) => `${each.instanceType} ${each.subnetId}${each.privateIp === undefined ? '' : ' fixed'}`);

test('without a fixed address: the best type in every zone, then the next', () => {
  expect(inShort(tries(aRunMember({ subnetId: 'subnet-b' }), FALLBACKS))).toEqual([
    'm5.large subnet-b', 'm5.large subnet-a', 'm5a.large subnet-a', 'm5a.large subnet-b', 'm6i.large subnet-b', 'm6i.large subnet-a',
  ]);
});

test('with a fixed address: other types where it is, then elsewhere without it', () => {
  const all = tries(aRunMember({ privateIp: '10.0.0.9' }), FALLBACKS);
  expect(inShort(all)).toEqual([
    'm5.large subnet-a fixed', 'm5a.large subnet-a fixed', 'm6i.large subnet-a fixed',
    'm5.large subnet-b', 'm5a.large subnet-b', 'm6i.large subnet-b',
  ]);
  expect(all.at(-1)?.notes).toHaveLength(5);
  expect(all[3]?.notes.at(-1)).toBe('no capacity for m6i.large@us-west-2a: m5.large@us-west-2b instead with a new private address');
});

test('nothing else to try is said so', () => {
  const config = aRunConfig({ production: { subnets: [{ subnetId: 'subnet-a' }], securityGroupIds: [] } });
  expect(nextAttempt(aRunMember(), 'capacity', config)).toBeUndefined();
});

test('a machine with a subnet of its own stays there', () => {
  const config = { ...FALLBACKS, launch: { db: { subnetId: 'subnet-a' } } };
  expect(inShort(tries(aRunMember(), config))).toEqual(['m5.large subnet-a', 'm5a.large subnet-a', 'm6i.large subnet-a']);
});

test('the type that the map gives comes first in every zone', () => {
  const config = aRunConfig({ instanceTypes: { map: { 'm5.large': 'm7i.large' }, fallbacks: [] } });
  expect(inShort(tries(aRunMember({ instanceType: 'm7i.large' }), config))).toEqual(['m7i.large subnet-a', 'm7i.large subnet-b']);
});

test('an address in use is given up, once; the rest stays', () => {
  const member = aRunMember({ privateIp: '10.0.0.9', attempt: 3, tried: ['x@y'], notes: ['before'] });
  const next = nextAttempt(member, 'address-in-use', aRunConfig());
  expect(next).toEqual({ attempt: 4, instanceType: 'm5.large', subnetId: 'subnet-a', privateIp: undefined, tried: ['x@y'], notes: ['before', 'a new private address: 10.0.0.9 is in use'] });
  expect(nextAttempt({ ...member, ...next }, 'address-in-use', aRunConfig())).toBeUndefined();
});

test('in any network: every attempt is new, stays in its network, and nothing possible is left untried', () => {
  const zone = fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined });
  const subnets = (name: string) => fc.array(zone, { minLength: 1, maxLength: 5 }).map((zones) => zones.map((availabilityZone, index): SubnetConfig => ({ subnetId: `${name}-${index}`, availabilityZone })));
  const types = fc.array(fc.constantFrom('m5.large', 'm5a.large', 'm6i.large'), { maxLength: 4 });
  fc.assert(
    fc.property(subnets('production'), subnets('drill'), types, fc.boolean(), fc.nat(4), fc.boolean(), (production, drill, fallbacks, inDrill, start, fixed) => {
      const network = inDrill ? drill : production;
      const config = aRunConfig({ production: { subnets: production, securityGroupIds: [] }, drill: { subnets: drill, securityGroupIds: [] }, instanceTypes: { map: {}, fallbacks } });
      const subnetId = network[start % network.length]!.subnetId;
      const all = tries(aRunMember({ subnetId, privateIp: fixed ? '10.0.0.9' : undefined }), config);
      const placeOf = (each: RunMember) => `${each.instanceType}@${network.find((subnet) => subnet.subnetId === each.subnetId)?.availabilityZone ?? each.subnetId}`;
      expect(new Set(all.map(placeOf)).size).toBe(all.length);
      expect(new Set(all.map(placeOf))).toEqual(new Set(['m5.large', ...fallbacks].flatMap((type) => network.map((subnet) => `${type}@${subnet.availabilityZone ?? subnet.subnetId}`))));
      expect(all.map((each) => each.attempt)).toEqual(all.map((_, index) => index));
      for (const each of all) {
        expect(network.map((subnet) => subnet.subnetId)).toContain(each.subnetId);
        if (each.privateIp !== undefined) expect(each.subnetId).toBe(subnetId);
      }
    }),
    { numRuns: 300 },
  );
});

test('a full subnet: the same type in its zone\'s other subnets first, then in other zones; no full one again', () => {
  const subnets = [
    { subnetId: 'a1', availabilityZone: 'a' }, { subnetId: 'b1', availabilityZone: 'b' }, { subnetId: 'a2', availabilityZone: 'a' },
  ];
  const config = aRunConfig({ production: { subnets, securityGroupIds: [] }, instanceTypes: { map: {}, fallbacks: ['m5a.large'] } });
  const first = aRunMember({ subnetId: 'a1', privateIp: '10.0.0.9' });
  const second = { ...first, ...nextAttempt(first, 'subnet-full', config)! };
  const third = { ...second, ...nextAttempt(second, 'subnet-full', config)! };
  expect(inShort([second, third])).toEqual(['m5.large a2', 'm5.large b1']);
  expect(second.notes).toEqual(['no free address in a1: m5.large in a2 instead with a new private address']);
  expect(inShort([{ ...third, ...nextAttempt(third, 'capacity', config)! }])).toEqual(['m5a.large b1']);
  expect(nextAttempt(third, 'subnet-full', config)).toBeUndefined();
});
