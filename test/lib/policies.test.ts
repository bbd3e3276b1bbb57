import { Duration, Lazy, Token } from 'aws-cdk-lib';
import { InstanceType } from 'aws-cdk-lib/aws-ec2';
import {
  CapacityPolicy, DrillPolicy, InstanceTypePolicy, ProtectionSchedule, RecoveryCheck, RetentionPolicy, StagingArea, VolumeKey,
} from '../../lib';
import { thrown } from './support/project';

const unknownDuration = Duration.seconds(Token.asNumber(Lazy.number({ produce: () => 60 })));
const unknownNumber = Token.asNumber(Lazy.number({ produce: () => 3 }));
const unknownText = Lazy.string({ produce: () => '10.0.0.0/16' });

describe('ProtectionSchedule.every', () => {
  test.each([[Duration.minutes(1), 60], [Duration.minutes(5), 300], [Duration.hours(8), 28_800]])('%s is accepted', (interval, seconds) => {
    expect(ProtectionSchedule.every(interval).interval.toSeconds()).toBe(seconds);
  });

  test.each([
    [Duration.seconds(30), 'whole minutes from 1 to 480, got 30 seconds'],
    [Duration.seconds(90), 'got 1 minute 30 seconds'],
    [Duration.minutes(481), 'got 8 hours 1 minute'],
    [unknownDuration, 'must be known at synthesis'],
  ])('%s is refused', (interval, message) => {
    expect(thrown(() => ProtectionSchedule.every(interval))).toContain(message);
  });
});

describe('RetentionPolicy', () => {
  test('keepLast', () => {
    expect(RetentionPolicy.keepLast(3)._toConfig()).toEqual({ kind: 'last', count: 3 });
    expect(thrown(() => RetentionPolicy.keepLast(0))).toBe('RetentionPolicy.keepLast() must be a whole number of at least 1, got 0.');
    expect(thrown(() => RetentionPolicy.keepLast(1.5))).toContain('got 1.5');
    expect(thrown(() => RetentionPolicy.keepLast(unknownNumber))).toContain('must be known at synthesis');
  });

  test('keepFor', () => {
    expect(RetentionPolicy.keepFor(Duration.days(2))._toConfig()).toEqual({ kind: 'for', seconds: 172_800 });
    expect(thrown(() => RetentionPolicy.keepFor(Duration.seconds(10)))).toContain('nothing would be kept');
    expect(thrown(() => RetentionPolicy.keepFor(unknownDuration))).toContain('must be known at synthesis');
  });

  test('tiered', () => {
    expect(RetentionPolicy.tiered({ hourly: 24, yearly: 1 })._toConfig()).toEqual({ kind: 'tiered', hourly: 24, daily: 0, weekly: 0, monthly: 0, yearly: 1 });
    expect(thrown(() => RetentionPolicy.tiered({}))).toContain('keeps nothing');
    expect(thrown(() => RetentionPolicy.tiered({ hourly: 0, daily: 0 }))).toContain('keeps nothing');
    expect(thrown(() => RetentionPolicy.tiered({ daily: -1 }))).toContain('RetentionPolicy.tiered() daily must be a whole number of at least 0, got -1');
  });
});

test('InstanceTypePolicy', () => {
  const types = (name: string) => new InstanceType(name);
  expect(InstanceTypePolicy.sameAsSource()._toConfig()).toEqual({ map: {}, fallbacks: [] });
  const mapped = InstanceTypePolicy.mapped({ 'm5.large': types('m6i.large') });
  expect(mapped._toConfig()).toEqual({ map: { 'm5.large': 'm6i.large' }, fallbacks: [] });
  expect(mapped.withFallbacks(types('m5.large'), types('m5a.large')).withFallbacks(types('m4.large'))._toConfig())
    .toEqual({ map: { 'm5.large': 'm6i.large' }, fallbacks: ['m5.large', 'm5a.large', 'm4.large'] });
  expect(mapped._toConfig().fallbacks).toEqual([]);
});

test('CapacityPolicy', () => {
  expect(CapacityPolicy.none()._bind()).toEqual({});
  expect(CapacityPolicy.reservation('cr-0a1')._bind()).toEqual({ reservationId: 'cr-0a1' });
  expect(CapacityPolicy.reservation(unknownText)._bind().reservationId).toBe(unknownText);
  expect(thrown(() => CapacityPolicy.reservation('r-1'))).toContain("got 'r-1'");
  expect(thrown(() => CapacityPolicy.resourceGroup('group/x'))).toContain("takes the ARN of a resource group, got 'group/x'");
});

test('VolumeKey', () => {
  expect(thrown(() => VolumeKey.fromArn('arn:aws:kms:us-east-1:111122223333:alias/x'))).toContain('For an alias use VolumeKey.fromAlias()');
  expect(thrown(() => VolumeKey.fromAlias('x'))).toContain("got 'x'");
});

describe('DrillPolicy', () => {
  test('defaults', () => {
    const policy = DrillPolicy.isolated();
    expect([policy.instanceLimit, policy.keepFor.toSeconds()]).toEqual([50, 3600]);
  });

  test.each([
    [{ instanceLimit: 0 }, 'DrillPolicy instanceLimit must be a whole number of at least 1, got 0'],
    [{ instanceLimit: unknownNumber }, 'must be known at synthesis'],
    [{ keepFor: Duration.minutes(4) }, 'DrillPolicy keepFor must be from 5 minutes to 7 days, got 4 minutes'],
    [{ keepFor: Duration.days(8) }, 'got 8 days'],
    [{ cidr: '10.0.0.0/25' }, "cidr '10.0.0.0/25' must be a /16 to /24"],
    [{ cidr: '10.0.0/20' }, 'is no IPv4 block'],
    [{ cidr: unknownText }, 'cidr must be known at synthesis'],
  ])('%j is refused', (options, message) => {
    expect(thrown(() => DrillPolicy.isolated(options))).toContain(message);
  });
});

test.each([['10.0.0.0/8', 'must be a /16 to /24'], ['fd00::/64', 'is no IPv4 block'], [unknownText, 'must be known']])('StagingArea refuses %s', (cidr, message) => {
  expect(thrown(() => StagingArea.inNewVpc({ cidr }))).toContain(message);
});

test.each([[Duration.millis(500), 'from 1 second to 12 minutes'], [Duration.minutes(13), 'got 13 minutes'], [unknownDuration, 'must be known']])(
  'the timeout of a check: %s is refused', (timeout, message) => {
    expect(thrown(() => RecoveryCheck.instanceStatus({ timeout }))).toContain(message);
  },
);
