import type { IChainable } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { invocation, type InvocationProps } from './invocation';
import { WorkflowStep, type BoundStep } from './workflow-step';

/** A function that does its work in one call. */
export class SingleStep extends WorkflowStep {
  constructor(name: string, private readonly props: InvocationProps) {
    super(name);
  }

  override _bind(scope: Construct): BoundStep {
    const task = invocation(scope, this.name, this.props);
    return { first: task, tasks: [task], then: (next: IChainable) => void task.next(next) };
  }
}
