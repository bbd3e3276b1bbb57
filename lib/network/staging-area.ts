import { Aws } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { AnyPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { cidrProblem } from './cidr';
import { isolatedVpc } from './isolated-vpc';

/** Options of a staging area in a VPC of its own. */
export interface NewStagingVpcOptions {
  /** IPv4 block of the VPC, /16 to /24. It must not overlap the networks that the staging area is to be connected with. */
  readonly cidr: string;
  /** Availability Zones with a subnet and endpoints each. Interface endpoints are billed by zone. @default 2 */
  readonly maxAzs?: number;
  /** @default - EBS, EC2, KMS, STS and CloudWatch Logs */
  readonly interfaceEndpoints?: ec2.InterfaceVpcEndpointAwsService[];
}

/** Options of a staging area in a VPC that exists. */
export interface ExistingStagingVpcOptions {
  /** @default - the VPC's isolated subnets */
  readonly subnets?: ec2.SubnetSelection;
  /** @default - EBS, EC2, KMS, STS and CloudWatch Logs; give an empty list where the VPC has them */
  readonly interfaceEndpoints?: ec2.InterfaceVpcEndpointAwsService[];
  /** Make gateway endpoints for S3 and DynamoDB. @default true */
  readonly gatewayEndpoints?: boolean;
}

/** What a staging area is made of. */
export interface StagingNetwork {
  readonly vpc: ec2.IVpc;
  /** Isolated: without a route to the internet. */
  readonly subnets: ec2.ISubnet[];
  /** For what replicates: it reaches the endpoints, and nothing else. */
  readonly securityGroup: ec2.SecurityGroup;
  /** Known IPv4 block, to check overlaps. */
  readonly cidr?: string;
}

/**
 * Subnets in the recovery Region through which replication flows and in which nothing of production runs. EC2 instances do
 * not need one, since their snapshots are copied by EBS itself; replication that brings its own data path does.
 */
export abstract class StagingArea {
  /**
   * A VPC with isolated subnets only, and private endpoints for what replication calls.
   * @throws Error when `cidr` is a token, no IPv4 block, or not a /16 to /24
   */
  static inNewVpc(options: NewStagingVpcOptions): StagingArea {
    const problem = cidrProblem('StagingArea.inNewVpc()', options.cidr);
    if (problem) throw new Error(problem);
    return new NewVpc(options);
  }

  /** Isolated subnets of a VPC that exists in the recovery Region. */
  static inVpc(vpc: ec2.IVpc, options: ExistingStagingVpcOptions = {}): StagingArea {
    return new ExistingVpc(vpc, options);
  }

  /** @internal */
  abstract _bind(scope: Construct): StagingNetwork;
}

class NewVpc extends StagingArea {
  constructor(private readonly options: NewStagingVpcOptions) {
    super();
  }

  override _bind(scope: Construct): StagingNetwork {
    const vpc = isolatedVpc(scope, 'Vpc', this.options.cidr, this.options.maxAzs);
    return { ...furnish(scope, vpc, vpc.isolatedSubnets, this.options.interfaceEndpoints, true), cidr: this.options.cidr };
  }
}

class ExistingVpc extends StagingArea {
  constructor(private readonly vpc: ec2.IVpc, private readonly options: ExistingStagingVpcOptions) {
    super();
  }

  override _bind(scope: Construct): StagingNetwork {
    const selection = this.options.subnets ?? { subnetType: ec2.SubnetType.PRIVATE_ISOLATED };
    const subnets = this.vpc.selectSubnets(selection).subnets;
    return furnish(scope, this.vpc, subnets, this.options.interfaceEndpoints, this.options.gatewayEndpoints ?? true);
  }
}

const DEFAULT_ENDPOINTS = [
  ec2.InterfaceVpcEndpointAwsService.EBS_DIRECT,
  ec2.InterfaceVpcEndpointAwsService.EC2,
  ec2.InterfaceVpcEndpointAwsService.KMS,
  ec2.InterfaceVpcEndpointAwsService.STS,
  ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
];

function furnish(
  scope: Construct, vpc: ec2.IVpc, subnets: ec2.ISubnet[], services = DEFAULT_ENDPOINTS, gateways = false,
): StagingNetwork {
  const endpoints = new ec2.SecurityGroup(scope, 'EndpointSecurityGroup', { vpc, allowAllOutbound: false, description: 'Private endpoints of the staging area' });
  const securityGroup = new ec2.SecurityGroup(scope, 'SecurityGroup', { vpc, allowAllOutbound: false, description: 'Replication in the staging area' });
  endpoints.addIngressRule(securityGroup, ec2.Port.tcp(443), 'Replication to the private endpoints');
  securityGroup.addEgressRule(endpoints, ec2.Port.tcp(443), 'Replication to the private endpoints');
  for (const service of services) {
    const endpoint = vpc.addInterfaceEndpoint(`Staging${service.shortName}`, { service, subnets: { subnets }, securityGroups: [endpoints], open: false });
    endpoint.addToPolicy(ownAccountOnly());
  }
  if (gateways) addGateways(vpc, subnets);
  return { vpc, subnets, securityGroup };
}

function addGateways(vpc: ec2.IVpc, subnets: ec2.ISubnet[]): void {
  const services: [string, ec2.GatewayVpcEndpointAwsService][] = [
    ['StagingS3', ec2.GatewayVpcEndpointAwsService.S3], ['StagingDynamoDb', ec2.GatewayVpcEndpointAwsService.DYNAMODB],
  ];
  for (const [id, service] of services) vpc.addGatewayEndpoint(id, { service, subnets: [{ subnets }] }).addToPolicy(ownAccountOnly());
}

/** An endpoint serves this account's principals only, so that it is no way out for data under other credentials. */
function ownAccountOnly(): PolicyStatement {
  return new PolicyStatement({
    principals: [new AnyPrincipal()],
    actions: ['*'],
    resources: ['*'],
    conditions: { StringEquals: { 'aws:PrincipalAccount': Aws.ACCOUNT_ID } },
  });
}
