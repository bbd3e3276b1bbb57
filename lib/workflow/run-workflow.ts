import { Duration } from 'aws-cdk-lib';
import { Choice, Condition, Fail, JsonPath, Map as MapState, Pass, Succeed, type IChainable, type State, type StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { RunConfig } from '../../lambda/core/config';
import type { RunMode } from '../../lambda/core/model';
import type { ProjectContext } from '../functions/context';
import type { FailbackFunctions, RunFunctions } from '../functions/run-functions';
import type { WorkflowFunction } from '../functions/workflow-function';
import { invocation } from './invocation';
import { RepeatedStep } from './repeated-step';
import { configure, workflowMachine } from './workflow-machine';
import type { BoundStep } from './workflow-step';

export interface RunWorkflowProps {
  readonly context: ProjectContext;
  readonly functions: RunFunctions;
  /** @default - the project has no way back: Begin refuses the mode */
  readonly failback?: FailbackFunctions;
  /** @default - the project repairs nothing: Begin refuses the mode */
  readonly swapIn?: WorkflowFunction;
  /** Called when the app is synthesized: waves are still added after construction. */
  readonly config: () => RunConfig;
}

const IN_RUN = { 'config.$': '$.config', 'run.$': '$.run' };
const IN_WAVE = { ...IN_RUN, 'wave.$': '$.wave' };
const REQUEST = { 'config.$': '$.config', 'request.$': '$$.Execution.Input', 'executionName.$': '$$.Execution.Name' };
/** A run that has not ended after so long will not; what it has done stays in the catalogue, and a new execution resumes it. */
const TIMEOUT = Duration.days(2);

/**
 * The recovery run: waves of launches with hooks and checks, then the evidence. All modes share it; what comes before the
 * waves and after them is each mode's own.
 */
export class RunWorkflow extends Construct {
  readonly machine: StateMachine;
  /** Records the failure and ends the run. */
  private readonly report: State;

  constructor(scope: Construct, id: string, private readonly props: RunWorkflowProps) {
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
    this.report = invocation(this, 'Record the failure', { handler: finish, payload: { ...REQUEST, 'run.$': '$.run', 'error.$': '$.error' } }).next(failed).startState;
    refused.next(failed);
    beginTask.addCatch(refused, { resultPath: '$.error' });
    const finishTask = this.finish(finish);
    const reopen = this.reopen();
    const waves = this.waves();
    waves.addCatch(reopen, { resultPath: '$.error' });
    waves.next(this.afterWaves(finishTask, reopen));
    beginTask.next(this.beforeWaves(waves, reopen));
    const { failback, swapIn } = props;
    this.machine = workflowMachine(this, {
      context: props.context,
      part: 'run',
      comment: 'Recovery run: choose recovery points, fence, launch by waves, check, move traffic, record',
      definition: configure(this, props.config).next(beginTask),
      functions: [...props.functions.steps, ...(failback ? Object.values(failback) as WorkflowFunction[] : []), ...(swapIn ? [swapIn] : [])],
      timeout: TIMEOUT,
      logData: true,
    });
  }

  /** Before anything is launched for good, the other side is kept from writing. A drill leaves it alone. */
  private beforeWaves(waves: State, reopen: State): Choice {
    const { fence, hooks } = this.props.functions;
    const fencing = this.step('Fence', fence, IN_RUN, this.report);
    fencing.then(waves);
    const choice = new Choice(this, 'Before the waves').when(Condition.or(isMode('failover'), isMode('repair')), fencing.first);
    const { failback } = this.props;
    if (failback) {
      choice.when(isMode('failback'), this.chain([
        this.step('Synchronise', failback.sync, { ...IN_RUN, phase: 'first' }, reopen),
        this.step('Drain hooks', hooks, { ...IN_RUN, wave: -1, phase: 'drain' }, reopen),
        this.step('Drain', failback.drain, { ...IN_RUN, phase: 'drain' }, reopen),
        this.step('Synchronise with writes stopped', failback.sync, { ...IN_RUN, phase: 'final' }, reopen),
        this.step('Verify', failback.verify, IN_RUN, reopen),
        this.step('Release', fence, IN_RUN, reopen),
      ], waves));
    }
    return choice.otherwise(waves);
  }

  /** A drill goes by; a failover moves traffic, a failback puts it back once its side is the active one. */
  private afterWaves(finish: State, reopen: State): Choice {
    const { failback, swapIn, functions } = this.props;
    const cutover = this.step('Cut over', functions.cutover, { ...IN_RUN, 'executionName.$': '$$.Execution.Name' }, this.report);
    cutover.then(finish);
    const moves = new Choice(this, 'Cut over?').when(Condition.isPresent('$.config.cutover'), cutover.first).otherwise(finish);
    const choice = new Choice(this, 'After the waves').when(isMode('failover'), moves);
    if (failback) choice.when(isMode('failback'), this.chain([this.step('Switch', failback.drain, { ...IN_RUN, phase: 'switch' }, reopen)], moves));
    if (swapIn) choice.when(isMode('repair'), this.chain([this.step('Swap in', swapIn, IN_RUN, this.report)], finish));
    return choice.otherwise(finish);
  }

  /** A failback that does not come through lets the recovered machines work again, as long as they are the active side. */
  private reopen(): State {
    const { failback } = this.props;
    if (!failback) return this.report;
    const step = new RepeatedStep('Reopen', { handler: failback.drain, payload: { ...IN_RUN, phase: 'reopen' } })._bind(this);
    // What had failed at first is what the run is reported with; that it could not be reopened stands in its steps.
    for (const task of step.tasks) task.addCatch(this.report, { resultPath: '$.reopenError' });
    step.then(this.report);
    return new Choice(this, 'Reopen?').when(isMode('failback'), step.first).otherwise(this.report);
  }

  /** One wave after the other: a wave starts when all machines of the one before have passed their checks. */
  private waves(): MapState {
    const { hooks, launch, check } = this.props.functions;
    const { swapIn } = this.props;
    const bound = (name: string, handler: WorkflowFunction, payload: Readonly<Record<string, unknown>>): BoundStep => new RepeatedStep(name, { handler, payload })._bind(this);
    const before = bound('Hooks before', hooks, { ...IN_WAVE, phase: 'before' });
    const launched = bound('Launch', launch, IN_WAVE);
    const checked = this.chain([bound('Check', check, IN_WAVE), bound('Hooks after', hooks, { ...IN_WAVE, phase: 'after' })], new Pass(this, 'Wave recovered'));
    before.then(launched.first);
    if (swapIn) {
      const redeploy = this.chain([bound('Redeploy', hooks, { ...IN_WAVE, phase: 'redeploy' })], checked);
      launched.then(new Choice(this, 'Redeploy?').when(isMode('repair'), redeploy).otherwise(checked));
    } else launched.then(checked);
    const map = new MapState(this, 'Waves', {
      itemsPath: '$.run.waves',
      maxConcurrency: 1,
      itemSelector: { 'config.$': '$.config', 'run.$': '$.run', 'wave.$': '$$.Map.Item.Value' },
      resultPath: JsonPath.DISCARD,
    });
    map.itemProcessor(before.first);
    return map;
  }

  /** The evidence of a run that left an endpoint out says FAILED though no step threw: whoever waits for the execution must see it. */
  private finish(handler: WorkflowFunction): State {
    const task = invocation(this, 'Finish', { handler, payload: { ...REQUEST, 'run.$': '$.run' }, answerIsOutput: true });
    task.next(new Choice(this, 'Whole?')
      .when(Condition.stringEquals('$.status', 'SUCCEEDED'), new Succeed(this, 'Recovered'))
      .otherwise(new Fail(this, 'Run incomplete', { error: 'RunIncomplete', causePath: '$.error' })));
    return task;
  }

  private step(name: string, handler: WorkflowFunction, payload: Readonly<Record<string, unknown>>, onError: IChainable): BoundStep {
    const step = new RepeatedStep(name, { handler, payload })._bind(this);
    for (const task of step.tasks) task.addCatch(onError, { resultPath: '$.error' });
    return step;
  }

  private chain(steps: readonly BoundStep[], end: IChainable): IChainable {
    steps.forEach((step, index) => step.then(steps[index + 1]?.first ?? end));
    const [first] = steps;
    if (!first) throw new Error('There is at least one step.');
    return first.first;
  }
}

function isMode(mode: RunMode): Condition {
  return Condition.stringEquals('$.run.mode', mode);
}
