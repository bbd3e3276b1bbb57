import { Duration } from 'aws-cdk-lib';
import type { DecisionKind } from '../../lambda/core/detector';
import { knownSeconds } from '../policies/duration';

/** Options of a decision that a person takes. */
export interface ApprovalOptions {
  /** How long it can be taken, from 5 minutes to 7 days; after that nothing is done. @default Duration.hours(1) */
  readonly expires?: Duration;
  /**
   * Also send links that answer in a browser, after a page that asks again. They lead to a public address (a Lambda function
   * URL): who has the mail can answer, once, until it expires. Without them answering takes an IAM permission, see
   * `DisasterRecovery.grantApprove()`.
   * @default false
   */
  readonly links?: boolean;
}

const DEFAULT_EXPIRES = Duration.hours(1);
const SHORTEST = Duration.minutes(5);
const LONGEST = Duration.days(7);

/** What follows when a detector sees a failure. */
export class DecisionMode {
  /** The failover starts by itself. Declare fencing with it: nobody else makes sure that the source does not write any more. */
  static automatic(): DecisionMode {
    return new DecisionMode('automatic');
  }

  /** A person is asked, and the failover starts when they approve in time. */
  static approval(options: ApprovalOptions = {}): DecisionMode {
    const expires = options.expires ?? DEFAULT_EXPIRES;
    const seconds = knownSeconds('expires of an approval', expires);
    if (seconds < SHORTEST.toSeconds() || seconds > LONGEST.toSeconds()) {
      throw new Error(`expires of an approval must be from ${SHORTEST.toHumanString()} to ${LONGEST.toHumanString()}, got ${expires.toHumanString()}.`);
    }
    return new DecisionMode('approval', seconds, options.links ?? false);
  }

  /** People are told, and nothing is started. */
  static notify(): DecisionMode {
    return new DecisionMode('notify');
  }

  private constructor(
    /** @internal */
    readonly _kind: DecisionKind,
    /** @internal */
    readonly _expiresSeconds?: number,
    /** @internal */
    readonly _links = false,
  ) {}
}
