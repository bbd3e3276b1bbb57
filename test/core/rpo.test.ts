import { achievedRpoSeconds, rpoDeadline, worstRpo } from '../../lambda/core/rpo';
import { epochMs, secondsBetween } from '../../lambda/core/time';
import { aMember, at, T0 } from './builders';

test('what would be lost is the age of the newest point', () => {
  expect(achievedRpoSeconds(at(40), at(100))).toBe(60);
});

test('without a point there is no figure, and a clock behind the source gives none below 0', () => {
  expect(achievedRpoSeconds(undefined, at(100))).toBeUndefined();
  expect(achievedRpoSeconds(at(101), at(100))).toBe(0);
});

test.each([
  ['from the newest point', aMember('a/1', { newestPointAt: at(50) }), 50],
  ['from when it was first seen', aMember('a/1', { firstSeenAt: at(30) }), 30],
  ['from now at the latest', aMember('a/1', { newestPointAt: at(9_999) }), 100],
])('the deadline counts %s', (_, member, seconds) => {
  expect(rpoDeadline(member, 900, at(100))).toBe(T0 + (seconds + 900) * 1000);
});

test('the worst of those that are there', () => {
  const members = [
    aMember('a/1', { newestPointAt: at(90) }),
    aMember('a/2', { newestPointAt: at(60) }),
    aMember('a/6', { newestPointAt: at(60) }),
    aMember('a/3', { newestPointAt: at(0), missingSince: at(80) }),
    aMember('a/4'),
    aMember('a/5', { missingSince: at(80) }),
  ];
  expect(worstRpo(members, at(100))).toEqual({ seconds: 40, memberId: 'a/2', withoutPoint: ['a/4'] });
});

test('with no points there is no worst', () => {
  expect(worstRpo([aMember('a/1')], at(1))).toEqual({ withoutPoint: ['a/1'] });
});

test('times are read in any zone', () => {
  expect(secondsBetween('2030-01-01T01:00:00+01:00', '2030-01-01T00:00:05.500Z')).toBe(5.5);
});

test.each(['2030-01-01', '2030-01-01T00:00:00', 'now', '', '2030-13-01T00:00:00Z'])('"%s" is no time', (text) => {
  expect(() => epochMs(text)).toThrow('ISO 8601');
});
