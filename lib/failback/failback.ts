import { Duration, Token } from 'aws-cdk-lib';
import type { FailbackConfig } from '../../lambda/core/config';
import type { RecoveryHook } from '../plan/recovery-hook';
import { knownSeconds } from '../policies/duration';
import type { VolumeKey } from '../volume-key';

/** How much of each disk is read in both Regions before the source side works again. */
export class FailbackVerification {
  /** Every block: as many reads as the disk has blocks of 512 KiB, in each Region. */
  static allBlocks(): FailbackVerification {
    return new FailbackVerification(undefined);
  }

  /**
   * Every block that changed between the two synchronisations as far as EBS can tell, and of the others so many, chosen by chance.
   * @param blocks of each disk; from 1
   */
  static sample(blocks: number): FailbackVerification {
    if (!Token.isUnresolved(blocks) && (!Number.isInteger(blocks) || blocks < 1)) throw new Error(`FailbackVerification.sample() takes a whole number of blocks from 1, got ${blocks}.`);
    return new FailbackVerification(blocks);
  }

  private constructor(/** @internal */ readonly _blocks: number | undefined) {}
}

/** Options of `Failback.toSource()`. */
export interface FailbackOptions {
  /**
   * The key, in the source Region, of the disks that come back. It must let EC2 use it for the account.
   * @default - the key that EBS uses by default in the source Region
   */
  readonly key?: VolumeKey;
  /** Run, in this order, before the recovered machines are stopped: close connections, stop writers. @default - none */
  readonly drain?: RecoveryHook[];
  /** How long the recovered machines may take to stop. @default Duration.minutes(10) */
  readonly drainTimeout?: Duration;
  /** How long one synchronisation may take. The first one copies whole disks. @default Duration.hours(12) */
  readonly syncTimeout?: Duration;
  /** @default FailbackVerification.sample(1000) */
  readonly verification?: FailbackVerification;
  /**
   * How long the disks that were in the source machines before, and the recovered machines, stopped, are kept: what was
   * written on both sides can be looked at until then. At least 1 hour.
   * @default Duration.days(7)
   */
  readonly keepReplaced?: Duration;
}

/**
 * The way back to the source Region after a failover: the recovered machines' disks are copied there while they work, then
 * with writes stopped; what was copied is verified; the source machines get the new disks and start; traffic is put back.
 */
export class Failback {
  static toSource(options: FailbackOptions = {}): Failback {
    const keep = knownSeconds('keepReplaced of a failback', options.keepReplaced ?? Duration.days(7));
    if (keep < 3600) throw new Error(`keepReplaced of a failback must be at least 1 hour, got ${keep} seconds.`);
    const sync = knownSeconds('syncTimeout of a failback', options.syncTimeout ?? Duration.hours(12));
    return new Failback(options, keep, sync);
  }

  private constructor(/** @internal */ readonly _options: FailbackOptions, private readonly keepSeconds: number, /** @internal */ readonly _syncSeconds: number) {}

  /** @internal */
  _toConfig(cycleMachineArn: string): FailbackConfig {
    const { drain = [], drainTimeout = Duration.minutes(10), verification = FailbackVerification.sample(1000) } = this._options;
    return {
      cycleMachineArn,
      drain: drain.map((hook) => hook._toConfig()),
      drainTimeoutSeconds: knownSeconds('drainTimeout of a failback', drainTimeout),
      syncTimeoutSeconds: this._syncSeconds,
      ...(verification._blocks === undefined ? {} : { verifyBlocks: verification._blocks }),
      keepReplacedSeconds: this.keepSeconds,
    };
  }
}
