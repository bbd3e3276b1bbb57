import type { Row } from './attempt';
import type { CampaignResult } from './campaign';

const HEAD = ['phase', 'operation', 'fault', 'outcome', 'seconds'] as const;
const WIDTHS = [8, 62, 16, 13, 7] as const;

export const HEADLINE = line(HEAD);

export function rowLine(row: Row): string {
  const main = line([row.phase, row.operation, row.fault, row.outcome, row.seconds.toFixed(1)]);
  return [main, ...row.violations.map((violation) => `         ✖ ${violation}`), ...(row.detail && row.violations.length > 0 ? [`           ${row.detail}`] : [])].join('\n');
}

/** How the tries ended, by phase and fault, as a table in Markdown. */
export function summary({ rows, tried, possible, violations }: CampaignResult): string {
  const groups = new Map<string, Row[]>();
  for (const row of rows.filter(({ phase }) => phase !== 'end')) {
    const key = `${row.phase} | ${row.fault}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const count = (group: readonly Row[], outcome: (text: string) => boolean) => group.filter((row) => outcome(row.outcome)).length;
  const lines = [...groups].sort(([a], [b]) => a.localeCompare(b)).map(([key, group]) => `| ${[
    key, group.length, count(group, (text) => text === 'by itself'), count(group, (text) => text.startsWith('after')),
    count(group, (text) => text === 'not reached'), count(group, (text) => text === 'VIOLATION'),
    Math.max(...group.map(({ seconds }) => seconds)).toFixed(1),
  ].join(' | ')} |`);
  return [
    '| phase | fault | tries | went on by itself | started again | not reached | violations | longest, s |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...lines,
    '',
    `${tried} of ${possible} tries, ${violations} violations.`,
  ].join('\n');
}

function line(cells: readonly string[]): string {
  return cells.map((cell, index) => cell.padEnd(WIDTHS[index] ?? 0)).join(' ').trimEnd();
}
