import { isIPv4 } from 'node:net';
import { InvalidCidr } from './errors';

/** An IPv4 block: its first address as a number, and how many it has. */
export interface Cidr {
  readonly first: number;
  readonly size: number;
}

/** AWS keeps the first four addresses and the last one of every subnet. (VPC user guide, "Subnet CIDR blocks".) */
const RESERVED_AT_START = 4;
const RESERVED_AT_END = 1;

/** An IPv4 address as a number. */
export function parseIp(text: string): number {
  if (!isIPv4(text)) throw new InvalidCidr(text);
  return text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function formatIp(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

/** Address bits beyond the prefix are dropped, as AWS does. */
export function parseCidr(text: string): Cidr {
  const [, ip, prefix] = /^([^/]+)\/(\d{1,2})$/.exec(text) ?? [];
  if (ip === undefined || !isIPv4(ip) || Number(prefix) > 32) throw new InvalidCidr(text);
  const size = 2 ** (32 - Number(prefix));
  const address = parseIp(ip);
  return { first: address - (address % size), size };
}

export function contains(block: Cidr, address: number): boolean {
  return address >= block.first && address < block.first + block.size;
}

export function overlaps(a: Cidr, b: Cidr): boolean {
  return a.first < b.first + b.size && b.first < a.first + a.size;
}

/** The address lies in the subnet and a machine may have it. */
export function isUsable(subnet: Cidr, address: number): boolean {
  return address >= subnet.first + RESERVED_AT_START && address < subnet.first + subnet.size - RESERVED_AT_END;
}
