import fc from 'fast-check';
import { contains, formatIp, isUsable, parseCidr, parseIp } from '../../lambda/core/cidr';
import type { LaunchConfig, RunConfig, SubnetConfig } from '../../lambda/core/config';
import { DrillLimitExceeded, PlanError } from '../../lambda/core/errors';
import { checkDrillLimit, inTurnOverZones, instanceProfileFor, launchConfigFor, planLaunch, securityGroupsFor } from '../../lambda/core/launch-plan';
import type { MachineSettings } from '../../lambda/core/model';
import { aCompletePoint, aMember, aNewPoint, aRunConfig, at, aVolume, someSettings } from './builders';

const POINT = aCompletePoint(at(0));
const machine = (settings: Partial<MachineSettings>) => aMember('db/i-1', { settings: someSettings(settings) });
const withLaunch = (launch: LaunchConfig, more: Partial<RunConfig> = {}) => aRunConfig({ launch: { db: launch }, ...more });
const plan = (settings: Partial<MachineSettings>, config = aRunConfig(), mode: 'drill' | 'failover' = 'failover', index = 0) => planLaunch(machine(settings), POINT, config, mode, index);

describe('instance type', () => {
  const instanceTypes = { map: { 'm5.large': 'm6i.large' }, fallbacks: [] };
  test.each<[string, RunConfig, string, number]>([
    ['as the source', aRunConfig(), 'm5.large', 0],
    ['by the map', aRunConfig({ instanceTypes }), 'm6i.large', 1],
    ['by the endpoint before the map', withLaunch({ instanceType: 'c5.large' }, { instanceTypes }), 'c5.large', 1],
    ['by the defaults', aRunConfig({ launchDefaults: { instanceType: 't3.small' } }), 't3.small', 1],
    ['of the source when the map names others', aRunConfig({ instanceTypes: { map: { 'm5.xlarge': 'm6i.xlarge' }, fallbacks: [] } }), 'm5.large', 0],
  ])('%s', (_, config, instanceType, notes) => {
    const result = plan({}, config);
    expect(result.instanceType).toBe(instanceType);
    expect(result.notes).toHaveLength(notes);
  });
});

describe('launch method', () => {
  test('plain Linux is launched from an image of its snapshots, also when the defaults name a base image', () => {
    expect(plan({}).launchMethod).toBe('registered-image');
    expect(plan({}, aRunConfig({ launchDefaults: { baseImageId: 'ami-1' } })).launchMethod).toBe('registered-image');
  });

  test.each<[string, Partial<MachineSettings>]>([
    ['Windows', { platformDetails: 'Windows' }],
    ['RHEL', { platformDetails: 'Red Hat Enterprise Linux' }],
    ['a Marketplace machine', { productCodes: ['abc123'] }],
  ])('%s needs a base image', (_, settings) => {
    expect(plan(settings, withLaunch({ baseImageId: 'ami-1' })).launchMethod).toBe('replaced-root');
    expect(() => plan(settings)).toThrow(PlanError);
    expect(() => plan(settings)).toThrow('Give endpoint "db" a base image');
  });

  test('a product code is named', () => {
    expect(() => plan({ productCodes: ['abc123'] })).toThrow('"Linux/UNIX" with product code abc123 needs');
    expect(() => plan({ platformDetails: 'Windows' })).toThrow('"Windows" needs');
  });
});

test('a machine has other disks beside its root', () => {
  const volumes = [0, 1].map((index) => aVolume(index, { recoverySnapshotId: `snap-r${index}` }));
  expect(planLaunch(machine({}), aCompletePoint(at(0), { volumes }), aRunConfig(), 'failover', 0).subnetId).toBe('subnet-a');
});

describe('a point that cannot be launched', () => {
  test.each([
    ['not complete', aNewPoint(1), 'CREATING'],
    ['without a root disk', aCompletePoint(at(0), { volumes: [aVolume(1, { recoverySnapshotId: 'snap' })] }), 'no root disk'],
  ])('%s', (_, point, message) => {
    expect(() => planLaunch(machine({}), point, aRunConfig(), 'failover', 0)).toThrow(message);
  });

  test('no subnet', () => {
    expect(() => plan({}, aRunConfig({ drill: { subnets: [], securityGroupIds: [] } }), 'drill')).toThrow('no drill subnet');
  });
});

