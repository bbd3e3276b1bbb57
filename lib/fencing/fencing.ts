import { Duration, Token } from 'aws-cdk-lib';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { FenceActionConfig, FencingConfig, WhenUnreachable } from '../../lambda/core/fencing';
import { partNameProblem } from '../names';
import { waitSeconds } from '../plan/recovery-hook';
import { knownSeconds } from '../policies/duration';
import { UnreachablePolicy } from './unreachable-policy';

/** Options of every way of fencing. */
export interface FencingOptions {
  /** What happens when the source Region does not answer. @default UnreachablePolicy.onRequest() */
  readonly whenUnreachable?: UnreachablePolicy;
  /** Time after which a machine that is not verified to be fenced counts as not fenced; from 30 seconds to 1 hour. @default Duration.minutes(5) */
  readonly timeout?: Duration;
}

/** Options of stopping the old machines. */
export interface StopFencingOptions extends FencingOptions {
  /** Time after which a machine that has not shut down is switched off. @default Duration.minutes(1) */
  readonly forceAfter?: Duration;
}

/** Options of isolating the old machines. */
export interface IsolateFencingOptions extends FencingOptions {
  /**
   * Id (`sg-…`) of a security group of the source Region without any rule. It takes the place of all groups of each machine,
   * so it must be of their VPC.
   */
  readonly securityGroupId: string;
}

/** Options of revoking sessions. */
export interface RevokeFencingOptions extends FencingOptions {
  /** Roles of the protected machines, each with a `roleName` of its own. Machines with another role count as not fenced. */
  readonly roles: IRole[];
}

/** Options of fencing by a function. */
export interface LambdaFencingOptions extends FencingOptions {
  /** 1 to 64 letters, digits, dots, hyphens, underscores. @default - the function's construct id */
  readonly name?: string;
  /**
   * Fields merged into the event, which has `project`, `runId`, `epoch`, `action`, `sourceRegion`, `idempotencyKey` and
   * `machines` (`memberId`, `endpoint`, `instanceId`).
   * @default - none
   */
  readonly payload?: Record<string, unknown>;
  /** Longest time that one invocation may take, from 1 second to 12 minutes. @default Duration.minutes(2) */
  readonly answerWithin?: Duration;
}

const TIMEOUT = { shortest: Duration.seconds(30), longest: Duration.hours(1), usual: Duration.minutes(5) };
const FORCE_AFTER = Duration.minutes(1);
const ANSWER_WITHIN = Duration.minutes(2);
/** Which of two policies holds when both are given: the one that lets less happen. */
const STRICTEST: readonly WhenUnreachable[] = ['refuse', 'on-request', 'accept'];

/**
 * How a failover makes sure that the old side cannot write, before it launches anything. What was done is verified, and
 * done again when the source Region comes back and its machines run still.
 */
export class Fencing {
  /**
   * Stops the old machines and waits until they are stopped; the surest way for machines that do not stop by themselves. An
   * auto-scaled group would replace them: fence such an endpoint by a function that suspends the group.
   */
  static stopInstances(options: StopFencingOptions = {}): Fencing {
    const forceAfterSeconds = knownSeconds('forceAfter of Fencing.stopInstances', options.forceAfter ?? FORCE_AFTER);
    return new Fencing([{ kind: 'stop', forceAfterSeconds }], options);
  }

  /**
   * Gives each old machine one security group without rules, and keeps its former ones in the record. The machines go on,
   * and so may connections that were open (EC2 user guide, "Connection tracking"). Not for machines with several interfaces.
   */
  static isolate(options: IsolateFencingOptions): Fencing {
    const { securityGroupId } = options;
    const problem = Token.isUnresolved(securityGroupId) || !/^sg-[0-9a-z-]+$/.test(securityGroupId)
      ? [`Fencing.isolate: securityGroupId must be the literal id of a security group of the source Region (sg-…): a reference would tie the two Regions' stacks.`] : [];
    return new Fencing([{ kind: 'isolate', securityGroupId }], options, { problems: problem });
  }

  /**
   * Denies the old machines all that their role allows: sessions issued before, and by name (`ec2:SourceInstanceARN`) those
   * that they would get after. Recovered machines of the same role are not hit. **Depends on IAM's control plane**, which is
   * in us-east-1. It keeps a machine from calling AWS, not from writing to its own disks: combine it with another way.
   */
  static revokeSessions(options: RevokeFencingOptions): Fencing {
    const { roles } = options;
    const problems = roles.length === 0 ? ['Fencing.revokeSessions names no role. Give the roles of the protected machines.'] : [];
    return new Fencing([{ kind: 'revoke-sessions', roleArns: roles.map((role) => role.roleArn), policyName: '' }], options, { problems });
  }

