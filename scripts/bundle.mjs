// Bundles each handler of lambda/handlers into dist/functions/<name>/index.js, prints the sizes, and fails above the limit.
import { build } from 'esbuild';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LIMIT_BYTES = 1_500_000;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const handlers = join(root, 'lambda', 'handlers');
const names = readdirSync(handlers).filter((file) => file.endsWith('.ts')).map((file) => file.slice(0, -3));

mkdirSync(join(root, 'dist', 'functions'), { recursive: true });
await Promise.all(names.map((name) => build({
  entryPoints: [join(handlers, `${name}.ts`)],
  outfile: join(root, 'dist', 'functions', name, 'index.js'),
  bundle: true,
  minify: true,
  keepNames: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  mainFields: ['module', 'main'],
  legalComments: 'none',
  logLevel: 'warning',
})));

const sizes = names.map((name) => ({ name, bytes: statSync(join(root, 'dist', 'functions', name, 'index.js')).size }));
for (const { name, bytes } of sizes.sort((a, b) => b.bytes - a.bytes)) {
  console.log(`${name.padEnd(18)} ${(bytes / 1000).toFixed(0).padStart(6)} kB`);
}
const tooLarge = sizes.filter(({ bytes }) => bytes > LIMIT_BYTES);
if (tooLarge.length > 0) {
  console.error(`Above ${LIMIT_BYTES / 1e6} MB: ${tooLarge.map(({ name }) => name).join(', ')}. Import single commands and clients, or split the handler.`);
  process.exitCode = 1;
}