describe('place', () => {
  test.each<[string, Partial<MachineSettings>, RunConfig, object, string | undefined]>([
    ['keeps the address where a subnet has it', { privateIp: '10.0.1.20' }, aRunConfig(), { subnetId: 'subnet-b', privateIp: '10.0.1.20' }, undefined],
    ['a new address where none has it', { privateIp: '172.16.0.9' }, aRunConfig(), { subnetId: 'subnet-a' }, 'lies in no failover subnet'],
    ['a new address where AWS needs it', { privateIp: '10.0.1.2' }, aRunConfig(), { subnetId: 'subnet-a' }, 'AWS keeps 10.0.1.2 for itself in subnet-b'],
    ['a new address when told so', { privateIp: '10.0.1.20' }, withLaunch({ keepPrivateIp: false }), { subnetId: 'subnet-a' }, undefined],
    ['the endpoint\'s subnet before the one that has the address', { privateIp: '10.0.1.20' }, withLaunch({ subnetId: 'subnet-a' }), { subnetId: 'subnet-a' }, 'lies in no failover subnet'],
    ['the endpoint\'s subnet, with the address that it has', { privateIp: '10.0.0.20' }, withLaunch({ subnetId: 'subnet-a' }), { subnetId: 'subnet-a', privateIp: '10.0.0.20' }, undefined],
    ['an own subnet of which nothing is known', { privateIp: '10.0.0.20' }, withLaunch({ subnetId: 'subnet-own' }), { subnetId: 'subnet-own' }, 'a new private address'],
  ])('%s', (_, settings, config, place, note) => {
    const { subnetId, privateIp, notes } = plan(settings, config);
    expect({ subnetId, privateIp }).toEqual({ privateIp: undefined, ...place });
    expect(notes.join()).toContain(note ?? '');
    expect(notes).toHaveLength(note === undefined ? 0 : 1);
  });

  test('machines take turns over the zones', () => {
    expect([0, 1, 2, 3].map((index) => plan({}, aRunConfig(), 'failover', index).subnetId)).toEqual(['subnet-a', 'subnet-b', 'subnet-a', 'subnet-b']);
  });

  test('a zone with more subnets gets no more machines in the first round', () => {
    const subnets: SubnetConfig[] = [['a1', 'a'], ['a2', 'a'], ['a3', 'a'], ['b1', 'b'], ['c1', 'c'], ['c2', 'c']].map(([subnetId = '', availabilityZone]) => ({ subnetId, availabilityZone }));
    expect(inTurnOverZones(subnets).map((subnet) => subnet.subnetId)).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3']);
  });

  test('any address is kept only where a machine may have it, and a drill stays in its own network', () => {
    const address = fc.oneof({ arbitrary: fc.integer({ min: 0, max: 2 ** 32 - 1 }), weight: 1 }, { weight: 5, arbitrary: fc.tuple(fc.nat(3), fc.nat(300)).map(([block, offset]) => parseIp('10.0.0.0') + block * 256 + offset) });
    const subnet = fc.record({ address, prefix: fc.integer({ min: 16, max: 28 }), zone: fc.constantFrom('a', 'b') });
    const nets = fc.record({ production: fc.array(subnet, { minLength: 1, maxLength: 4 }), drill: fc.array(subnet, { minLength: 1, maxLength: 3 }), fixed: fc.option(fc.constantFrom('production-0', 'drill-0', 'other'), { nil: undefined }) });
    let kept = 0;
    fc.assert(
      fc.property(address, nets, fc.constantFrom('drill' as const, 'failover' as const), fc.nat(9), (ip, { production, drill, fixed }, mode, index) => {
        const subnetsOf = (name: string, all: typeof production) => all.map((each, number): SubnetConfig => ({ subnetId: `${name}-${number}`, cidr: `${formatIp(each.address)}/${each.prefix}`, availabilityZone: each.zone }));
        const [live, isolated] = [subnetsOf('production', production), subnetsOf('drill', drill)];
        const config = aRunConfig({ production: { subnets: live, securityGroupIds: [] }, drill: { subnets: isolated, securityGroupIds: [] }, launch: { db: { subnetId: fixed } } });
        const result = plan({ privateIp: formatIp(ip) }, config, mode, index);
        const chosen = [...live, ...isolated].find((each) => each.subnetId === result.subnetId);
        if (mode === 'drill') expect(isolated).toContain(chosen);
        if (mode === 'failover' && fixed !== undefined) expect(result.subnetId).toBe(fixed);
        const possible = (mode === 'drill' ? isolated : live).filter((each) => isUsable(parseCidr(each.cidr!), ip));
        if (result.privateIp === undefined) {
          if (fixed === undefined) expect(possible).toEqual([]);
          return;
        }
        kept++;
        const block = parseCidr(chosen!.cidr!);
        const offset = parseIp(result.privateIp) - block.first;
        expect(result.privateIp).toBe(formatIp(ip));
        expect(contains(block, ip)).toBe(true);
        expect([0, 1, 2, 3, block.size - 1]).not.toContain(offset);
      }),
      { numRuns: 1000 },
    );
    expect(kept).toBeGreaterThan(40);
  });
});

