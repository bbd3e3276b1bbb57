import { RemovalPolicy } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

/** The same block and layout in both Regions, so that recovered machines can keep their private addresses. */
const CIDR = '10.10.0.0/16';

/** The shop's network: two zones, isolated subnets, one security group. */
export class ShopNetwork extends Construct {
  readonly vpc: ec2.Vpc;
  readonly machines: ec2.SecurityGroup;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.vpc = new ec2.Vpc(this, 'Vpc', {
      ipAddresses: ec2.IpAddresses.cidr(CIDR),
      maxAzs: 2,
      natGateways: 0,
      subnetConfiguration: [{ name: 'Machines', subnetType: ec2.SubnetType.PRIVATE_ISOLATED, cidrMask: 20 }],
      restrictDefaultSecurityGroup: false,
    });
    const logGroup = new LogGroup(this, 'FlowLogs', { retention: RetentionDays.ONE_WEEK, removalPolicy: RemovalPolicy.DESTROY });
    this.vpc.addFlowLog('FlowLog', { destination: ec2.FlowLogDestination.toCloudWatchLogs(logGroup) });
    this.machines = new ec2.SecurityGroup(this, 'Machines', { vpc: this.vpc, description: 'The shop talks to itself' });
    this.machines.addIngressRule(this.machines, ec2.Port.allTcp(), 'The shop talks to itself');
  }
}
