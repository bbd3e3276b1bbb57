import { onEverything, text, type ActionTable, type Requirements } from '../requirement';

/** Permission on what the named member of the request is the ARN of. */
const on = (member: string): Requirements => (call) => [{ action: `states:${call.operation}`, resource: text(call.json[member]), context: {} }];

/** Who returns a task token needs no permission on a state machine: the token is the capability. */
const withToken = onEverything('states');

/** Service Authorization Reference, "Actions, resources, and condition keys for AWS Step Functions". */
export const STATES: ActionTable = {
  StartExecution: on('stateMachineArn'),
  ListExecutions: on('stateMachineArn'),
  DescribeStateMachine: on('stateMachineArn'),
  DescribeExecution: on('executionArn'),
  GetExecutionHistory: on('executionArn'),
  StopExecution: on('executionArn'),
  SendTaskSuccess: withToken,
  SendTaskFailure: withToken,
  SendTaskHeartbeat: withToken,
  ListStateMachines: onEverything('states'),
};
