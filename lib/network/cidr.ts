import { Token } from 'aws-cdk-lib';
import { overlaps, parseCidr } from '../../lambda/core/cidr';

/** A VPC's IPv4 block is a /16 to a /28 (VPC user guide, "VPC CIDR blocks"); below /24 two zones have too little room. */
const SMALLEST_PREFIX = 16;
const LARGEST_PREFIX = 24;

/** Why a block cannot be that of a VPC made here, or undefined. */
export function cidrProblem(owner: string, cidr: string): string | undefined {
  if (Token.isUnresolved(cidr)) return `${owner}: cidr must be known at synthesis, since subnets are computed from it. Give a literal block.`;
  const prefix = Number(cidr.split('/')[1]);
  try {
    parseCidr(cidr);
  } catch {
    return `${owner}: cidr '${cidr}' is no IPv4 block such as 10.64.0.0/20.`;
  }
  if (prefix < SMALLEST_PREFIX || prefix > LARGEST_PREFIX) {
    return `${owner}: cidr '${cidr}' must be a /${SMALLEST_PREFIX} to /${LARGEST_PREFIX}.`;
  }
  return undefined;
}

/** Whether two blocks are known to overlap. What is not known at synthesis, or not IPv4, is not known to. */
export function knownToOverlap(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined || Token.isUnresolved(a) || Token.isUnresolved(b)) return false;
  try {
    return overlaps(parseCidr(a), parseCidr(b));
  } catch {
    return false;
  }
}
