import { Stack } from 'aws-cdk-lib';
import { CustomState } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { WorkflowFunction } from '../functions/workflow-function';
import { STEP_RETRIES } from './retry';

export interface InvocationProps {
  readonly handler: WorkflowFunction;
  /** As ASL: keys that end in `.$` are paths. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** Fields of the answer that are kept. @default - none */
  readonly select?: readonly string[];
  /** Where they are kept. @default - nowhere */
  readonly resultPath?: string;
  /** The answer becomes the output of the state, in place of everything else. @default false */
  readonly answerIsOutput?: boolean;
  /** Path to the seconds that a callback may take; makes the task wait for one. @default - no callback */
  readonly callbackTimeoutPath?: string;
}

/**
 * A task that invokes a function. Written as ASL since the L2 task would widen the role of the state machine to all versions
 * and aliases of the function.
 */
export function invocation(scope: Construct, id: string, props: InvocationProps): CustomState {
  const { handler, payload, select, resultPath, answerIsOutput = false, callbackTimeoutPath } = props;
  const pattern = callbackTimeoutPath === undefined ? '' : '.waitForTaskToken';
  const result = answerIsOutput
    ? { OutputPath: '$.Payload' }
    : { ResultSelector: select && Object.fromEntries(select.map((field) => [`${field}.$`, `$.Payload.${field}`])), ResultPath: resultPath ?? null };
  const task = new CustomState(scope, id, {
    stateJson: {
      Type: 'Task',
      Resource: `arn:${Stack.of(scope).partition}:states:::lambda:invoke${pattern}`,
      Parameters: { FunctionName: handler.function.functionArn, Payload: payload },
      TimeoutSecondsPath: callbackTimeoutPath,
      ...result,
    },
  });
  for (const retry of STEP_RETRIES) task.addRetry(retry);
  return task;
}
