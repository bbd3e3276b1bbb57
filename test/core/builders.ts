import type { RunConfig } from '../../lambda/core/config';
import type { EndpointMember, MachineSettings, PointVolume, RecoveryPoint, RunMember, RunRecord } from '../../lambda/core/model';

export const T0 = Date.parse('2030-01-01T00:00:00.000Z');

/** The time so many seconds after T0. */
export function at(seconds: number): string {
  return new Date(T0 + seconds * 1000).toISOString();
}

export function aVolume(index: number, overrides: Partial<PointVolume> = {}): PointVolume {
  return {
    deviceName: index === 0 ? '/dev/xvda' : `/dev/sd${String.fromCharCode(101 + index)}`,
    isRoot: index === 0,
    sourceVolumeId: `vol-${index}`,
    sizeGiB: 8,
    volumeType: 'gp3',
    deleteOnTermination: true,
    ...overrides,
  };
}

/** A point that is just recorded, with so many disks. */
export function aNewPoint(disks = 2, overrides: Partial<RecoveryPoint> = {}): RecoveryPoint {
  return {
    project: 'shop',
    memberId: 'db/i-1',
    pointId: 'p-1',
    cycleId: 'c-1',
    state: 'CREATING',
    createdAt: at(0),
    volumes: Array.from({ length: disks }, (_, index) => aVolume(index)),
    version: 1,
    ...overrides,
  };
}

export function aCompletePoint(consistentAt: string, overrides: Partial<RecoveryPoint> = {}): RecoveryPoint {
  return aNewPoint(1, {
    state: 'COMPLETE',
    consistentAt,
    completedAt: consistentAt,
    volumes: [aVolume(0, { sourceSnapshotId: 'snap-s0', recoverySnapshotId: 'snap-r0' })],
    ...overrides,
  });
}

export function someSettings(overrides: Partial<MachineSettings> = {}): MachineSettings {
  return {
    instanceType: 'm5.large',
    architecture: 'x86_64',
    virtualizationType: 'hvm',
    rootDeviceName: '/dev/xvda',
    platformDetails: 'Linux/UNIX',
    productCodes: [],
    tags: {},
    volumes: [],
    launchTime: at(-1000),
    ...overrides,
  };
}

export function aMember(memberId = 'db/i-1', overrides: Partial<EndpointMember> = {}): EndpointMember {
  const [endpoint = '', instanceId = ''] = memberId.split('/');
  return { memberId, project: 'shop', endpoint, instanceId, firstSeenAt: at(0), lastSeenAt: at(0), settings: someSettings(), findings: [], ...overrides };
}

export function aRunConfig(overrides: Partial<RunConfig> = {}): RunConfig {
  return {
    project: 'shop',
    sourceRegion: 'us-east-1',
    recoveryRegion: 'us-west-2',
    rpoSeconds: 900,
    rtoSeconds: 1800,
    waves: [],
    production: {
      subnets: [
        { subnetId: 'subnet-a', cidr: '10.0.0.0/24', availabilityZone: 'us-west-2a' },
        { subnetId: 'subnet-b', cidr: '10.0.1.0/24', availabilityZone: 'us-west-2b' },
      ],
      securityGroupIds: ['sg-production'],
    },
    drill: { subnets: [{ subnetId: 'subnet-drill', cidr: '10.9.0.0/24', availabilityZone: 'us-west-2a' }], securityGroupIds: ['sg-drill'] },
    drillInstanceLimit: 5,
    drillKeepSeconds: 3600,
    instanceTypes: { map: {}, fallbacks: [] },
    launch: {},
    launchDefaults: {},
    passableRoleArns: [],
    targetKeyArn: 'arn:aws:kms:us-west-2:123456789012:key/k',
    launchesPerSecond: 2,
    ...overrides,
  };
}

export function aRun(overrides: Partial<RunRecord> = {}): RunRecord {
  return {
    project: 'shop',
    runId: 'r-1',
    executionArn: 'arn:aws:states:us-west-2:123456789012:execution:run:r-1',
    mode: 'failover',
    status: 'SUCCEEDED',
    selection: { kind: 'newest' },
    startedAt: at(1000),
    waves: [['db/i-1']],
    ...overrides,
  };
}

export function aRunMember(overrides: Partial<RunMember> = {}): RunMember {
  return {
    runId: 'r-1',
    memberId: 'db/i-1',
    endpoint: 'db',
    wave: 0,
    status: 'PASSED',
    pointId: 'p-1',
    consistentAt: at(700),
    volumes: [],
    settings: someSettings(),
    launchMethod: 'registered-image',
    attempt: 0,
    instanceType: 'm5.large',
    subnetId: 'subnet-a',
    notes: [],
    ...overrides,
  };
}
