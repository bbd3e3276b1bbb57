import fc from 'fast-check';
import { departedMembers, memberIdOf, membersAt, reconcileMembers, type FoundMember } from '../../lambda/core/members';
import type { EndpointMember } from '../../lambda/core/model';
import { aMember, at, someSettings } from './builders';

const found = (memberId: string, overrides: Partial<FoundMember> = {}): FoundMember => {
  const [endpoint = '', instanceId = ''] = memberId.split('/');
  return { endpoint, instanceId, settings: someSettings(), findings: [], ...overrides };
};
const ids = (members: readonly EndpointMember[]) => members.map((member) => member.memberId);
const ENDPOINTS = ['web', 'db'];
const apply = (known: readonly EndpointMember[], seen: readonly FoundMember[], now: string) => {
  const { upserts, unchanged } = reconcileMembers(known, seen, now, 'shop', ENDPOINTS);
  return [...unchanged, ...upserts];
};

describe('a discovery', () => {
  test('records a new member with what was found', () => {
    const result = reconcileMembers([], [found('web/i-1', { findings: ['an instance-store volume is not protected'] })], at(5), 'shop', ENDPOINTS);
    expect(result).toEqual({
      upserts: [{ ...aMember('web/i-1'), firstSeenAt: at(5), lastSeenAt: at(5), findings: ['an instance-store volume is not protected'] }],
      unchanged: [], added: ['web/i-1'], gone: [], emptyEndpoints: [],
    });
  });

  test('writes nothing for a member that is as it was, however its properties are ordered or spelled out', () => {
    const { tags, volumes, ...rest } = someSettings({ keyName: 'ops' });
    const again = { volumes, tags, ...rest, bootMode: undefined };
    const known = aMember('web/i-1', { settings: someSettings({ keyName: 'ops' }) });
    expect(reconcileMembers([known], [found('web/i-1', { settings: again })], at(500_000), 'shop', ENDPOINTS)).toMatchObject({ upserts: [], unchanged: [known] });
  });

  test.each<[string, Partial<FoundMember>]>([
    ['settings', { settings: someSettings({ instanceType: 'm5.xlarge' }) }],
    ['findings', { findings: ['new'] }],
  ])('writes a member whose %s changed, and keeps what replication has achieved', (_, change) => {
    const known = aMember('web/i-1', { newestPointAt: at(3) });
    expect(reconcileMembers([known], [found('web/i-1', change)], at(9), 'shop', ENDPOINTS).upserts).toEqual([{ ...known, ...change, lastSeenAt: at(9) }]);
  });

  test('marks a member missing once, when others of its endpoint are there', () => {
    const known = [aMember('web/i-1'), aMember('web/i-2')];
    const first = reconcileMembers(known, [found('web/i-1')], at(5), 'shop', ENDPOINTS);
    expect(first.gone).toEqual(['web/i-2']);
    expect(first.upserts).toEqual([{ ...known[1], missingSince: at(5) }]);
    const second = reconcileMembers([known[0]!, first.upserts[0]!], [found('web/i-1')], at(9), 'shop', ENDPOINTS);
    expect(second).toMatchObject({ upserts: [], gone: [] });
  });

  test('finding nothing of an endpoint is no news about its members', () => {
    const known = [aMember('web/i-1'), aMember('db/i-2')];
    expect(reconcileMembers(known, [found('db/i-2')], at(5), 'shop', ENDPOINTS)).toMatchObject({ upserts: [], unchanged: known, emptyEndpoints: ['web'] });
  });

  test('members of an endpoint that was taken out of the project are missing, once', () => {
    const known = [aMember('web/i-1'), aMember('old/i-2', { newestPointAt: at(3) })];
    const first = reconcileMembers(known, [found('web/i-1')], at(5), 'shop', ENDPOINTS);
    expect(first).toMatchObject({ gone: ['old/i-2'], upserts: [{ ...known[1], missingSince: at(5), withdrawn: true }] });
    expect(reconcileMembers([known[0]!, first.upserts[0]!], [found('web/i-1')], at(9), 'shop', ENDPOINTS)).toMatchObject({ upserts: [], gone: [] });
  });

  test('an endpoint that is declared again has its members back, also before they are found', () => {
    const withdrawn = aMember('web/i-1', { missingSince: at(5), withdrawn: true });
    expect(reconcileMembers([withdrawn], [], at(9), 'shop', ENDPOINTS).upserts).toEqual([aMember('web/i-1', { missingSince: at(5) })]);
    expect(reconcileMembers([withdrawn], [found('web/i-1')], at(9), 'shop', ENDPOINTS).upserts).toEqual([{ ...aMember('web/i-1'), lastSeenAt: at(9) }]);
  });

  test('a member that comes back is missing no longer', () => {
    const gone = aMember('web/i-1', { missingSince: at(5) });
    const [back] = reconcileMembers([gone], [found('web/i-1')], at(9), 'shop', ENDPOINTS).upserts;
    expect(back).toEqual({ ...aMember('web/i-1'), lastSeenAt: at(9) });
    expect(back).not.toHaveProperty('missingSince');
  });
});

