import { DescribeExecutionCommand, SendTaskSuccessCommand, SFNClient } from '@aws-sdk/client-sfn';
import { clientSettings } from '../runtime/clients';
import { isRefused, refusing } from './errors';
import type { Executions } from './ports/services';

const NO_LONGER_WAITED_ON = new Set(['TaskDoesNotExist', 'TaskTimedOut', 'InvalidToken']);

export class SfnExecutions implements Executions {
  private readonly client: SFNClient;

  constructor(region: string) {
    this.client = new SFNClient(clientSettings(region));
  }

  async isRunning(executionArn: string): Promise<boolean> {
    return await this.ending(executionArn) === undefined;
  }

  async ending(executionArn: string): Promise<{ readonly at?: string } | undefined> {
    try {
      const { status, stopDate } = await refusing('DescribeExecution', () => this.client.send(new DescribeExecutionCommand({ executionArn })));
      if (status === 'RUNNING' || status === 'PENDING_REDRIVE') return undefined;
      return stopDate === undefined ? {} : { at: stopDate.toISOString() };
    } catch (error) {
      if (isRefused(error, 'not-found')) return {};
      throw error;
    }
  }

  async succeed(taskToken: string, output: unknown): Promise<boolean> {
    try {
      await refusing('SendTaskSuccess', () => this.client.send(new SendTaskSuccessCommand({ taskToken, output: JSON.stringify(output) })));
      return true;
    } catch (error) {
      if (isRefused(error) && NO_LONGER_WAITED_ON.has(error.code)) return false;
      throw error;
    }
  }
}
