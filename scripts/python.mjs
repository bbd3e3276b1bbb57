// Makes .venv from the machine's python3 and installs the pinned emulator and linter there, once per requirements.txt.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const venv = join(root, '.venv');
const stamp = join(venv, 'installed');
const requirements = join(root, 'requirements.txt');
const wanted = createHash('sha256').update(readFileSync(requirements)).digest('hex');

if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) process.exit(0);

rmSync(venv, { recursive: true, force: true });
try {
  execFileSync('python3', ['-m', 'venv', venv], { stdio: 'inherit' });
} catch {
  console.error('python3 with its venv module is needed for the local cloud (Debian and Ubuntu: the package python3-venv).');
  process.exit(1);
}
const python = join(venv, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
execFileSync(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--retries', '5', '-r', requirements], { stdio: 'inherit' });
writeFileSync(stamp, wanted);
