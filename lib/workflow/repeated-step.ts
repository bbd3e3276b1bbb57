import type { Duration } from 'aws-cdk-lib';
import { Choice, Condition, Wait, WaitTime, type IChainable } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { WorkflowFunction } from '../functions/workflow-function';
import { invocation } from './invocation';
import { WorkflowStep, type BoundStep } from './workflow-step';

export interface RepeatedStepProps {
  readonly handler: WorkflowFunction;
  readonly payload: Readonly<Record<string, unknown>>;
  /** Time between two calls. @default - `waitSeconds` of the answer */
  readonly pause?: Duration;
}

/** Where the last answer of a repeated step is kept; the next step writes over it. */
export const STEP = '$.step';

/** A function that is called again, after a pause, until it says that it is done. */
export class RepeatedStep extends WorkflowStep {
  constructor(name: string, private readonly props: RepeatedStepProps) {
    super(name);
  }

  override _bind(scope: Construct): BoundStep {
    const { handler, payload, pause } = this.props;
    const select = pause ? ['done'] : ['done', 'waitSeconds'];
    const task = invocation(scope, this.name, { handler, payload, select, resultPath: STEP });
    const wait = new Wait(scope, `${this.name}: pause`, { time: pause ? WaitTime.duration(pause) : WaitTime.secondsPath(`${STEP}.waitSeconds`) });
    const choice = new Choice(scope, `${this.name}: done?`);
    task.next(choice);
    wait.next(task);
    return {
      first: task,
      tasks: [task],
      then: (next: IChainable) => void choice.when(Condition.booleanEquals(`${STEP}.done`, true), next).otherwise(wait),
    };
  }
}
