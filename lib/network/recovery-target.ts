import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { LaunchConfig } from '../../lambda/core/config';
import { CapacityPolicy } from '../policies/capacity-policy';
import { InstanceTypePolicy } from '../policies/instance-type-policy';

/** Where and how machines are launched in a real recovery. */
export interface RecoveryTargetOptions {
  /** Where a machine's private IP lies in one of them, it is launched there; else by turns. @default - the VPC's private subnets */
  readonly subnets?: ec2.SubnetSelection;
  /** @default InstanceTypePolicy.sameAsSource() */
  readonly instanceTypes?: InstanceTypePolicy;
  /**
   * Encrypts the copies, the recovered disks and the catalogue. A key of the recovery Region; its key policy must let IAM
   * policies of this account grant its use.
   * @default - a key of the project's own with yearly rotation
   */
  readonly key?: IKey;
  /** @default - a group whose members reach each other on all ports, and out */
  readonly securityGroups?: ec2.ISecurityGroup[];
  /**
   * Roles that recovered machines may carry. IAM is global: the roles of the source instances serve, and need an explicit
   * name when another Region's stack defines them. A source profile with another role is not attached, which the evidence
   * notes.
   * @default - none
   */
  readonly instanceRoles?: IRole[];
  /** @default CapacityPolicy.none() */
  readonly capacity?: CapacityPolicy;
  /** Ask for the private IP that the source had where a subnet holds it. @default true */
  readonly keepPrivateIps?: boolean;
  /** Give the source's user data to recovered machines. cloud-init runs it again on a new instance id. @default true */
  readonly keepUserData?: boolean;
  /** Name of a key pair in the recovery Region, for all machines. @default - none; the recovered disks hold their authorized keys already */
  readonly keyName?: string;
}

/** What a target is made of. @internal */
export interface BoundTarget {
  readonly subnets: ec2.ISubnet[];
  readonly securityGroups: ec2.ISecurityGroup[];
}

/** Where and how endpoints are launched in the recovery Region. */
export class RecoveryTarget {
  /**
   * A VPC of the recovery Region that exists before a disaster, made in the same app or imported.
   * @throws Error when an empty list of security groups is given
   */
  static inVpc(vpc: ec2.IVpc, options: RecoveryTargetOptions = {}): RecoveryTarget {
    if (options.securityGroups?.length === 0) throw new Error('RecoveryTarget.inVpc(): securityGroups is empty. Leave it out for a group of the project\'s own.');
    return new RecoveryTarget(vpc, options);
  }

  private constructor(
    /** Where machines are launched. */
    readonly vpc: ec2.IVpc,
    /** @internal */
    readonly _options: RecoveryTargetOptions,
  ) {}

  /** @internal */
  get _instanceTypes(): InstanceTypePolicy {
    return this._options.instanceTypes ?? InstanceTypePolicy.sameAsSource();
  }

  /** @internal */
  get _capacity(): CapacityPolicy {
    return this._options.capacity ?? CapacityPolicy.none();
  }

  /** @internal */
  _launchDefaults(): LaunchConfig {
    const { keyName, keepPrivateIps = true, keepUserData = true } = this._options;
    return { keyName, keepPrivateIp: keepPrivateIps, keepUserData };
  }

  /** @internal */
  _bind(scope: Construct): BoundTarget {
    const { subnets } = this.vpc.selectSubnets(this._options.subnets);
    return { subnets, securityGroups: this._options.securityGroups ?? [this.ownGroup(scope)] };
  }

  private ownGroup(scope: Construct): ec2.SecurityGroup {
    const group = new ec2.SecurityGroup(scope, 'RecoveredMachines', { vpc: this.vpc, allowAllOutbound: true, description: 'Recovered machines reach each other' });
    group.addIngressRule(group, ec2.Port.allTraffic(), 'Recovered machines reach each other');
    return group;
  }
}