describe('a drill', () => {
  test('does not go to the endpoint\'s production subnet, and says so', () => {
    const { subnetId, notes } = plan({}, withLaunch({ subnetId: 'subnet-b' }), 'drill');
    expect(subnetId).toBe('subnet-drill');
    expect(notes.join()).toContain('a drill stays in its own network');
  });

  test('has its own security groups, whatever the endpoint has in production', () => {
    const config = withLaunch({ securityGroupIds: ['sg-own'] });
    const of = (endpoint: string) => ({ endpoint, settings: { securityGroupIds: ['sg-source'] } as unknown as MachineSettings });
    expect(securityGroupsFor(config, of('db'), 'failover')).toEqual(['sg-own']);
    expect(securityGroupsFor(config, of('web'), 'failover')).toEqual(['sg-production']);
    expect(securityGroupsFor(config, of('db'), 'drill')).toEqual(['sg-drill']);
    expect(securityGroupsFor(config, of('db'), 'failback')).toEqual(['sg-source']);
  });

  test('launches no more machines than it may', () => {
    expect(() => checkDrillLimit('drill', 6, aRunConfig())).toThrow(DrillLimitExceeded);
    expect(() => checkDrillLimit('drill', 6, aRunConfig())).toThrow('6 machines, its limit is 5');
    checkDrillLimit('drill', 5, aRunConfig());
    checkDrillLimit('failover', 600, aRunConfig());
  });
});

describe('instance profile', () => {
  const source = someSettings({ instanceProfileArn: 'arn:profile', instanceRoleArn: 'arn:role' });
  test('of the source, when its role may be carried', () => {
    expect(instanceProfileFor(aRunConfig({ passableRoleArns: ['arn:role'] }), 'db', source)).toEqual({ arn: 'arn:profile' });
  });

  test.each([
    ['with another role', source, 'the role arn:role is not'],
    ['whose role is unknown', { ...source, instanceRoleArn: undefined }, 'the role of arn:profile is not'],
  ])('%s is left out with a note', (_, settings, note) => {
    expect(instanceProfileFor(aRunConfig({ passableRoleArns: ['arn:other'] }), 'db', settings)).toEqual({ note: expect.stringContaining(note) });
    expect(plan(settings).notes.join()).toContain('no instance profile');
  });

  test('the configured one comes first; none stays none', () => {
    expect(instanceProfileFor(withLaunch({ instanceProfileArn: 'arn:own' }), 'db', source)).toEqual({ arn: 'arn:own' });
    expect(instanceProfileFor(aRunConfig(), 'db', someSettings())).toEqual({});
  });
});

test('an endpoint\'s settings lie over the defaults, and tags are joined', () => {
  const config = withLaunch({ keyName: 'own', tags: { b: '2' } }, { launchDefaults: { keyName: 'ops', keepUserData: false, tags: { a: '1', b: '1' } } });
  expect(launchConfigFor(config, 'db')).toEqual({ keyName: 'own', keepUserData: false, tags: { a: '1', b: '2' } });
  expect(launchConfigFor(config, 'constructor')).toEqual({ keyName: 'ops', keepUserData: false, tags: { a: '1', b: '1' } });
});
