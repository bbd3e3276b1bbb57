import { Duration } from 'aws-cdk-lib';
import { JitterType, type RetryProps } from 'aws-cdk-lib/aws-stepfunctions';

/**
 * Lambda itself failed before or while it ran the function (Step Functions developer guide, "Handle transient Lambda
 * service exceptions"). Waiting helps; the function has not decided anything.
 */
export const LAMBDA_SERVICE_FAILURES: RetryProps = {
  errors: ['Lambda.ServiceException', 'Lambda.AWSLambdaException', 'Lambda.SdkClientException', 'Lambda.TooManyRequestsException'],
  interval: Duration.seconds(2),
  maxAttempts: 6,
  backoffRate: 2,
  maxDelay: Duration.seconds(60),
  jitterStrategy: JitterType.FULL,
};

/** The function was killed: out of time, out of memory, a lost host. Every step goes on from what it finds, so it is called again. */
export const KILLED: RetryProps = {
  errors: ['Lambda.Unknown', 'Sandbox.Timedout', 'Runtime.ExitError'],
  interval: Duration.seconds(1),
  maxAttempts: 3,
  backoffRate: 2,
};

/**
 * What the domain refuses stays refused: no retry. Names of the errors in lambda/core and of the steps, which are stable.
 */
export const REFUSED: RetryProps = {
  errors: [
    'PlanError', 'DrillLimitExceeded', 'WaveError', 'CycleError', 'InvalidCidr', 'InvalidTime',
    'EnvironmentError', 'InvalidRequest', 'NothingToRecover', 'LaunchFailed', 'CheckFailed', 'HookFailed', 'CutoverFailed',
    'FenceFailed', 'SyncFailed', 'DrainFailed', 'LeaseHeld', 'StaleEpoch',
  ],
  maxAttempts: 0,
};

/** Anything else that a step failed with, e.g. an API that answered errors for longer than the SDK tried. Steps are idempotent. */
export const STEP_FAILED: RetryProps = {
  errors: ['States.TaskFailed'],
  interval: Duration.seconds(5),
  maxAttempts: 2,
  backoffRate: 2,
};

/** In the order in which Step Functions tries them: the first that names the error counts. */
export const STEP_RETRIES: readonly RetryProps[] = [REFUSED, LAMBDA_SERVICE_FAILURES, KILLED, STEP_FAILED];
