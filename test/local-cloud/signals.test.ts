import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buildSync } from 'esbuild';
import { runs, until } from './support/processes';

const ROOT = join(__dirname, '..', '..');
/** Below the project, so that the bundle finds the project's folder. */
const FOLDER = join(ROOT, 'node_modules', '.cache', 'local-cloud-test');
const PROGRAM = `
const { LocalCloud } = require('./index.js');
LocalCloud.start().then((cloud) => { console.log(JSON.stringify({ pids: cloud.processIds, stateDir: cloud.stateDir })); });
setInterval(() => {}, 1000);
`;

beforeAll(() => {
  mkdirSync(FOLDER, { recursive: true });
  buildSync({ entryPoints: [join(ROOT, 'local-cloud', 'index.ts')], bundle: true, platform: 'node', packages: 'external', outfile: join(FOLDER, 'index.js') });
});
afterAll(() => { rmSync(FOLDER, { recursive: true }); });

async function startAndSignal(signal: NodeJS.Signals): Promise<{ readonly pids: number[]; readonly signal: string | null }> {
  const child = spawn(process.execPath, ['-e', PROGRAM], { cwd: FOLDER, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<string | null>((resolve) => child.once('close', (_, by) => { resolve(by); }));
  const [line] = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next().then(({ value }) => [value as string]);
  const { pids, stateDir } = JSON.parse(line!) as { pids: number[]; stateDir: string };
  expect(pids.length).toBeGreaterThan(0);
  expect(pids.every(runs)).toBe(true);
  child.kill(signal);
  const by = await ended;
  if (signal === 'SIGKILL') rmSync(stateDir, { recursive: true });
  return { pids, signal: by };
}

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s ends everything, and the program as it would have', async (signal) => {
  const { pids, signal: by } = await startAndSignal(signal);
  expect(by).toBe(signal);
  expect(pids.some(runs)).toBe(false);
});

test('the emulator follows a program that was killed', async () => {
  const { pids } = await startAndSignal('SIGKILL');
  await until(() => !pids.some(runs));
});
