/** What RPO a fleet can have, before anything is deployed. Modelled figures: evidence is measured (evidence.ts). */

export interface FleetLoad {
  readonly members: number;
  readonly volumesPerMember: number;
  readonly intervalSeconds: number;
  /** How long the copy of one disk's changes takes. */
  readonly copySeconds: number;
  readonly copyConcurrency: number;
  readonly snapshotsPerSecond: number;
  /** How long a snapshot takes to complete in the source. @default 0 */
  readonly snapshotSeconds?: number;
}

export interface RpoPrediction {
  /** The most that would be lost when the source is lost at the worst moment. */
  readonly rpoSeconds: number;
  /** The quotas let each cycle's work be done within the interval. */
  readonly feasible: boolean;
  /** What to change first for a better RPO. */
  readonly bottleneck: 'interval' | 'copies' | 'snapshots';
}

/**
 * A point is at its oldest just before the next one of its member is complete: one interval, and the time from snapshot
 * to complete copy, in which the last member of the fleet waits for all copies before its own. When a cycle's work takes
 * longer than the interval, starts are skipped and the interval becomes the next multiple of itself.
 */
export function predictRpo(load: FleetLoad): RpoPrediction {
  const snapshotting = load.members / load.snapshotsPerSecond;
  const copying = Math.ceil((load.members * load.volumesPerMember) / load.copyConcurrency) * load.copySeconds;
  const latency = snapshotting + (load.snapshotSeconds ?? 0) + copying;
  const slowest = Math.max(snapshotting, copying);
  const interval = Math.max(1, Math.ceil(slowest / load.intervalSeconds)) * load.intervalSeconds;
  const bottleneck = latency <= load.intervalSeconds ? 'interval' : copying >= snapshotting ? 'copies' : 'snapshots';
  return { rpoSeconds: interval + latency, feasible: slowest <= load.intervalSeconds, bottleneck };
}

export interface Feasibility extends RpoPrediction {
  /** The objective is kept. */
  readonly meetsObjective: boolean;
  /** What is wrong and what to do, when the objective is not kept. */
  readonly message?: string;
}

const ADVICE: Record<RpoPrediction['bottleneck'], string> = {
  interval: 'shorten the schedule\'s interval or allow a longer RPO',
  copies: 'raise the concurrent-copies quota and copyConcurrency, split the fleet into projects with their own recovery Region, or allow a longer RPO',
  snapshots: 'raise the CreateSnapshots quota and snapshotsPerSecond, or allow a longer RPO',
};

/** Whether a fleet can keep its RPO objective, and what to change if not. */
export function feasibility(load: FleetLoad, objectiveSeconds: number): Feasibility {
  const prediction = predictRpo(load);
  const meetsObjective = prediction.feasible && prediction.rpoSeconds <= objectiveSeconds;
  if (meetsObjective) return { ...prediction, meetsObjective };
  const message =
    `an RPO of ${objectiveSeconds} s cannot be kept: with ${load.members} machines of ${load.volumesPerMember} disks every ` +
    `${load.intervalSeconds} s the predicted RPO is ${Math.ceil(prediction.rpoSeconds)} s; ${ADVICE[prediction.bottleneck]}`;
  return { ...prediction, meetsObjective, message };
}
