import { Duration, Token } from 'aws-cdk-lib';
import type { RepairConfig } from '../../lambda/core/config';
import type { RecoveryHook } from '../plan/recovery-hook';
import { knownSeconds } from '../policies/duration';
import type { SwapIn } from './swap-in';

/** A subnet of the source Region, by literals: its stack must not be referred to. */
export interface RepairSubnet {
  readonly subnetId: string;
  readonly availabilityZone: string;
}

/** Options of `Repair.inSource()`. */
export interface RepairOptions {
  /** Where a new machine may go if the zone of the old one is not to be used, the best first. @default - it is refused then */
  readonly subnets?: RepairSubnet[];
  /** How long the replaced machine, stopped, is kept. At least 1 hour. @default Duration.days(7) */
  readonly keepReplaced?: Duration;
}

/** What a repair does for the machines of one endpoint, beside launching them. */
export interface EndpointRepair {
  /** Run on each new machine, in this order, before the checks of its wave: dependencies first, then the application. @default - none */
  readonly redeploy?: RecoveryHook[];
  /** Done in this order once the checks have passed. @default - none: the machine gets a new address, and nothing else is changed */
  readonly swapIn?: SwapIn[];
}

/**
 * How machines that failed alone are replaced in the source Region: the failed one is stopped, a new one is launched from its
 * newest recovery point, redeployed to, checked, and swapped in. Started by a run in mode `repair`, or by a failure detector
 * of endpoints.
 */
export class Repair {
  static inSource(options: RepairOptions = {}): Repair {
    const keep = knownSeconds('keepReplaced of a repair', options.keepReplaced ?? Duration.days(7));
    if (keep < 3600) throw new Error(`keepReplaced of a repair must be at least 1 hour, got ${keep} seconds.`);
    for (const { subnetId, availabilityZone } of options.subnets ?? []) {
      if (Token.isUnresolved(subnetId) || Token.isUnresolved(availabilityZone) || !/^subnet-[0-9a-f]+$/.test(subnetId)) {
        throw new Error(`Repair.inSource() takes subnets by literal ids such as subnet-0123456789abcdef0 and their zones, got '${subnetId}' in '${availabilityZone}'.`);
      }
    }
    return new Repair(options, keep);
  }

  private constructor(private readonly options: RepairOptions, private readonly keepSeconds: number) {}

  /** @internal */
  _toConfig(endpoints: RepairConfig['endpoints']): RepairConfig {
    return { subnets: this.options.subnets ?? [], endpoints, keepReplacedSeconds: this.keepSeconds };
  }
}