  /**
   * A function in the recovery Region that fences by other means (a storage array, a database, an Auto Scaling group). Told
   * `act: 'fence'` it answers `{ fenced: true }` once it has verified that, else `{ fenced: false, detail }`, with
   * `unreachable: true` when the old side does not answer. A failback tells it `act: 'release'`: it undoes it and answers
   * `{ released: true }`. It may be called again with the same `idempotencyKey`.
   */
  static lambda(handler: IFunction, options: LambdaFencingOptions = {}): Fencing {
    const name = options.name ?? handler.node.id;
    const problem = partNameProblem('a fencing function', name);
    const timeoutSeconds = waitSeconds('answerWithin of Fencing.lambda', options.answerWithin ?? ANSWER_WITHIN);
    return new Fencing(
      [{ kind: 'lambda', name, target: handler.functionArn, parameters: options.payload, timeoutSeconds }],
      { ...options, timeout: options.timeout ?? Duration.seconds(Math.max(TIMEOUT.usual.toSeconds(), 2 * timeoutSeconds)) },
      { problems: problem === undefined ? [] : [problem], functionArns: [handler.functionArn] },
    );
  }

  /** The old side needs no fencing, e.g. since it writes nothing that matters. The evidence says so. */
  static none(): Fencing {
    return new Fencing([], { whenUnreachable: UnreachablePolicy.accept() });
  }

  /** All of them, in this order; each must hold. Of their policies the strictest counts, of their time-outs the longest. */
  static all(...fencings: Fencing[]): Fencing {
    const strictest = STRICTEST.find((policy) => fencings.some((fencing) => fencing.whenUnreachable === policy)) ?? 'on-request';
    const combined = new Fencing(fencings.flatMap(({ actions }) => actions), {}, {
      problems: fencings.flatMap(({ facts }) => facts.problems ?? []), functionArns: fencings.flatMap(({ facts }) => facts.functionArns ?? []),
    });
    combined.whenUnreachable = strictest;
    combined.timeoutSeconds = Math.max(combined.timeoutSeconds, ...fencings.map(({ timeoutSeconds }) => timeoutSeconds));
    return combined;
  }

  private whenUnreachable: WhenUnreachable;
  private timeoutSeconds: number;

  private constructor(
    private readonly actions: readonly FenceActionConfig[],
    options: FencingOptions,
    private readonly facts: { readonly problems?: readonly string[]; readonly functionArns?: readonly string[] } = {},
  ) {
    this.whenUnreachable = (options.whenUnreachable ?? UnreachablePolicy.onRequest())._config;
    this.timeoutSeconds = knownSeconds('The timeout of Fencing', options.timeout ?? TIMEOUT.usual);
  }

  /** Whether there is anything to do. @internal */
  get _active(): boolean {
    return this.actions.length > 0;
  }

  /** @internal */
  get _functionArns(): readonly string[] {
    return this.facts.functionArns ?? [];
  }

  /** @internal */
  _kind<K extends FenceActionConfig['kind']>(kind: K): Extract<FenceActionConfig, { kind: K }>[] {
    return this.actions.filter((action): action is Extract<FenceActionConfig, { kind: K }> => action.kind === kind);
  }

  /** @internal */
  _toConfig(policyName: string, endpoints: FencingConfig['endpoints']): FencingConfig {
    const actions = this.actions.map((action) => (action.kind === 'revoke-sessions' ? { ...action, policyName } : action));
    return { actions, whenUnreachable: this.whenUnreachable, timeoutSeconds: this.timeoutSeconds, endpoints };
  }

  /** @internal */
  _problems(): string[] {
    const { shortest, longest } = TIMEOUT;
    const names = this.actions.map((action) => (action.kind === 'lambda' ? action.name : action.kind));
    const doubled = [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
    return [
      ...this.facts.problems ?? [],
      ...doubled.map((name) => `Fencing has '${name}' twice. Combine them, or give functions other names.`),
      ...(this.timeoutSeconds < shortest.toSeconds() || this.timeoutSeconds > longest.toSeconds()
        ? [`The timeout of Fencing must be from ${shortest.toHumanString()} to ${longest.toHumanString()}, got ${this.timeoutSeconds} s.`] : []),
    ];
  }
}
