import { Duration, Token } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { CheckConfig } from '../../lambda/core/config';
import { partNameProblem } from '../names';
import { waitSeconds, type HookTarget } from './recovery-hook';

/** Options of every check. */
export interface RecoveryCheckOptions {
  /** Unique in its wave; 1 to 64 letters, digits, dots, hyphens, underscores. @default - `instance-status`, the function's construct id, or the document's name */
  readonly name?: string;
  /** Longest time until the check must have passed, from 1 second to 12 minutes. @default Duration.minutes(10) */
  readonly timeout?: Duration;
}

/** Options of a check by a function. */
export interface LambdaCheckOptions extends RecoveryCheckOptions {
  /** Fields merged into the event, which is that of a hook. @default - none */
  readonly payload?: Record<string, unknown>;
}

/** Options of a check by an SSM document. */
export interface SsmCheckOptions extends RecoveryCheckOptions {
  /** Parameters of the document; every value is a list of strings. @default - none */
  readonly parameters?: Record<string, string[]>;
}

const DEFAULT_TIMEOUT = Duration.minutes(10);

/** What must hold of every machine of a wave before the next wave starts. A check that does not pass in time ends the run as failed. */
export abstract class RecoveryCheck {
  /** EC2's own two checks, system and instance status, are `ok`. Needs nothing inside the machine. */
  static instanceStatus(options: RecoveryCheckOptions = {}): RecoveryCheck {
    return new Check({ kind: 'instance-status', ...common(options, 'instance-status') }, {});
  }

  /**
   * A function in the recovery Region, invoked until it answers `{ passed: true }` or the time is over.
   * `{ passed: false, detail: '…' }` says why not yet.
   */
  static lambda(handler: IFunction, options: LambdaCheckOptions = {}): RecoveryCheck {
    const config = { kind: 'lambda' as const, target: handler.functionArn, parameters: options.payload, ...common(options, handler.node.id) };
    return new Check(config, { functionArn: handler.functionArn });
  }

  /**
   * An SSM command document that succeeds on every machine of the wave.
   * @param documentName name, or ARN of a shared one, in the recovery Region; names that start with `AWS-` are Amazon's
   */
  static ssmDocument(documentName: string, options: SsmCheckOptions = {}): RecoveryCheck {
    const defaultName = Token.isUnresolved(documentName) ? 'document' : documentName.split('/').at(-1) ?? documentName;
    const config = { kind: 'ssm' as const, target: documentName, parameters: options.parameters, ...common(options, defaultName) };
    return new Check(config, { documentName });
  }

  /** @internal */
  abstract readonly _target: HookTarget;
  /** @internal */
  abstract _toConfig(): CheckConfig;
  /** @internal */
  abstract _problems(): string[];
}

class Check extends RecoveryCheck {
  constructor(private readonly config: CheckConfig, override readonly _target: HookTarget) {
    super();
  }

  override _toConfig(): CheckConfig {
    return this.config;
  }

  override _problems(): string[] {
    const problem = partNameProblem('a check', this.config.name);
    return problem ? [problem] : [];
  }
}

function common(options: RecoveryCheckOptions, defaultName: string): Pick<CheckConfig, 'name' | 'timeoutSeconds'> {
  return { name: options.name ?? defaultName, timeoutSeconds: waitSeconds('The timeout of a check', options.timeout ?? DEFAULT_TIMEOUT) };
}
