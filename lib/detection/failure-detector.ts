import { Duration } from 'aws-cdk-lib';
import type { DetectionPolicy } from '../../lambda/core/detector';
import type { ProtectedEndpoint } from '../endpoint/protected-endpoint';
import type { ProjectContext } from '../functions/context';
import { partNameProblem } from '../names';
import { knownSeconds, wholeNumber } from '../policies/duration';
import { DecisionMode } from './decision-mode';
import type { MaintenanceWindow } from './maintenance-window';
import type { Signal } from './signal';

/** What a signal that cannot be read counts as. */
export enum UnknownSignal {
  /** As if it had not been looked at: it neither adds to a failure nor to a recovery. */
  IGNORED = 'ignored',
  HEALTHY = 'healthy',
  UNHEALTHY = 'unhealthy',
}

/** A limit to what happens by itself. */
export interface ActionLimit {
  /** Automatic failovers. At least 1. */
  readonly count: number;
  /** In this time. At least 1 hour. */
  readonly period: Duration;
}

/** How a detector decides. */
export interface FailureDetectorOptions {
  /** For messages, and as who requested a run. @default - `project`, or the names of the endpoints */
  readonly name?: string;
  /** @default DecisionMode.approval() */
  readonly mode?: DecisionMode;
  /** Unhealthy observations in a row after which a signal shows a failure. At least 1. @default 3 */
  readonly consecutiveFailures?: number;
  /** Healthy observations in a row after which a signal has recovered. At least 1. @default 5 */
  readonly recoveryAfter?: number;
  /** @default UnknownSignal.IGNORED */
  readonly unknown?: UnknownSignal;
  /** @default - none */
  readonly maintenanceWindows?: MaintenanceWindow[];
  /** Beyond it people are told instead. @default - one automatic failover a day */
  readonly maxActionsPer?: ActionLimit;
  /** Time after a decision in which there is no other. @default Duration.minutes(30) */
  readonly cooldown?: Duration;
  /** What fails over. @default - the whole project */
  readonly endpoints?: ProtectedEndpoint[];
  /** Time between two looks at the signals, in whole minutes from 1 minute to 1 hour. @default Duration.minutes(1) */
  readonly interval?: Duration;
  /**
   * Repair the endpoints in the source Region in place of failing them over.
   * @default - true for a detector of endpoints in a project that declares `repair`
   */
  readonly repair?: boolean;
}

const INTERVAL = { shortest: Duration.minutes(1), longest: Duration.hours(1) };
const SHORTEST_PERIOD = Duration.hours(1);
/** Scheduler starts within the minute: a look that is due may come this much early. */
const EARLY_SECONDS = 30;
/** Missed looks after which what was in a row before is not in a row any more. */
const MISSED = 5;

/** Watches signals from the recovery Region and decides when they amount to a failure. */
export class FailureDetector {
  /**
   * A failure is when at least `quorum` of the signals show one at the same time. It is decided upon once, until so many
   * signals have recovered that no quorum of them is left.
   */
  static quorum(quorum: number, signals: Signal[], options: FailureDetectorOptions = {}): FailureDetector {
    return new FailureDetector(quorum, [...signals], options);
  }

  /** @internal */
  readonly _name: string;
  /** @internal */
  readonly _mode: DecisionMode;
  /** Seconds between two looks. @internal */
  readonly _intervalSeconds: number;
  private readonly policy: Omit<DetectionPolicy, 'project'>;

  private constructor(
    private readonly needed: number,
    /** @internal */
    readonly _signals: readonly Signal[],
    private readonly options: FailureDetectorOptions,
  ) {
    const interval = options.interval ?? INTERVAL.shortest;
    const { maxActionsPer } = options;
    this._mode = options.mode ?? DecisionMode.approval();
    this._name = options.name ?? (options.endpoints === undefined ? 'project' : options.endpoints.map(({ name }) => name).join('_').slice(0, 64));
    this._intervalSeconds = knownSeconds('interval of a detector', interval);
    if (this._intervalSeconds % 60 !== 0 || this._intervalSeconds < INTERVAL.shortest.toSeconds() || this._intervalSeconds > INTERVAL.longest.toSeconds()) {
      throw new Error(`interval of a detector must be whole minutes from ${INTERVAL.shortest.toHumanString()} to ${INTERVAL.longest.toHumanString()}, got ${interval.toHumanString()}.`);
    }
    this.policy = {
      scope: this._scope,
      signals: _signals.map(({ _name }) => _name),
      quorum: wholeNumber('quorum of a detector', needed, 1),
      consecutiveFailures: wholeNumber('consecutiveFailures of a detector', options.consecutiveFailures ?? 3, 1),
      recoveryAfter: wholeNumber('recoveryAfter of a detector', options.recoveryAfter ?? 5, 1),
      unknown: options.unknown ?? UnknownSignal.IGNORED,
      mode: this._mode._kind,
      maintenanceWindows: (options.maintenanceWindows ?? []).map(({ _config }) => _config),
      maxActions: { count: wholeNumber('maxActionsPer.count', maxActionsPer?.count ?? 1, 1), seconds: period(maxActionsPer?.period ?? Duration.days(1)) },
      cooldownSeconds: knownSeconds('cooldown of a detector', options.cooldown ?? Duration.minutes(30)),
      spacingSeconds: this._intervalSeconds - EARLY_SECONDS,
      gapSeconds: this._intervalSeconds * MISSED,
    };
  }

  /** @internal */
  get _repair(): boolean | undefined {
    return this.options.repair;
  }

  /** @internal */
  get _endpoints(): readonly ProtectedEndpoint[] | undefined {
    return this.options.endpoints;
  }

  /** Two detectors of one scope would decide about the same failure. @internal */
  get _scope(): string {
    return this.options.endpoints === undefined ? 'project' : `endpoints/${this.options.endpoints.map(({ name }) => name).sort().join(',')}`;
  }

  /** @internal */
  _policy(project: string): DetectionPolicy {
    return { project, ...this.policy };
  }

  /** What is wrong with it by itself. @internal */
  _problems(context: ProjectContext): string[] {
    const problems: string[] = [];
    const named = partNameProblem('a detector', this._name);
    if (named) problems.push(named);
    const what = `Detector '${this._name}'`;
    const names = this._signals.map(({ _name }) => _name);
    if (names.length === 0) problems.push(`${what} has no signals. Give it at least as many as its quorum of ${this.needed}.`);
    else if (this.needed > names.length) problems.push(`${what} has a quorum of ${this.needed} and ${names.length} signals: it would never decide. Add signals or lower the quorum.`);
    for (const name of new Set(names.filter((one, index) => names.indexOf(one) !== index))) problems.push(`${what} has two signals named '${name}'. Give one of them another name.`);
    if (this.options.endpoints?.length === 0) problems.push(`${what} names no endpoint. Leave endpoints out to watch the whole project.`);
    return [...problems, ...this._signals.flatMap((signal) => signal._problems({ context }).map((problem) => `${what}: ${problem}`))];
  }
}

function period(duration: Duration): number {
  const seconds = knownSeconds('maxActionsPer.period', duration);
  if (seconds < SHORTEST_PERIOD.toSeconds()) throw new Error(`maxActionsPer.period must be at least ${SHORTEST_PERIOD.toHumanString()}, got ${duration.toHumanString()}.`);
  return seconds;
}
