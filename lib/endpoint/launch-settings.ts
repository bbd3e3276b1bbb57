import type { IInstanceProfile } from 'aws-cdk-lib/aws-iam';
import type { InstanceType, ISecurityGroup, ISubnet } from 'aws-cdk-lib/aws-ec2';
import type { LaunchConfig } from '../../lambda/core/config';

/** What recovered machines get where it differs from what the source instance has. All networks are in the recovery Region. */
export interface LaunchSettings {
  /** @default - by the recovery target's instance-type policy */
  readonly instanceType?: InstanceType;

  /** Used by real recovery only; a drill stays in its own network. @default - the target's subnet that holds the source's private IP, else the next in turn */
  readonly subnet?: ISubnet;

  /** Used by real recovery only; a drill stays in its own network. @default - those of the recovery target */
  readonly securityGroups?: ISecurityGroup[];

  /**
   * Its role must be known (`profile.role`), since only that role is made passable.
   * @default - the source's own profile, when its role is among the target's `instanceRoles`; else none, which the evidence notes
   */
  readonly instanceProfile?: IInstanceProfile;

  /** Name of a key pair in the recovery Region. @default - none: key pairs are Regional, and the recovered disk holds its authorized keys already */
  readonly keyName?: string;

  /** Ask for the source's private IP where the subnet holds it. @default - what the recovery target says */
  readonly keepPrivateIp?: boolean;

  /** Give the source's user data to the recovered machine. @default - what the recovery target says */
  readonly keepUserData?: boolean;

  /** Tags added to those of the source; not `aws:` or `disaster-recovery:`. @default - none */
  readonly tags?: Record<string, string>;

  /**
   * An AMI of the same platform in the recovery Region, whose root volume is replaced by the recovered one. Needed by
   * machines that cannot be launched from an AMI registered from a snapshot: Windows, and Linux with a billing code (RHEL,
   * SLES, Marketplace).
   * @default - an AMI is registered from the root snapshot
   */
  readonly baseImageId?: string;
}

/** @internal */
export function launchConfig(settings: LaunchSettings): LaunchConfig {
  return {
    instanceType: settings.instanceType?.toString(),
    subnetId: settings.subnet?.subnetId,
    securityGroupIds: settings.securityGroups?.map((group) => group.securityGroupId),
    instanceProfileArn: settings.instanceProfile?.instanceProfileArn,
    keyName: settings.keyName,
    keepPrivateIp: settings.keepPrivateIp,
    keepUserData: settings.keepUserData,
    tags: settings.tags,
    baseImageId: settings.baseImageId,
  };
}

/** What is wrong with launch settings. @internal */
export function launchSettingsProblems(owner: string, settings: LaunchSettings): string[] {
  const problems: string[] = [];
  if (settings.instanceProfile && !settings.instanceProfile.role) {
    problems.push(`The instance profile of ${owner} does not say its role, which must be made passable. Import it with InstanceProfile.fromInstanceProfileAttributes({ role, … }).`);
  }
  if (settings.securityGroups?.length === 0) problems.push(`${owner} has an empty list of security groups. Leave it out to use those of the recovery target.`);
  for (const key of Object.keys(settings.tags ?? {})) {
    if (/^(aws|disaster-recovery):/i.test(key)) problems.push(`Tag '${key}' in the launch settings of ${owner} is reserved. Choose another key.`);
  }
  return problems;
}
