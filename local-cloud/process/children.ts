import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';

const TERM_GRACE_MS = 3000;

/** The processes that the local cloud has started. Each leads a process group, so that what it started goes with it. */
export class Children {
  private readonly running = new Set<ChildProcess>();
  private closed = false;

  public constructor() {
    // `exit` allows no waiting: what is still there is killed.
    process.once('exit', this.killAll);
  }

  public spawn(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
    if (this.closed) throw new Error('The local cloud is stopping.');
    const child = spawn(command, args, { ...options, detached: true });
    this.running.add(child);
    child.once('exit', () => {
      signalGroup(child, 'SIGKILL');
      this.running.delete(child);
    });
    child.once('error', () => this.running.delete(child));
    return child;
  }

  public kill(child: ChildProcess): void {
    signalGroup(child, 'SIGKILL');
  }

  public get pids(): number[] {
    return [...this.running].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  /** Asks all to end, then makes them. Resolves when they have. */
  public async stop(): Promise<void> {
    this.closed = true;
    const ended = [...this.running].map((child) => new Promise<void>((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
        resolve();
        return;
      }
      const timer = setTimeout(() => { signalGroup(child, 'SIGKILL'); }, TERM_GRACE_MS);
      child.once('exit', () => {
        clearTimeout(timer);
        resolve();
      });
      signalGroup(child, 'SIGTERM');
    }));
    await Promise.all(ended);
    process.removeListener('exit', this.killAll);
  }

  private readonly killAll = (): void => {
    this.closed = true;
    for (const child of this.running) signalGroup(child, 'SIGKILL');
  };
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone.
  }
}
