import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Children } from '../process/children';
import { exited, timedOut, type FunctionError, type Invocation } from './invocation';

const END_OF_LOGS = '\u0000end-of-logs';

interface WorkerMessage { readonly requestId: string; readonly payload?: string; readonly error?: FunctionError }

export type Outcome = { readonly payload: string } | { readonly error: FunctionError };

export interface WorkerOptions {
  readonly id: string;
  readonly children: Children;
  readonly bootstrap: string;
  readonly invocation: Invocation;
  readonly environment: NodeJS.ProcessEnv;
  readonly onLine: (line: string) => void;
}

/** One execution environment: a warm process of one version of one function, which runs one invocation at a time. */
export class Worker {
  public readonly id: string;
  public idleSince = Date.now();
  private readonly process: ChildProcess;
  private readonly children: Children;
  private tail: string[] = [];
  private settle?: (outcome: Outcome) => void;
  private answered?: Outcome;
  private requestId = '';
  private logsEnded = false;
  private gone?: { readonly code: number | null; readonly signal: string | null };

  public constructor({ id, children, bootstrap, invocation, environment, onLine }: WorkerOptions) {
    this.id = id;
    this.children = children;
    this.process = children.spawn(process.execPath, [bootstrap, invocation.codeDir, invocation.handler], {
      cwd: invocation.codeDir, env: environment, stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.process.on('message', (message) => { this.onMessage(message as WorkerMessage); });
    this.process.once('close', (code, signal) => { this.onClose(code, signal); });
    this.process.once('error', () => { this.onClose(1, null); });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => { this.onLine(line, onLine); });
    }
  }

  /** Still usable for another invocation. */
  public get alive(): boolean {
    return this.gone === undefined && this.process.connected;
  }

  /** The last lines of the invocation that has just ended. */
  public get logTail(): string {
    return this.tail.join('\n').slice(-4096);
  }

  public run(invocation: Invocation, requestId: string): Promise<Outcome> {
    const { payload, functionName, functionArn, memorySize = 128, timeoutSeconds } = invocation;
    this.requestId = requestId;
    this.tail = [];
    this.answered = undefined;
    this.logsEnded = false;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.answered = { error: timedOut(requestId, timeoutSeconds) };
        this.kill();
      }, timeoutSeconds * 1000);
      this.settle = (outcome) => {
        clearTimeout(timer);
        this.settle = undefined;
        this.idleSince = Date.now();
        resolve(outcome);
      };
      if (this.gone) {
        this.onClose(this.gone.code, this.gone.signal);
        return;
      }
      const deadline = Date.now() + timeoutSeconds * 1000;
      this.process.send({ requestId, payload, functionName, functionArn, memorySize, deadline }, (error) => {
        // The process is ending; its `close` says how.
        if (error) this.kill();
      });
    });
  }

  /** Ends the process at once, in the middle of whatever it does. */
  public kill(): void {
    this.children.kill(this.process);
  }

  private onMessage({ requestId, payload, error }: WorkerMessage): void {
    if (requestId !== this.requestId) return;
    this.answered = error ? { error } : { payload: payload ?? 'null' };
    this.finishWhenLogged();
  }

  private onLine(line: string, onLine: (line: string) => void): void {
    const marker = line.indexOf(END_OF_LOGS);
    // What was written without a line end stands before the marker.
    const written = marker < 0 ? line : line.slice(0, marker);
    if (marker !== 0) {
      this.tail.push(written);
      onLine(written);
    }
    if (marker >= 0) {
      this.logsEnded = line.endsWith(this.requestId);
      this.finishWhenLogged();
    }
  }

  /** The answer and the log lines come by two ways; the invocation ends when both are here. */
  private finishWhenLogged(): void {
    if (this.answered && this.logsEnded) this.settle?.(this.answered);
  }

  private onClose(code: number | null, signal: string | null): void {
    this.gone = { code, signal };
    this.settle?.(this.answered ?? { error: exited(this.requestId, code, signal) });
  }
}
