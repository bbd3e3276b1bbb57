import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buildSync } from 'esbuild';
import { runs, until } from './support/processes';

const ROOT = join(__dirname, '..', '..');
/** Below the project, so that the bundle finds the project's folder. */
const FOLDER = join(ROOT, 'node_modules', '.cache', 'local-cloud-test');
const PROGRAM = `
const { LocalCloud } = require('./index.js');
setInterval(() => {}, 1000);
LocalCloud.start().then((cloud) => { console.log(JSON.stringify({ pids: cloud.processIds, stateDir: cloud.stateDir })); })`;

beforeAll(() => {
  mkdirSync(FOLDER, { recursive: true });
  buildSync({ entryPoints: [join(ROOT, 'local-cloud', 'index.ts')], bundle: true, platform: 'node', packages: 'external', outfile: join(FOLDER, 'index.js') });
});
afterAll(() => { rmSync(FOLDER, { recursive: true }); });

interface Started { readonly pids: number[]; readonly stateDir: string; readonly ended: Promise<string | null>; readonly child: ChildProcess }

/** A program that starts a local cloud and then does something. */
async function start(then = ''): Promise<Started> {
  const child = spawn(process.execPath, ['-e', `${PROGRAM}${then ? `.then(() => { ${then} })` : ''}`], { cwd: FOLDER, stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise<string | null>((resolve) => child.once('close', (_, by) => { resolve(by); }));
  const line = await new Promise<string>((resolve) => { createInterface({ input: child.stdout }).once('line', resolve); });
  const { pids, stateDir } = JSON.parse(line) as { pids: number[]; stateDir: string };
  expect(pids).toHaveLength(1);
  expect(pids.every(runs)).toBe(true);
  return { pids, stateDir, ended, child };
}

async function startAndSignal(signal: NodeJS.Signals): Promise<{ readonly pids: number[]; readonly signal: string | null }> {
  const { pids, stateDir, ended, child } = await start();
  child.kill(signal);
  const by = await ended;
  expect(existsSync(stateDir)).toBe(signal === 'SIGKILL');
  rmSync(stateDir, { recursive: true, force: true });
  return { pids, signal: by };
}

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s ends everything, and the program as it would have', async (signal) => {
  const { pids, signal: by } = await startAndSignal(signal);
  expect(by).toBe(signal);
  expect(pids.some(runs)).toBe(false);
});

test('an error that nobody catches leaves nothing either', async () => {
  const { pids, stateDir } = await start("setTimeout(() => { throw new Error('on purpose'); }, 50)").then(async ({ ended, ...known }) => {
    await ended;
    return known;
  });
  await until(() => !pids.some(runs));
  expect(existsSync(stateDir)).toBe(false);
});

test('the emulator follows a program that was killed', async () => {
  const { pids } = await startAndSignal('SIGKILL');
  await until(() => !pids.some(runs));
});
