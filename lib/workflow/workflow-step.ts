import type { CustomState, IChainable, State } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';

/** A step in its place in a state machine. */
export interface BoundStep {
  /** Where it is entered. */
  readonly first: State;
  /** The states that may fail, for the workflow to catch. */
  readonly tasks: readonly CustomState[];
  /** Says what comes after it. */
  then(next: IChainable): void;
}

/**
 * One step of a workflow: which states it consists of, and what of their results is kept. Results are selected field by
 * field, so that the state passed on stays small (Step Functions allows 256 KiB) and a handler that breaks its contract
 * fails at once.
 */
export abstract class WorkflowStep {
  constructor(
    /** Id of its states; shown in the console. */
    protected readonly name: string,
  ) {}

  abstract _bind(scope: Construct): BoundStep;
}
