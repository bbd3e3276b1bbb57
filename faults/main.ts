/**
 * Disturbs every call that the product makes, in every way that applies to it, on a local cloud, and checks after each that
 * nothing was lost, doubled or left behind.
 *
 *   npm run faults [-- --minutes 5] [-- --sample <seed>] [-- --tries <n>] [-- --all] [-- --match <text>] [-- --json]
 */
import '../demo/quiet';
import { parseArgs } from 'node:util';
import { campaign } from './campaign';
import { describeTry } from './plan';
import { HEADLINE, rowLine, summary } from './report';

const DEFAULT_MINUTES = 5;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      all: { type: 'boolean', default: false }, json: { type: 'boolean', default: false }, match: { type: 'string' },
      minutes: { type: 'string' }, tries: { type: 'string' }, sample: { type: 'string' }, seed: { type: 'string' },
    },
  });
  const { match, json, all } = values;
  const tries = number('tries', values.tries);
  const minutes = number('minutes', values.minutes) ?? (all || tries !== undefined ? undefined : DEFAULT_MINUTES);
  const result = await campaign({
    seed: number('sample', values.sample ?? values.seed) ?? 1,
    ...(minutes === undefined ? {} : { minutes }),
    ...(tries === undefined ? {} : { tries }),
    ...(match === undefined ? {} : { only: (one) => `${one.phase} ${describeTry(one)} ${one.what.name}`.includes(match) }),
    onNote: (text) => { process.stderr.write(`${text}\n`); },
    onRow: (row) => { if (!json) process.stdout.write(`${rowLine(row)}\n`); },
  });
  if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else process.stdout.write(`\n${summary(result)}\n`);
  process.exitCode = result.violations > 0 ? 1 : 0;
}

function number(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0 || text.trim() === '') throw new Error(`--${name} takes a number, not '${text}'.`);
  return value;
}

if (!process.argv.includes('--json')) process.stdout.write(`${HEADLINE}\n`);
main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
