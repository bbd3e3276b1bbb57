export interface FunctionAnswer {
  /** What the function returned, parsed where it is JSON. */
  readonly payload: unknown;
  /** Set when the function threw. */
  readonly error?: string;
}

export interface Functions {
  /** Invokes and waits for the answer, at most `timeoutMs`. */
  invoke(functionArn: string, payload: unknown, timeoutMs: number): Promise<FunctionAnswer>;
}

export interface CommandRequest {
  readonly document: string;
  readonly parameters: Readonly<Record<string, readonly string[]>>;
  readonly instanceIds: readonly string[];
  readonly timeoutSeconds: number;
  /** At most 100 characters; a command is found again by it, since SendCommand has no client token. */
  readonly comment: string;
}

export interface CommandResult {
  readonly instanceId: string;
  readonly state: 'running' | 'succeeded' | 'failed';
  readonly detail: string;
}

export interface Commands {
  send(request: CommandRequest): Promise<string>;
  /** Ids of the commands with this comment that were sent since. */
  sentAs(comment: string, document: string, since: string): Promise<string[]>;
  results(commandId: string): Promise<CommandResult[]>;
}

/** Executions of the state machines. */
export interface Executions {
  /** Whether it runs still; one that does not exist does not. */
  isRunning(executionArn: string): Promise<boolean>;
  /** Undefined while it runs; without a time when nobody knows any more (executions are forgotten after 90 days). */
  ending(executionArn: string): Promise<{ readonly at?: string } | undefined>;
  /** False when the token is no longer waited on. */
  succeed(taskToken: string, output: unknown): Promise<boolean>;
}
