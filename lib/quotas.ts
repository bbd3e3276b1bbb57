/**
 * Service quotas that the workflow stays under, shared by everything else in the account. Lower them when other systems
 * copy snapshots or launch machines too; raise them after AWS raised the quota.
 */
export interface ServiceQuotas {
  /**
   * Concurrent snapshot copies into the recovery Region that this project may use. 1 or more.
   * @default 20, the quota of a destination Region (adjustable; EC2 service quotas, "Concurrent snapshot copies per destination Region")
   */
  readonly copyConcurrency?: number;

  /**
   * CreateSnapshots calls per second in the source Region that this project may use. Above 0.
   * @default 5, the rate at which EC2 refills the request bucket of a mutating action (EC2 developer guide, "Request throttling")
   */
  readonly snapshotsPerSecond?: number;

  /**
   * RunInstances calls per second in the recovery Region that a recovery run may use. Above 0.
   * @default 2, the rate at which EC2 refills the buckets of RunInstances (EC2 developer guide, "Request throttling")
   */
  readonly launchesPerSecond?: number;
}

/** @internal */
export const DEFAULT_QUOTAS: Required<ServiceQuotas> = { copyConcurrency: 20, snapshotsPerSecond: 5, launchesPerSecond: 2 };
