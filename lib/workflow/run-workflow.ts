import { Duration } from 'aws-cdk-lib';
import { Choice, Condition, Fail, JsonPath, Map as MapState, Pass, Succeed, type IChainable, type StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { RunConfig } from '../../lambda/core/config';
import type { ProjectContext } from '../functions/context';
import type { RunFunctions } from '../functions/run-functions';
import { invocation } from './invocation';
import { RepeatedStep } from './repeated-step';
import { configure, workflowMachine } from './workflow-machine';
import type { WorkflowStep } from './workflow-step';

export interface RunWorkflowProps {
  readonly context: ProjectContext;
  readonly functions: RunFunctions;
  /** Called when the app is synthesized: waves are still added after construction. */
  readonly config: () => RunConfig;
}

const IN_WAVE = { 'config.$': '$.config', 'run.$': '$.run', 'wave.$': '$.wave' };
const REQUEST = { 'config.$': '$.config', 'request.$': '$$.Execution.Input', 'executionName.$': '$$.Execution.Name' };
/** A run that has not ended after a day will not; what it has done stays in the catalogue, and a new execution resumes it. */
const TIMEOUT = Duration.days(1);

/** The recovery run: waves of launches with hooks and checks, then the evidence. All modes share it. */
export class RunWorkflow extends Construct {
  readonly machine: StateMachine;

  constructor(scope: Construct, id: string, props: RunWorkflowProps) {
    super(scope, id);
    const { begin, finish } = props.functions;
    const failed = new Fail(this, 'Run failed', { errorPath: '$.error.Error', causePath: '$.error.Cause' });
    const beginTask = invocation(this, 'Begin', {
      handler: begin,
      payload: { ...REQUEST, 'executionArn.$': '$$.Execution.Id' },
      select: ['runId', 'mode', 'epoch', 'waves'],
      resultPath: '$.run',
    });
    const refused = invocation(this, 'Record the refusal', { handler: finish, payload: { ...REQUEST, 'error.$': '$.error' } });
    const report = invocation(this, 'Record the failure', { handler: finish, payload: { ...REQUEST, 'run.$': '$.run', 'error.$': '$.error' } });
    refused.next(failed);
    report.next(failed);
    const finishTask = invocation(this, 'Finish', { handler: finish, payload: { ...REQUEST, 'run.$': '$.run' }, answerIsOutput: true });
    // The evidence of a run that left an endpoint out says FAILED though no step threw: whoever waits for the execution must see it.
    finishTask.next(new Choice(this, 'Whole?')
      .when(Condition.stringEquals('$.status', 'SUCCEEDED'), new Succeed(this, 'Recovered'))
      .otherwise(new Fail(this, 'Run incomplete', { error: 'RunIncomplete', causePath: '$.error' })));
    beginTask.addCatch(refused, { resultPath: '$.error' });
    const waves = this.waves(props.functions);
    waves.addCatch(report, { resultPath: '$.error' });
    const fence = this.fence(props.functions, waves, report);
    waves.next(this.cutover(props.functions, finishTask, report));
    this.machine = workflowMachine(this, {
      context: props.context,
      part: 'run',
      comment: 'Recovery run: choose recovery points, fence, launch by waves, check, move traffic, record',
      definition: configure(this, props.config).next(beginTask).next(fence),
      functions: props.functions.steps,
      timeout: TIMEOUT,
      logData: true,
    });
  }

  /** Before anything is launched for good, the old side is kept from writing. A drill leaves it alone. */
  private fence({ fence }: RunFunctions, next: IChainable, report: IChainable): Choice {
    const step = new RepeatedStep('Fence', { handler: fence, payload: { 'config.$': '$.config', 'run.$': '$.run' } })._bind(this);
    for (const task of step.tasks) task.addCatch(report, { resultPath: '$.error' });
    step.then(next);
    return new Choice(this, 'Fence?').when(Condition.stringEquals('$.run.mode', 'failover'), step.first).otherwise(next);
  }

  /** Only a failover of a project that declares cutovers moves traffic: a drill goes by. */
  private cutover({ cutover }: RunFunctions, next: IChainable, report: IChainable): Choice {
    const step = new RepeatedStep('Cut over', {
      handler: cutover, payload: { 'config.$': '$.config', 'run.$': '$.run', 'executionName.$': '$$.Execution.Name' },
    })._bind(this);
    for (const task of step.tasks) task.addCatch(report, { resultPath: '$.error' });
    step.then(next);
    const failover = Condition.and(Condition.stringEquals('$.run.mode', 'failover'), Condition.isPresent('$.config.cutover'));
    return new Choice(this, 'Cut over?').when(failover, step.first).otherwise(next);
  }

  /** One wave after the other: a wave starts when all machines of the one before have passed their checks. */
  private waves({ hooks, launch, check }: RunFunctions): MapState {
    const steps: WorkflowStep[] = [
      new RepeatedStep('Hooks before', { handler: hooks, payload: { ...IN_WAVE, phase: 'before' } }),
      new RepeatedStep('Launch', { handler: launch, payload: IN_WAVE }),
      new RepeatedStep('Check', { handler: check, payload: IN_WAVE }),
      new RepeatedStep('Hooks after', { handler: hooks, payload: { ...IN_WAVE, phase: 'after' } }),
    ];
    const bound = steps.map((step) => step._bind(this));
    const end = new Pass(this, 'Wave recovered');
    bound.forEach((step, index) => step.then(bound[index + 1]?.first ?? end));
    const map = new MapState(this, 'Waves', {
      itemsPath: '$.run.waves',
      maxConcurrency: 1,
      itemSelector: { 'config.$': '$.config', 'run.$': '$.run', 'wave.$': '$$.Map.Item.Value' },
      resultPath: JsonPath.DISCARD,
    });
    const [first] = bound;
    if (!first) throw new Error('A wave has steps.');
    return map.itemProcessor(first.first);
  }
}
