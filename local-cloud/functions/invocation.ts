/** What the emulator asks to be run. */
export interface Invocation {
  readonly functionArn: string;
  readonly functionName: string;
  readonly region: string;
  readonly handler: string;
  readonly timeoutSeconds: number;
  readonly memorySize?: number;
  readonly roleArn: string;
  readonly codeSha256: string;
  /** The unzipped deployment package. */
  readonly codeDir: string;
  readonly environment: Readonly<Record<string, string>>;
  /** JSON. */
  readonly payload: string;
}

export interface InvocationResult {
  /** JSON: what the handler returned, or the error. */
  readonly payload: string;
  /** Set when the function failed; Lambda no longer says `Handled` for any runtime. */
  readonly functionError?: 'Unhandled';
  readonly logTail: string;
}

export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

/** Lambda's words for a function that ran out of time. */
export function timedOut(requestId: string, seconds: number): FunctionError {
  return { errorType: 'Sandbox.Timedout', errorMessage: `RequestId: ${requestId} Error: Task timed out after ${seconds.toFixed(2)} seconds` };
}

/** Lambda's words for a process that ended while it was working. */
export function exited(requestId: string, code: number | null, signal: string | null): FunctionError {
  const how = signal ? `signal: ${signal === 'SIGKILL' ? 'killed' : signal}` : `exit status ${code ?? 1}`;
  return { errorType: 'Runtime.ExitError', errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: ${how}` };
}
