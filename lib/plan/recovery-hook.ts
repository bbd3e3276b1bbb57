import { Duration, Token } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { HookConfig } from '../../lambda/core/config';
import type { ProtectedEndpoint } from '../endpoint/protected-endpoint';
import { partNameProblem } from '../names';
import { knownSeconds } from '../policies/duration';

/** What a recovery run does when a hook fails or runs out of time. */
export enum HookFailure {
  /** The run ends as failed. */
  FAIL = 'fail',
  /** The failure is recorded in the evidence and the run goes on. */
  CONTINUE = 'continue',
}

/** Options of every hook. */
export interface RecoveryHookOptions {
  /** Unique in its wave and phase; 1 to 64 letters, digits, dots, hyphens, underscores. @default - the function's construct id, or the document's name */
  readonly name?: string;
  /** Longest time that the hook may take, from 1 second to 12 minutes. @default Duration.minutes(5) */
  readonly timeout?: Duration;
  /** @default HookFailure.FAIL */
  readonly onFailure?: HookFailure;
}

/** Options of a hook that invokes a function. */
export interface LambdaHookOptions extends RecoveryHookOptions {
  /**
   * Fields merged into the event, which has `project`, `runId`, `mode`, `wave`, `phase`, `hook`, `idempotencyKey` and
   * `members` (`memberId`, `endpoint`, `instanceId`, `privateIp`).
   * @default - none
   */
  readonly payload?: Record<string, unknown>;
}

/** Options of a hook that runs an SSM document. */
export interface SsmHookOptions extends RecoveryHookOptions {
  /** Parameters of the document; every value is a list of strings. @default - none */
  readonly parameters?: Record<string, string[]>;
  /** Endpoints on whose recovered machines the document runs. @default - all of the wave */
  readonly endpoints?: ProtectedEndpoint[];
}

/** What may be granted to a function that runs hooks or checks. @internal */
export interface HookTarget {
  readonly functionArn?: string;
  readonly documentName?: string;
}

/** The function that waits for a hook has 15 minutes at most; what it needs around the wait takes the rest. */
export const LONGEST_WAIT = Duration.minutes(12);
const DEFAULT_TIMEOUT = Duration.minutes(5);

/**
 * Something that is done before or after a wave of a recovery run. It may be repeated: make it idempotent by `idempotencyKey`.
 * Drills run it too, with `mode` `drill`: what touches production (DNS, partners, mail) must look at it.
 */
export abstract class RecoveryHook {
  /** Invokes a function in the recovery Region. An error that it throws is the hook's failure. */
  static lambda(handler: IFunction, options: LambdaHookOptions = {}): RecoveryHook {
    const base = common(options, handler.node.id);
    return new Hook({ ...base, kind: 'lambda', target: handler.functionArn, parameters: options.payload }, { functionArn: handler.functionArn });
  }

  /**
   * Runs an SSM command document on recovered machines, which need the SSM agent, an instance profile that lets it register
   * and a way to the SSM endpoints.
   * @param documentName name, or ARN of a shared one, in the recovery Region; names that start with `AWS-` are Amazon's
   */
  static ssmDocument(documentName: string, options: SsmHookOptions = {}): RecoveryHook {
    const base = common(options, Token.isUnresolved(documentName) ? 'document' : documentName.split('/').at(-1) ?? documentName);
    return new Hook({ ...base, kind: 'ssm', target: documentName, parameters: options.parameters }, { documentName }, options.endpoints ?? []);
  }

  /** @internal */
  abstract readonly _endpoints: readonly ProtectedEndpoint[];
  /** @internal */
  abstract readonly _target: HookTarget;
  /** @internal */
  abstract _toConfig(): HookConfig;
  /** @internal */
  abstract _problems(): string[];
}

class Hook extends RecoveryHook {
  constructor(
    private readonly config: HookConfig,
    override readonly _target: HookTarget,
    override readonly _endpoints: readonly ProtectedEndpoint[] = [],
  ) {
    super();
  }

  override _toConfig(): HookConfig {
    return this._endpoints.length === 0 ? this.config : { ...this.config, endpoints: this._endpoints.map((endpoint) => endpoint.name) };
  }

  override _problems(): string[] {
    const problem = partNameProblem('a hook', this.config.name);
    return problem ? [problem] : [];
  }
}

function common(options: RecoveryHookOptions, defaultName: string): Pick<HookConfig, 'name' | 'timeoutSeconds' | 'onFailure'> {
  return {
    name: options.name ?? defaultName,
    timeoutSeconds: waitSeconds('The timeout of a hook', options.timeout ?? DEFAULT_TIMEOUT),
    onFailure: options.onFailure ?? HookFailure.FAIL,
  };
}

/** @internal */
export function waitSeconds(what: string, timeout: Duration): number {
  const seconds = knownSeconds(what, timeout);
  if (seconds < 1 || seconds > LONGEST_WAIT.toSeconds()) {
    throw new Error(`${what} must be from 1 second to ${LONGEST_WAIT.toHumanString()}, got ${timeout.toHumanString()}.`);
  }
  return Math.ceil(seconds);
}
