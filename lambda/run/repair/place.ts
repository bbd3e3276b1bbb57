import type { RepairConfig, SubnetConfig } from '../../core/config';
import type { MachineSettings } from '../../core/model';

export type Place =
  | { readonly subnetId: string; readonly note?: string }
  /** Why there is none, in words that say what to do. */
  | { readonly problem: string };

/**
 * Where the new machine goes: to the subnet of the old one, or, when its zone is not to be used, to the first configured
 * subnet in a zone that is.
 */
export function placeFor({ subnetId, availabilityZone }: Pick<MachineSettings, 'subnetId' | 'availabilityZone'>, { subnets }: RepairConfig, states: ReadonlyMap<string, string>, avoid: readonly string[]): Place {
  if (subnetId === undefined) return { problem: 'its subnet was not recorded yet; wait for the next protection cycle' };
  const why = availabilityZone === undefined ? undefined : unfit(availabilityZone, states, avoid);
  if (why === undefined) return { subnetId };
  const other = subnets.find((subnet: SubnetConfig) => subnet.availabilityZone !== undefined && unfit(subnet.availabilityZone, states, avoid) === undefined);
  if (other === undefined) return { problem: `zone ${availabilityZone ?? ''} ${why}, and the project's repair names no subnet in another one that is to be used. Give Repair.inSource() subnets in several zones` };
  return { subnetId: other.subnetId, note: `in ${other.availabilityZone ?? ''}, since zone ${availabilityZone ?? ''} ${why}` };
}

/** A zone that EC2 does not list is none that anything can be launched in. */
function unfit(zone: string, states: ReadonlyMap<string, string>, avoid: readonly string[]): string | undefined {
  if (avoid.includes(zone)) return 'is to be avoided';
  const state = states.get(zone);
  return state === 'available' ? undefined : `is ${state ?? 'not listed'}`;
}
