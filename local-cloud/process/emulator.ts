import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { projectRoot } from '../project-root';
import type { Children } from './children';

const START_TIMEOUT_MS = 60_000;
const KEPT_LINES = 200;

export interface EmulatorOptions {
  readonly children: Children;
  readonly gateway: string;
  readonly stateDir: string;
  readonly onLine: (line: string) => void;
}

/** Starts the emulator and gives the port on which it serves. */
export async function startEmulator({ children, gateway, stateDir, onLine }: EmulatorOptions): Promise<number> {
  const root = projectRoot();
  const python = process.platform === 'win32' ? join(root, '.venv', 'Scripts', 'python.exe') : join(root, '.venv', 'bin', 'python');
  if (!existsSync(python)) throw new Error(`The local cloud needs the emulator: run "npm run setup" in ${root}.`);
  const port = await freePort();
  const launcher = join(root, 'local-cloud', 'python', 'launch.py');
  const child = children.spawn(python, [launcher, '--port', String(port), '--gateway', gateway, '--state', stateDir, '--parent-pid', String(process.pid)], {
    cwd: stateDir, env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => { reject(new Error([`The emulator did not start: ${why}`, ...lines.slice(-20)].join('\n'))); };
    const timer = setTimeout(() => { fail(`nothing after ${START_TIMEOUT_MS / 1000} s`); }, START_TIMEOUT_MS);
    const onOutput = (line: string): void => {
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
      onLine(line);
      const ready = readyPort(line);
      if (ready === undefined) return;
      clearTimeout(timer);
      resolve(ready);
    };
    for (const stream of [child.stdout, child.stderr]) if (stream) createInterface({ input: stream }).on('line', onOutput);
    child.once('error', (error) => {
      clearTimeout(timer);
      fail(error.message);
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      fail(`it ended with ${signal ?? `exit status ${code}`}`);
      onLine(`emulator ended with ${signal ?? `exit status ${code}`}`);
    });
  });
}

function readyPort(line: string): number | undefined {
  if (!line.startsWith('{"ready"')) return undefined;
  return (JSON.parse(line) as { port: number }).port;
}

/** Nothing that the user has set for AWS, the emulator or Python reaches the emulator. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(AWS|BOTO|MOTO|PYTHON)/.test(name));
  return { ...Object.fromEntries(kept), PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1' };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => { resolve(port); });
    });
  });
}
