import { RefusedCall } from '../../../lambda/adapters/errors';
import type { CommandRequest, CommandResult, Commands, Executions, FunctionAnswer, Functions } from '../../../lambda/adapters/ports/services';

export class FakeExecutions implements Executions {
  readonly running = new Set<string>();
  readonly answered: string[] = [];
  /** Tokens that the state machine no longer waits on. */
  readonly stale = new Set<string>();

  isRunning(arn: string) {
    return Promise.resolve(this.running.has(arn));
  }

  readonly endedAt = new Map<string, string>();

  ending(arn: string) {
    const at = this.endedAt.get(arn);
    return Promise.resolve(this.running.has(arn) ? undefined : at === undefined ? {} : { at });
  }

  succeed(token: string) {
    if (this.stale.has(token)) return Promise.resolve(false);
    this.answered.push(token);
    return Promise.resolve(true);
  }
}

export class FakeFunctions implements Functions {
  readonly events: { arn: string; payload: Record<string, unknown>; timeoutMs: number }[] = [];
  answer: (arn: string, payload: Record<string, unknown>) => FunctionAnswer = () => ({ payload: { passed: true } });

  invoke(arn: string, payload: unknown, timeoutMs: number) {
    this.events.push({ arn, payload: payload as Record<string, unknown>, timeoutMs });
    return Promise.resolve(this.answer(arn, payload as Record<string, unknown>));
  }
}

export class FakeCommands implements Commands {
  readonly commands: (CommandRequest & { id: string })[] = [];
  state: (instanceId: string) => CommandResult['state'] = () => 'succeeded';
  /** Machines whose agent has not registered. */
  readonly unregistered = new Set<string>();

  send(request: CommandRequest) {
    if (request.instanceIds.some((id) => this.unregistered.has(id))) return Promise.reject(new RefusedCall('SendCommand', 'not-ready', 'InvalidInstanceId', 'not registered'));
    const id = `cmd-${this.commands.length + 1}`;
    this.commands.push({ ...request, id });
    return Promise.resolve(id);
  }

  sentAs(comment: string) {
    return Promise.resolve(this.commands.filter((command) => command.comment === comment).map(({ id }) => id));
  }

  results(commandId: string) {
    const command = this.commands.find(({ id }) => id === commandId);
    return Promise.resolve((command?.instanceIds ?? []).map((instanceId): CommandResult => ({ instanceId, state: this.state(instanceId), detail: this.state(instanceId) })));
  }
}
