import { parseExpression } from '../../local-cloud/schedules/expression';

const from = new Date('2026-01-14T10:07:30Z'); // a Wednesday
const next = (expression: string, zone?: string, after = from): string | undefined => parseExpression(expression, zone, from).next(after)?.toISOString();

test.each([
  ['rate(1 minute)', '2026-01-14T10:08:30.000Z'],
  ['rate(5 minutes)', '2026-01-14T10:12:30.000Z'],
  ['rate(2 hours)', '2026-01-14T12:07:30.000Z'],
  ['rate(1 day)', '2026-01-15T10:07:30.000Z'],
  ['at(2026-02-01T00:00:00)', '2026-02-01T00:00:00.000Z'],
  ['cron(0/15 * * * ? *)', '2026-01-14T10:15:00.000Z'],
  ['cron(0 3 * * ? *)', '2026-01-15T03:00:00.000Z'],
  ['cron(30 10 ? * MON-FRI *)', '2026-01-14T10:30:00.000Z'],
  ['cron(0 9 ? * 2 *)', '2026-01-19T09:00:00.000Z'],
  ['cron(0 0 1 JAN,JUL ? *)', '2026-07-01T00:00:00.000Z'],
  ['cron(0 0 L * ? *)', '2026-01-31T00:00:00.000Z'],
  ['cron(0 0 15W 8 ? 2026)', '2026-08-14T00:00:00.000Z'],
  ['cron(0 0 ? * 6#3 *)', '2026-01-16T00:00:00.000Z'],
  ['cron(0 0 ? * 6L *)', '2026-01-30T00:00:00.000Z'],
  ['cron(0 0 29 2 ? *)', '2028-02-29T00:00:00.000Z'],
])('%s', (expression, expected) => {
  expect(next(expression)).toBe(expected);
});

test('a rate goes on from its start, whenever it is asked', () => {
  expect(next('rate(5 minutes)', 'UTC', new Date('2026-01-14T10:30:00Z'))).toBe('2026-01-14T10:32:30.000Z');
});

test('hours are those of the time zone, in summer too', () => {
  expect(next('cron(0 3 * * ? *)', 'Europe/Berlin')).toBe('2026-01-15T02:00:00.000Z');
  expect(next('cron(0 3 * 7 ? *)', 'Europe/Berlin')).toBe('2026-07-01T01:00:00.000Z');
  expect(next('at(2026-07-01T03:00:00)', 'America/New_York')).toBe('2026-07-01T07:00:00.000Z');
});

test('what is over never fires', () => {
  expect(next('at(2025-01-01T00:00:00)')).toBeUndefined();
  expect(next('cron(0 0 1 1 ? 2020)')).toBeUndefined();
});

test.each(['every 5 minutes', 'rate(5 weeks)', 'rate(0 minutes)', 'cron(* * * *)', 'cron(x * * * ? *)', 'at(soon)'])('%s is refused', (expression) => {
  expect(() => parseExpression(expression)).toThrow(/Not a|six fields/);
});
