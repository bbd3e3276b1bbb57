import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Session } from '../iam/session';
import type { Sessions } from '../iam/sessions';
import type { Children } from '../process/children';
import { projectRoot } from '../project-root';
import { functionEnvironment, runtimeModules } from './environment';
import type { Invocation, InvocationResult } from './invocation';
import type { LogStore } from './log-store';
import { Worker } from './worker';

const BOOTSTRAP = join(projectRoot(), 'local-cloud', 'runtime', 'worker.cjs');
/** Warm processes that wait for work, over all functions. Each takes some 60 MB. */
const IDLE_WORKERS = 16;

export interface RunnerOptions {
  readonly sessions: Sessions;
  readonly children: Children;
  readonly logs: LogStore;
  readonly endpoint: string;
  readonly stateDir: string;
}

interface PooledWorker { readonly worker: Worker; readonly session: Session; readonly poolKey: string }

/** Runs deployed functions in warm processes with the deployed environment and the credentials of the function's own role. */
export class FunctionRunner {
  private readonly workers = new Map<string, PooledWorker>();
  private idle: PooledWorker[] = [];

  private readonly modules: string;

  public constructor(private readonly options: RunnerOptions) {
    this.modules = runtimeModules(options.stateDir);
  }

  public async invoke(invocation: Invocation): Promise<InvocationResult> {
    const requestId = randomUUID();
    const pooled = this.takeIdle(invocation) ?? await this.start(invocation);
    const outcome = await pooled.worker.run(invocation, requestId);
    if (pooled.worker.alive && !('error' in outcome && outcome.error.errorType.startsWith('Runtime.'))) this.giveBack(pooled);
    else this.remove(pooled);
    const { logTail } = pooled.worker;
    if ('payload' in outcome) return { payload: outcome.payload, logTail };
    this.options.logs.add(invocation.functionName, `${outcome.error.errorType}: ${outcome.error.errorMessage}`);
    return { payload: JSON.stringify(outcome.error), functionError: 'Unhandled', logTail };
  }

  /** Ends a worker in the middle of what it does; false when there is no such worker. */
  public kill(workerId: string): boolean {
    const pooled = this.workers.get(workerId);
    pooled?.worker.kill();
    return pooled !== undefined;
  }

  private takeIdle(invocation: Invocation): PooledWorker | undefined {
    const key = poolKey(invocation);
    const index = this.idle.findIndex((pooled) => pooled.poolKey === key && pooled.worker.alive);
    return index < 0 ? undefined : this.idle.splice(index, 1)[0];
  }

  private async start(invocation: Invocation): Promise<PooledWorker> {
    const { sessions, children, logs, endpoint } = this.options;
    const { functionName, functionArn, roleArn } = invocation;
    const id = randomUUID();
    const session = await sessions.mint({ kind: 'function', roleArn, name: functionName, workerId: id, sourceArn: functionArn });
    const worker = new Worker({
      id, children, bootstrap: BOOTSTRAP, invocation,
      environment: functionEnvironment(invocation, session.credentials, endpoint, this.modules),
      onLine: (line) => { logs.add(functionName, line); },
    });
    const pooled = { worker, session, poolKey: poolKey(invocation) };
    this.workers.set(id, pooled);
    return pooled;
  }

  private giveBack(pooled: PooledWorker): void {
    this.idle.push(pooled);
    // The one that has waited longest goes: of a redeployed function it is the old version.
    while (this.idle.length > IDLE_WORKERS) {
      const oldest = this.idle.shift();
      if (oldest) this.remove(oldest);
    }
  }

  private remove(pooled: PooledWorker): void {
    pooled.worker.kill();
    this.workers.delete(pooled.worker.id);
    this.options.sessions.forget(pooled.session);
  }
}

/** Another version, role or environment of a function never runs in an old process. */
function poolKey({ functionArn, codeSha256, handler, roleArn, environment }: Invocation): string {
  return JSON.stringify([functionArn, codeSha256, handler, roleArn, environment]);
}
