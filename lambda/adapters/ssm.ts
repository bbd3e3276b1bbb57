import { ListCommandInvocationsCommand, ListCommandsCommand, SendCommandCommand, SSMClient } from '@aws-sdk/client-ssm';
import { clientSettings } from '../runtime/clients';
import { refusing } from './errors';
import { allPages } from './paging';
import type { CommandRequest, CommandResult, Commands } from './ports/services';

const RUNNING = new Set(['Pending', 'InProgress', 'Delayed', 'Cancelling']);
const PAGE = 50;

export class SsmCommands implements Commands {
  private readonly client: SSMClient;

  constructor(region: string) {
    this.client = new SSMClient(clientSettings(region));
  }

  async send({ document, parameters, instanceIds, timeoutSeconds, comment }: CommandRequest): Promise<string> {
    const answer = await refusing('SendCommand', () => this.client.send(new SendCommandCommand({
      DocumentName: document,
      InstanceIds: [...instanceIds],
      Parameters: Object.fromEntries(Object.entries(parameters).map(([name, values]) => [name, [...values]])),
      Comment: comment,
      // SSM refuses a delivery time-out below 30 s.
      TimeoutSeconds: Math.max(30, timeoutSeconds),
    })));
    return answer.Command?.CommandId ?? '';
  }

  async sentAs(comment: string, document: string, since: string): Promise<string[]> {
    const commands = await allPages(async (NextToken) => {
      const page = await refusing('ListCommands', () => this.client.send(new ListCommandsCommand({
        Filters: [{ key: 'DocumentName', value: document }, { key: 'InvokedAfter', value: since.replace(/\.\d+Z$/, 'Z') }],
        MaxResults: PAGE,
        NextToken,
      })));
      return { items: page.Commands ?? [], next: page.NextToken };
    });
    return commands.filter((command) => command.Comment === comment).map(({ CommandId }) => CommandId ?? '');
  }

  async results(commandId: string): Promise<CommandResult[]> {
    return allPages(async (NextToken) => {
      const page = await refusing('ListCommandInvocations', () => this.client.send(new ListCommandInvocationsCommand({
        CommandId: commandId, MaxResults: PAGE, NextToken,
      })));
      return {
        items: (page.CommandInvocations ?? []).map(({ InstanceId, Status, StatusDetails }): CommandResult => ({
          instanceId: InstanceId ?? '',
          state: RUNNING.has(Status ?? '') ? 'running' : Status === 'Success' ? 'succeeded' : 'failed',
          detail: StatusDetails ?? Status ?? '',
        })),
        next: page.NextToken,
      };
    });
  }
}
