import { Duration } from 'aws-cdk-lib';
import { Choice, Condition, Fail, Succeed, type State, type StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { CycleConfig } from '../../lambda/core/config';
import type { ProjectContext } from '../functions/context';
import type { CycleFunctions } from '../functions/cycle-functions';
import { invocation } from './invocation';
import { RepeatedStep } from './repeated-step';
import { SingleStep } from './single-step';
import { configure, workflowMachine } from './workflow-machine';
import type { WorkflowStep } from './workflow-step';
import { WokenStep } from './woken-step';

export interface CycleWorkflowProps {
  readonly context: ProjectContext;
  readonly functions: CycleFunctions;
  /** @default cycle */
  readonly part?: 'cycle' | 'return-cycle';
  readonly intervalSeconds: number;
  /** Called when the app is synthesized: endpoints are still added after construction. */
  readonly config: () => CycleConfig;
}

const IN_CYCLE = { 'config.$': '$.config', 'cycle.$': '$.cycle' };
/** A cycle ends by its own deadline; this ends one that hangs, and the next takes over its lock. */
const SHORTEST_TIMEOUT_SECONDS = 3600;

/** The protection cycle: discover, snapshot, replicate and commit, prune. One execution advances the whole project. */
export class CycleWorkflow extends Construct {
  readonly machine: StateMachine;

  constructor(scope: Construct, id: string, props: CycleWorkflowProps) {
    super(scope, id);
    const { begin, discover, snapshot, replicate, wait, prune } = props.functions;
    const steps: WorkflowStep[] = [
      new SingleStep('Discover', { handler: discover, payload: IN_CYCLE }),
      new RepeatedStep('Snapshot', { handler: snapshot, payload: IN_CYCLE }),
      new WokenStep('Replicate', { handler: replicate, waiter: wait, payload: IN_CYCLE }),
      new RepeatedStep('Prune', { handler: prune, payload: IN_CYCLE, pause: Duration.seconds(1) }),
    ];
    const first = this.chain(steps, props.functions);
    const skipped = new Succeed(this, 'Another cycle is running');
    // Protecting the side that is not active would make the older data look like the newer.
    const suspended = new Succeed(this, 'Suspended');
    const beginTask = invocation(this, 'Begin', {
      handler: begin,
      payload: { 'config.$': '$.config', 'executionArn.$': '$$.Execution.Id', 'startedAt.$': '$$.Execution.StartTime' },
      select: ['outcome', 'reason', 'cycleId', 'startedAt', 'deadline'],
      resultPath: '$.cycle',
    });
    const definition = configure(this, props.config).next(beginTask).next(
      new Choice(this, 'Started?').when(Condition.stringEquals('$.cycle.outcome', 'started'), first)
        .when(Condition.stringEquals('$.cycle.outcome', 'suspended'), suspended).otherwise(skipped),
    );
    this.machine = workflowMachine(this, {
      context: props.context,
      part: props.part ?? 'cycle',
      comment: props.part === 'return-cycle' ? 'Return cycle, of a failback: discover, snapshot, replicate, commit, prune' : 'Protection cycle: discover, snapshot, replicate, commit, prune',
      definition,
      functions: props.functions.steps,
      timeout: Duration.seconds(Math.max(SHORTEST_TIMEOUT_SECONDS, 2 * props.intervalSeconds)),
      logData: false,
    });
  }

  /** The steps in their order; whatever fails in one of them, the lock is released and the cycle reported. */
  private chain(steps: readonly WorkflowStep[], { finish }: CycleFunctions): State {
    const failed = new Fail(this, 'Cycle failed', { errorPath: '$.error.Error', causePath: '$.error.Cause' });
    const report = invocation(this, 'Finish after a failure', { handler: finish, payload: { ...IN_CYCLE, 'error.$': '$.error' } });
    report.next(failed);
    const finishTask = invocation(this, 'Finish', { handler: finish, payload: IN_CYCLE, answerIsOutput: true });
    finishTask.next(new Succeed(this, 'Cycle finished'));
    const bound = steps.map((step) => step._bind(this));
    bound.forEach((step, index) => step.then(bound[index + 1]?.first ?? finishTask));
    for (const task of bound.flatMap((step) => step.tasks)) task.addCatch(report, { resultPath: '$.error' });
    const [first] = bound;
    if (!first) throw new Error('A cycle has steps.');
    return first.first;
  }
}

