import { Duration } from 'aws-cdk-lib';
import { FunctionUrlAuthType, type IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Errors, Fail, JsonPath, Succeed, type StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { ApprovalConfig } from '../../lambda/core/detection-config';
import type { ProjectContext } from '../functions/context';
import { MEMORY_MIB, SHORT } from '../functions/cycle-functions';
import * as permissions from '../functions/permissions/detection';
import type { Permission } from '../functions/permissions/permission';
import { WorkflowFunction } from '../functions/workflow-function';
import { invocation } from '../workflow/invocation';
import { configure, workflowMachine } from '../workflow/workflow-machine';

export interface ApprovalWorkflowProps {
  readonly context: ProjectContext;
  readonly topic?: ITopic;
}

/** Longer than any question can be open. */
const TIMEOUT = Duration.days(8);

/** Asks people whether to fail over, waits for their answer, and starts the run if it is yes. */
export class ApprovalWorkflow extends Construct {
  readonly machine: StateMachine;
  /** Takes an answer: `{ incidentId, decision: 'approve' | 'refuse', by }`. */
  readonly approve: IFunction;
  private linkUrl?: string;

  constructor(scope: Construct, id: string, private readonly props: ApprovalWorkflowProps) {
    super(scope, id);
    const { context, topic } = props;
    const publish = topic === undefined ? [] : permissions.publish(topic, context);
    const ask = this.function('Ask', 'approval-ask', 'asks people whether to fail over', [...permissions.approvalAsk(context), ...publish]);
    const end = this.function('End', 'approval-end', 'carries the answer of people out', [...permissions.approvalEnd(context), ...publish]);
    this.approve = this.function('Approve', 'approve', 'takes the answer of a person', permissions.approve(context)).function;
    const given = { 'config.$': '$.config', 'question.$': '$$.Execution.Input' };
    const failed = new Fail(this, 'Approval failed', { errorPath: '$.error.Error', causePath: '$.error.Cause' });
    const endTask = invocation(this, 'Carry out', { handler: end, payload: given, answerIsOutput: true });
    endTask.next(new Succeed(this, 'Answered'));
    endTask.addCatch(failed, { resultPath: '$.error' });
    const askTask = invocation(this, 'Ask people', { handler: ask, payload: { ...given, 'token.$': '$$.Task.Token' }, callbackTimeoutPath: '$.expiresSeconds' });
    askTask.next(endTask);
    // No answer in time is an answer; an answer that comes at that moment is found where it was written.
    askTask.addCatch(endTask, { errors: [Errors.TIMEOUT], resultPath: JsonPath.DISCARD });
    askTask.addCatch(failed, { resultPath: '$.error' });
    this.machine = workflowMachine(this, {
      context,
      part: 'approval',
      comment: 'Approval of a failover: ask, wait for the answer, carry it out',
      definition: configure(this, () => this.config()).next(askTask),
      functions: [ask, end],
      timeout: TIMEOUT,
      // It would hold the task token, which is the right to answer.
      logData: false,
    });
  }

  /** Also answer by links to a public address, which check a token of their own. */
  allowLinks(): void {
    if (this.linkUrl !== undefined) return;
    const link = this.function('Link', 'approve-link', 'takes an answer by link', permissions.approve(this.props.context));
    this.linkUrl = link.function.addFunctionUrl({ authType: FunctionUrlAuthType.NONE }).url;
  }

  private function(id: string, handler: string, description: string, allowed: readonly Permission[]): WorkflowFunction {
    return new WorkflowFunction(this, id, { context: this.props.context, handler, description, timeout: SHORT, memoryMiB: MEMORY_MIB, permissions: allowed });
  }

  private config(): ApprovalConfig {
    const { context, topic } = this.props;
    return {
      project: context.project,
      recoveryRegion: context.recoveryRegion,
      runMachineArn: permissions.stateMachineArn(context, 'run'),
      approveFunctionName: this.approve.functionName,
      topicArn: topic?.topicArn ?? '',
      ...(this.linkUrl === undefined ? {} : { linkUrl: this.linkUrl }),
    };
  }
}
