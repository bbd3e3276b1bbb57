import { needsBillingCode } from '../../core/launch-plan';
import type { EndpointMember, LaunchMethod } from '../../core/model';
import { isGone } from './sides';

export type WayBack =
  | { readonly launchMethod: LaunchMethod; readonly subnetId: string }
  /** Why it cannot come back, in words that say what to do. */
  | { readonly problem: string };

/** How a member comes back: into the machine that it had, or, where that is gone, into a new one in its subnet. */
export function wayBack({ memberId, endpoint, instanceId, settings }: EndpointMember, original: { readonly state: string } | undefined): WayBack {
  const { subnetId, platformDetails } = settings;
  if (!isGone(original)) return { launchMethod: 'swapped-disks', subnetId: subnetId ?? '' };
  if (needsBillingCode(settings)) {
    return { problem: `${memberId}: its machine ${instanceId} is gone, and a new one of platform "${platformDetails}" cannot be made of its disks. Launch one of that platform for endpoint ${endpoint} by hand, and bring its data back from the recovered machine` };
  }
  if (subnetId === undefined) {
    return { problem: `${memberId}: its machine ${instanceId} is gone, and its subnet was not recorded while it was there. Write "settings.subnetId" into its row of the catalogue (pk MEMBERS, sk ${memberId})` };
  }
  return { launchMethod: 'registered-image', subnetId };
}
