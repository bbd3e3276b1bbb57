import { Token } from 'aws-cdk-lib';
import { CfnVPC, type ISubnet, type IVpc } from 'aws-cdk-lib/aws-ec2';
import type { SubnetConfig } from '../../lambda/core/config';

/** The IPv4 block of a VPC where synthesis can know it. */
export function knownCidr(vpc: IVpc): string | undefined {
  const resource = vpc.node.defaultChild;
  const cidr = resource instanceof CfnVPC ? resource.cidrBlock : optional(() => vpc.vpcCidrBlock);
  return cidr === undefined || Token.isUnresolved(cidr) ? undefined : cidr;
}

export function subnetConfig(subnet: ISubnet): SubnetConfig {
  return {
    subnetId: subnet.subnetId,
    cidr: optional(() => subnet.ipv4CidrBlock),
    availabilityZone: optional(() => subnet.availabilityZone),
  };
}

/** Imported networks throw for what they were not told. */
function optional(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
