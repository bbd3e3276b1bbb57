import { DescribeExecutionCommand, ListStateMachinesCommand, paginateGetExecutionHistory, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { LocalCloud } from '../local-cloud';

/** An execution of one of a project's state machines, at its end. */
export interface Ended<T> {
  readonly executionArn: string;
  readonly status: string;
  readonly output: T;
  readonly seconds: number;
}

export class ExecutionFailed extends Error {
  override readonly name = 'ExecutionFailed';

  constructor(readonly executionArn: string, readonly status: string, readonly error: string, readonly cause_: string) {
    super(`The execution ${executionArn.split(':').pop() ?? ''} ended as ${status}: ${error}${cause_ ? `: ${cause_}` : ''}`);
  }
}

export interface WaitOptions {
  readonly timeoutSeconds?: number;
  /** Called with the name of each state that is entered. */
  readonly onState?: (name: string) => void;
}

/** The ARN of a project's state machine. */
export async function stateMachineArn(cloud: LocalCloud, region: string, project: string, kind: 'cycle' | 'run'): Promise<string> {
  const name = `disaster-recovery-${project}-${kind}`;
  return withClient(cloud, region, async (sfn) => {
    const { stateMachines } = await sfn.send(new ListStateMachinesCommand({}));
    const arn = stateMachines?.find((machine) => machine.name === name)?.stateMachineArn;
    if (!arn) throw new Error(`There is no state machine ${name} in ${region}; was the app deployed?`);
    return arn;
  });
}

/** Starts a state machine in the local cloud. */
export async function startExecution(cloud: LocalCloud, region: string, machineArn: string, input: object): Promise<string> {
  return withClient(cloud, region, async (sfn) => {
    const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn: machineArn, input: JSON.stringify(input) }));
    return executionArn ?? '';
  });
}

/**
 * Waits for an execution's end.
 *
 * @throws ExecutionFailed with the state machine's own error and cause
 */
export async function waitForExecution<T>(cloud: LocalCloud, region: string, executionArn: string, options: WaitOptions = {}): Promise<Ended<T>> {
  return withClient(cloud, region, async (sfn) => {
    const begun = Date.now();
    const limit = (options.timeoutSeconds ?? 120) * 1000;
    let reported = 0;
    for (;;) {
      const execution = await sfn.send(new DescribeExecutionCommand({ executionArn }));
      if (options.onState) {
        const names = await statesEntered(sfn, executionArn);
        names.slice(reported).forEach(options.onState);
        reported = names.length;
      }
      if (execution.status === 'SUCCEEDED') {
        return { executionArn, status: execution.status, output: JSON.parse(execution.output ?? '{}') as T, seconds: (Date.now() - begun) / 1000 };
      }
      if (execution.status !== 'RUNNING') {
        throw new ExecutionFailed(executionArn, execution.status ?? 'UNKNOWN', execution.error ?? '', execution.cause ?? '');
      }
      if (Date.now() - begun > limit) throw new ExecutionFailed(executionArn, 'RUNNING', 'TimedOut', `no end within ${limit / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  });
}

/** Names of the states that an execution entered, in order; Step Functions bills each as a transition. */
export async function enteredStates(cloud: LocalCloud, region: string, executionArn: string): Promise<string[]> {
  return withClient(cloud, region, (sfn) => statesEntered(sfn, executionArn));
}

async function statesEntered(sfn: SFNClient, executionArn: string): Promise<string[]> {
  const names: string[] = [];
  for await (const page of paginateGetExecutionHistory({ client: sfn }, { executionArn })) {
    for (const event of page.events ?? []) {
      if (event.stateEnteredEventDetails?.name) names.push(event.stateEnteredEventDetails.name);
    }
  }
  return names;
}

async function withClient<T>(cloud: LocalCloud, region: string, work: (sfn: SFNClient) => Promise<T>): Promise<T> {
  const sfn = new SFNClient(cloud.clientConfig(region));
  try {
    return await work(sfn);
  } finally {
    sfn.destroy();
  }
}
