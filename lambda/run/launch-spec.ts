import type { RunConfig } from '../core/config';
import { siteOf } from '../core/direction';
import { clientToken, imageName } from '../core/ids';
import { instanceProfileFor, launchConfigFor, securityGroupsFor } from '../core/launch-plan';
import type { PointVolume, RunMember, RunMode, RunRecord } from '../core/model';
import type { DiskMapping, ImageSpec, LaunchSpec } from '../adapters/ports/recovery-machines';
import { runTags } from './run';

/** EC2 allows 50 tags on a resource. */
const TAGS_MAX = 50;

/** A disk as it was. A drill's goes with its machine, whatever the source's setting: nothing of a drill may stay. */
export function diskOf(volume: PointVolume, record: RunRecord): DiskMapping {
  return {
    deviceName: volume.deviceName,
    snapshotId: volume.recoverySnapshotId ?? '',
    volumeType: volume.volumeType,
    sizeGiB: volume.sizeGiB,
    iops: volume.iops,
    throughput: volume.throughput,
    deleteOnTermination: record.mode === 'drill' || volume.deleteOnTermination,
  };
}

/** The image from the copies of all disks; it lives only until the machine runs. */
export function imageSpec(member: RunMember, record: RunRecord): ImageSpec {
  const { settings } = member;
  return {
    name: imageName(record.project, record.runId, member.memberId, member.pointId, member.attempt),
    description: `${member.memberId} as of ${member.consistentAt}`,
    architecture: settings.architecture,
    virtualizationType: settings.virtualizationType,
    rootDeviceName: settings.rootDeviceName,
    bootMode: settings.bootMode,
    enaSupport: settings.enaSupport,
    sriovNetSupport: settings.sriovNetSupport,
    tpmSupport: settings.tpmSupport,
    uefiData: settings.uefiData,
    disks: member.volumes.map((volume) => diskOf(volume, record)),
    tags: runTags(record, member),
  };
}

/** The user's own tags as far as there is room, those of this package always. */
export function machineTags(member: RunMember, record: RunRecord, config: RunConfig): Record<string, string> {
  const ours = runTags(record, member);
  const theirs = Object.entries({ ...member.settings.tags, ...launchConfigFor(config, member.endpoint, record.mode).tags }).filter(([key]) => !(key in ours));
  return { ...Object.fromEntries(theirs.slice(0, TAGS_MAX - Object.keys(ours).length)), ...ours };
}

/** A client token that carries the epoch: what a run launched is never taken for what another one asks for. */
export function epochOf({ epoch }: RunRecord): number[] {
  return epoch === undefined ? [] : [epoch];
}

export function launchSpec(member: RunMember, imageId: string, record: RunRecord, config: RunConfig): LaunchSpec {
  const { settings, endpoint } = member;
  const launch = launchConfigFor(config, endpoint, record.mode);
  const fromBase = member.launchMethod === 'replaced-root';
  return {
    clientToken: clientToken(record.project, record.runId, member.memberId, member.attempt, ...epochOf(record)),
    imageId,
    instanceType: member.instanceType,
    subnetId: member.subnetId,
    privateIp: member.privateIp,
    securityGroupIds: securityGroupsFor(config, member, record.mode),
    instanceProfileArn: instanceProfileFor(config, endpoint, settings, record.mode).arn,
    // A key pair belongs to a Region: the source's is not there.
    keyName: siteOf(record.mode) === 'source' ? settings.keyName : launch.keyName,
    // The base image must not act on it: it is set once the machine's own root is in place.
    userData: launch.keepUserData === false || fromBase ? undefined : settings.userData,
    httpTokens: settings.httpTokens,
    httpPutResponseHopLimit: settings.httpPutResponseHopLimit,
    ebsOptimized: settings.ebsOptimized,
    ...reservationOf(member, config, record.mode),
    disks: fromBase ? member.volumes.filter(({ isRoot }) => !isRoot).map((volume) => diskOf(volume, record)) : [],
    tags: machineTags(member, record, config),
  };
}

/** A reservation is for one type in one zone; whether it fits this machine, EC2 says. */
export function reservationOf(member: RunMember, config: RunConfig, mode: RunMode): Pick<LaunchSpec, 'capacityReservationId' | 'capacityReservationGroupArn'> {
  if (member.unreserved === true || siteOf(mode) === 'source') return {};
  return { capacityReservationId: config.capacityReservationId, capacityReservationGroupArn: config.capacityReservationGroupArn };
}
