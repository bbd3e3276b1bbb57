import { Duration } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { knownSeconds, wholeNumber } from '../policies/duration';
import { cidrProblem } from './cidr';
import { isolatedVpc } from './isolated-vpc';
import { knownCidr } from './vpc-facts';

/** What bounds a drill. */
export interface DrillLimits {
  /** Most machines that one drill may launch; a larger plan is refused before anything is launched. At least 1. @default 50 */
  readonly instanceLimit?: number;
  /** How long a drill's machines live, whatever becomes of its run. From 5 minutes (teardown looks every 5 minutes) to 7 days. @default Duration.hours(1) */
  readonly keepFor?: Duration;
}

/** A drill network that the construct makes. */
export interface IsolatedDrillOptions extends DrillLimits {
  /** IPv4 block of the drill's VPC, /16 to /24. It must not overlap the recovery VPC or the staging area. @default '192.168.240.0/20' */
  readonly cidr?: string;
  /** Availability Zones with a subnet each. @default 2 */
  readonly maxAzs?: number;
  /**
   * AWS services that machines of a drill may reach privately, e.g. SSM for hooks that run documents.
   * @default - none: a drill reaches nothing but itself
   */
  readonly interfaceEndpoints?: ec2.InterfaceVpcEndpointAwsService[];
}

/** A drill network that exists. */
export interface DrillVpcOptions extends DrillLimits {
  /** They must be isolated: without a route to the internet. @default - the VPC's isolated subnets */
  readonly subnets?: ec2.SubnetSelection;
}

/** What a drill network is made of. */
export interface DrillNetwork {
  readonly vpc: ec2.IVpc;
  readonly subnets: ec2.ISubnet[];
  /** Its members reach each other and nothing else. */
  readonly securityGroup: ec2.SecurityGroup;
  /** IPv4 block of the VPC, where known at synthesis. */
  readonly cidr?: string;
}

const DEFAULT_CIDR = '192.168.240.0/20';
const DEFAULT_INSTANCE_LIMIT = 50;
const SHORTEST = Duration.minutes(5);
const LONGEST = Duration.days(7);

/** Where drills run, and their limits. A drill is isolated by its network: there is no route to production. */
export abstract class DrillPolicy {
  /**
   * In a VPC that the construct makes: isolated subnets, no internet gateway, NAT or peering.
   * @throws Error when a limit or the block is out of range or not known at synthesis
   */
  static isolated(options: IsolatedDrillOptions = {}): DrillPolicy {
    const problem = cidrProblem('DrillPolicy.isolated()', options.cidr ?? DEFAULT_CIDR);
    if (problem) throw new Error(problem);
    return new OwnVpc(options);
  }

  /**
   * In isolated subnets of a VPC that exists. That the VPC is not peered or attached to a transit gateway is not checked.
   * @throws Error when a limit is out of range or not known at synthesis
   */
  static inVpc(vpc: ec2.IVpc, options: DrillVpcOptions = {}): DrillPolicy {
    return new GivenVpc(vpc, options);
  }

  /** Most machines that one drill may launch. */
  readonly instanceLimit: number;
  /** How long a drill's machines live. */
  readonly keepFor: Duration;

  protected constructor(limits: DrillLimits) {
    this.instanceLimit = wholeNumber('DrillPolicy instanceLimit', limits.instanceLimit ?? DEFAULT_INSTANCE_LIMIT, 1);
    this.keepFor = limits.keepFor ?? Duration.hours(1);
    const seconds = knownSeconds('DrillPolicy keepFor', this.keepFor);
    if (seconds < SHORTEST.toSeconds() || seconds > LONGEST.toSeconds()) {
      throw new Error(`DrillPolicy keepFor must be from ${SHORTEST.toHumanString()} to ${LONGEST.toHumanString()}, got ${this.keepFor.toHumanString()}.`);
    }
  }

  /** @internal */
  abstract _bind(scope: Construct): DrillNetwork;
}

class OwnVpc extends DrillPolicy {
  constructor(private readonly options: IsolatedDrillOptions) {
    super(options);
  }

  override _bind(scope: Construct): DrillNetwork {
    const cidr = this.options.cidr ?? DEFAULT_CIDR;
    const vpc = isolatedVpc(scope, 'Vpc', cidr, this.options.maxAzs);
    const securityGroup = ownTrafficOnly(scope, vpc);
    for (const service of this.options.interfaceEndpoints ?? []) {
      const endpoint = vpc.addInterfaceEndpoint(`Drill${service.shortName}`, { service, open: false });
      endpoint.connections.allowFrom(securityGroup, ec2.Port.tcp(443), 'Drill to a private endpoint');
    }
    return { vpc, subnets: vpc.isolatedSubnets, securityGroup, cidr };
  }
}

class GivenVpc extends DrillPolicy {
  constructor(private readonly vpc: ec2.IVpc, private readonly options: DrillVpcOptions) {
    super(options);
  }

  override _bind(scope: Construct): DrillNetwork {
    const { subnets } = this.vpc.selectSubnets(this.options.subnets ?? { subnetType: ec2.SubnetType.PRIVATE_ISOLATED });
    return { vpc: this.vpc, subnets, securityGroup: ownTrafficOnly(scope, this.vpc), cidr: knownCidr(this.vpc) };
  }
}

function ownTrafficOnly(scope: Construct, vpc: ec2.IVpc): ec2.SecurityGroup {
  const group = new ec2.SecurityGroup(scope, 'SecurityGroup', { vpc, allowAllOutbound: false, description: 'Drill machines reach each other and nothing else' });
  group.addIngressRule(group, ec2.Port.allTraffic(), 'Drill machines reach each other');
  group.addEgressRule(group, ec2.Port.allTraffic(), 'Drill machines reach each other');
  return group;
}
