import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { clientSettings } from '../runtime/clients';
import { isRefused, refusing } from './errors';
import type { Starter } from './ports/detection';

export class SfnStarter implements Starter {
  private readonly client: SFNClient;

  constructor(region: string) {
    this.client = new SFNClient(clientSettings(region));
  }

  /** A name is used once in 90 days (Step Functions API reference, StartExecution), so a repeated start starts nothing. */
  async start(stateMachineArn: string, name: string, input: unknown): Promise<boolean> {
    try {
      await refusing('StartExecution', () => this.client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) })));
      return true;
    } catch (error) {
      if (isRefused(error) && error.code === 'ExecutionAlreadyExists') return false;
      throw error;
    }
  }
}
