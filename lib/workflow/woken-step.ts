import { Choice, Condition, Errors, JsonPath, type IChainable } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { WorkflowFunction } from '../functions/workflow-function';
import { invocation } from './invocation';
import { STEP, type RepeatedStepProps } from './repeated-step';
import { WorkflowStep, type BoundStep } from './workflow-step';

export interface WokenStepProps extends Omit<RepeatedStepProps, 'pause'> {
  /** Stores the token with which an event ends the pause. */
  readonly waiter: WorkflowFunction;
}

/**
 * A repeated step whose pause is a callback: an event ends it early. Without the event its time-out ends it, so a lost event
 * costs time and nothing else.
 */
export class WokenStep extends WorkflowStep {
  constructor(name: string, private readonly props: WokenStepProps) {
    super(name);
  }

  override _bind(scope: Construct): BoundStep {
    const { handler, payload, waiter } = this.props;
    const task = invocation(scope, this.name, { handler, payload, select: ['done', 'waitSeconds'], resultPath: STEP });
    const wait = invocation(scope, `${this.name}: wait for an event`, {
      handler: waiter,
      payload: { ...payload, 'token.$': '$$.Task.Token' },
      callbackTimeoutPath: `${STEP}.waitSeconds`,
    });
    const choice = new Choice(scope, `${this.name}: done?`);
    task.next(choice);
    wait.next(task);
    wait.addCatch(task, { errors: [Errors.TIMEOUT], resultPath: JsonPath.DISCARD });
    return {
      first: task,
      tasks: [task, wait],
      then: (next: IChainable) => void choice.when(Condition.booleanEquals(`${STEP}.done`, true), next).otherwise(wait),
    };
  }
}