test('over any discoveries: each member ever seen is known once, and present exactly if the last finding of its endpoint had it', () => {
  const discovery = fc.uniqueArray(fc.tuple(fc.constantFrom('web', 'db'), fc.constantFrom('i-1', 'i-2', 'i-3')), { selector: (pair) => pair.join('/'), maxLength: 5 });
  fc.assert(
    fc.property(fc.array(discovery, { maxLength: 12 }), (discoveries) => {
      let known: EndpointMember[] = [];
      const last = new Map<string, Set<string>>();
      const firstSeen = new Map<string, string>();
      discoveries.forEach((pairs, index) => {
        known = apply(known, pairs.map(([endpoint, instance]) => found(memberIdOf(endpoint, instance))), at(index));
        for (const endpoint of new Set(pairs.map(([name]) => name))) last.set(endpoint, new Set(pairs.filter(([name]) => name === endpoint).map((pair) => pair.join('/'))));
        for (const pair of pairs) if (!firstSeen.has(pair.join('/'))) firstSeen.set(pair.join('/'), at(index));
      });
      expect(new Map(known.map((member) => [member.memberId, member.firstSeenAt]))).toEqual(firstSeen);
      expect(known).toHaveLength(firstSeen.size);
      for (const member of known) expect(member.missingSince === undefined).toBe(last.get(member.endpoint)!.has(member.memberId));
      expect(new Set(ids(membersAt(known, undefined)))).toEqual(new Set(known.filter((member) => member.missingSince === undefined).map((member) => member.memberId)));
    }),
  );
});

test('over any discoveries: at each past time the members are those that were present then', () => {
  const discovery = fc.uniqueArray(fc.constantFrom<string[]>('web/i-1', 'web/i-2', 'web/i-3'), { minLength: 1 });
  fc.assert(
    fc.property(fc.array(discovery, { minLength: 1, maxLength: 6 }), (discoveries) => {
      let known: EndpointMember[] = [];
      const present: string[][] = [];
      const returned = new Set<string>();
      discoveries.forEach((seen, index) => {
        for (const member of known) if (member.missingSince !== undefined && seen.includes(member.memberId)) returned.add(member.memberId);
        known = apply(known, seen.map((memberId) => found(memberId)), at(index));
        present.push([...seen]);
      });
      present.forEach((then, index) => {
        const recovered = ids(membersAt(known, at(index + 0.5)));
        // A member that left and came back counts as there all the while: recovering one too many is the safe side.
        expect(recovered.filter((memberId) => !returned.has(memberId)).sort()).toEqual(then.filter((memberId) => !returned.has(memberId)).sort());
        for (const memberId of then) expect(recovered).toContain(memberId);
      });
    }),
  );
});

test('forgotten are those missing for longer than they are kept, unless nothing of their endpoint is found', () => {
  const members = [
    aMember('web/i-1'), aMember('web/i-2', { missingSince: at(0) }), aMember('web/i-3', { missingSince: at(50) }), aMember('db/i-4', { missingSince: at(0) }),
    aMember('old/i-5', { missingSince: at(0), withdrawn: true }),
  ];
  expect(departedMembers(members, ['db'], 100, at(101))).toEqual(['web/i-2', 'old/i-5']);
  expect(departedMembers(members, ['db'], 100, at(100))).toEqual([]);
});

describe('who is recovered', () => {
  const attacked = [
    aMember('web/i-1', { newestPointAt: at(50), missingSince: at(60) }),
    aMember('web/i-2', { newestPointAt: at(50), missingSince: at(70) }),
    aMember('web/i-3', { newestPointAt: at(100) }),
    aMember('web/i-4', { firstSeenAt: at(80), newestPointAt: at(100) }),
  ];

  test.each<[string, number, string[]]>([
    ['before an attacker deleted machines, with those, and without what was put in their place', 55, ['web/i-1', 'web/i-2', 'web/i-3']],
    ['in the midst of it', 65, ['web/i-2', 'web/i-3']],
    ['at the moment at which one was found missing', 60, ['web/i-2', 'web/i-3']],
    ['after it', 90, ['web/i-3', 'web/i-4']],
    ['when they were first seen', 0, ['web/i-1', 'web/i-2', 'web/i-3']],
    ['before there was anything', -1, []],
  ])('%s', (_, time, expected) => {
    expect(ids(membersAt(attacked, at(time)))).toEqual(expected);
  });

  test('of an endpoint that was taken out of the project: nobody, unless it is named', () => {
    const members = [aMember('web/i-1', { newestPointAt: at(9) }), aMember('old/i-2', { newestPointAt: at(9), missingSince: at(20), withdrawn: true })];
    for (const time of [undefined, at(10)]) {
      expect(ids(membersAt(members, time))).toEqual(['web/i-1']);
      expect(ids(membersAt(members, time, ['old']))).toContain('old/i-2');
    }
  });

  test('now: those present', () => {
    expect(ids(membersAt(attacked, undefined))).toEqual(['web/i-3', 'web/i-4']);
  });

  test('a replacement that has no recovery point yet does not displace the machine that went', () => {
    const replaced = [aMember('db/i-1', { newestPointAt: at(50), missingSince: at(60) }), aMember('db/i-2', { firstSeenAt: at(60) })];
    expect(ids(membersAt(replaced, undefined))).toEqual(['db/i-1']);
  });

  test('when all are missing: those that went last and have a point', () => {
    const all = [
      aMember('db/i-1', { newestPointAt: at(10), missingSince: at(20) }),
      aMember('db/i-2', { newestPointAt: at(30), missingSince: at(40) }),
      aMember('db/i-3', { newestPointAt: at(30), missingSince: at(40) }),
      aMember('db/i-4', { missingSince: at(50) }),
    ];
    expect(ids(membersAt(all, undefined))).toEqual(['db/i-2', 'db/i-3']);
  });

  test('a member without a point is named when there is nobody to stand in', () => {
    expect(ids(membersAt([aMember('db/i-1'), aMember('db/i-2', { missingSince: at(1) })], undefined))).toEqual(['db/i-1']);
  });
});
