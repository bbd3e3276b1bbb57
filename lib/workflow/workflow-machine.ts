import type { Duration} from 'aws-cdk-lib';
import { Lazy, RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, LogLevel, Pass, Result, StateMachine, type IChainable } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { acknowledge } from '../acknowledge';
import type { ProjectContext } from '../functions/context';
import type { WorkflowFunction } from '../functions/workflow-function';
import { physicalName } from '../names';

export interface WorkflowMachineProps {
  readonly context: ProjectContext;
  readonly part: 'cycle' | 'return-cycle' | 'run' | 'approval';
  readonly comment: string;
  readonly definition: IChainable;
  readonly functions: readonly WorkflowFunction[];
  readonly timeout: Duration;
  /** Log the data that states pass on. It holds the whole configuration, several times an execution. */
  readonly logData: boolean;
}

/** A state machine with a computed name and a role that may invoke its own functions. */
export function workflowMachine(scope: Construct, props: WorkflowMachineProps): StateMachine {
  const { context, part } = props;
  const stateMachineName = physicalName(context.project, part);
  const role = new Role(scope, 'Role', { assumedBy: new ServicePrincipal('states.amazonaws.com'), description: `${context.project}: ${props.comment}` });
  role.addToPolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: props.functions.map((step) => step.function.functionArn) }));
  const logGroup = new LogGroup(scope, 'Logs', {
    // The prefix keeps CloudWatch's resource policy for log delivery from growing with each state machine.
    logGroupName: `/aws/vendedlogs/states/${stateMachineName}`,
    retention: context.logRetention,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const machine = new StateMachine(scope, 'Machine', {
    stateMachineName,
    comment: props.comment,
    definitionBody: DefinitionBody.fromChainable(props.definition),
    role,
    timeout: props.timeout,
    tracingEnabled: true,
    logs: { destination: logGroup, level: LogLevel.ALL, includeExecutionData: props.logData },
  });
  acknowledge(role, 'AwsSolutions-IAM5[Resource::*]', 'Step Functions needs these to deliver logs and traces; the actions take no resource.');
  return machine;
}

/** The first state: writes the configuration into the state. As a result, not as parameters: keys that end in `.$` are data here. */
export function configure(scope: Construct, config: () => object): Pass {
  return new Pass(scope, 'Configure', { result: Result.fromObject(Lazy.uncachedAny({ produce: config })), resultPath: '$.config' });
}
