/** When a schedule fires. `next` is strictly after the given time; undefined when it never does again. */
export interface Expression { next(after: Date): Date | undefined }

const UNIT_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
/** A cron expression that names the 29th of February fires within eight years. */
const SEARCH_YEARS = 8;

/**
 * Reads `rate(…)`, `cron(…)` and `at(…)` of EventBridge Scheduler
 * (https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html). A rate counts from the schedule's creation.
 */
export function parseExpression(expression: string, timeZone = 'UTC', start = new Date()): Expression {
  const [, kind, body = ''] = /^(rate|cron|at)\((.+)\)$/.exec(expression.trim()) ?? [];
  if (kind === 'rate') return rate(body, start);
  if (kind === 'at') return at(body, timeZone);
  if (kind === 'cron') return cron(body, timeZone);
  throw new Error(`Not a schedule expression: ${expression}`);
}

function rate(body: string, start: Date): Expression {
  const [, value, unit] = /^(\d+)\s+(minute|hour|day)s?$/.exec(body.trim()) ?? [];
  const period = Number(value) * (UNIT_MS[unit ?? ''] ?? NaN);
  if (!(period > 0)) throw new Error(`Not a rate: ${body}`);
  return { next: (after) => new Date(start.getTime() + (Math.floor(Math.max(0, after.getTime() - start.getTime()) / period) + 1) * period) };
}

function at(body: string, timeZone: string): Expression {
  const wanted = Date.parse(`${body.trim()}Z`);
  if (Number.isNaN(wanted)) throw new Error(`Not a time: ${body}`);
  const when = new Date(wanted - offsetMs(new Date(wanted), timeZone));
  return { next: (after) => (when > after ? when : undefined) };
}

function cron(body: string, timeZone: string): Expression {
  const fields = body.trim().split(/\s+/);
  if (fields.length !== 6) throw new Error(`A cron expression has six fields: ${body}`);
  const [minute = '', hour = '', day = '', month = '', weekday = '', year = ''] = fields;
  const minutes = set(minute, 0, 59);
  const hours = set(hour, 0, 23);
  const months = set(month, 1, 12, MONTHS, 1);
  const years = set(year, 1970, 2199);
  const dayMatches = (date: Date): boolean => matchesDayOfMonth(day, date) && matchesWeekday(weekday, date);
  return {
    next(after) {
      // Local wall-clock time is walked as if it were UTC, then moved to the zone.
      const local = new Date(after.getTime() + offsetMs(after, timeZone));
      local.setUTCSeconds(0, 0);
      local.setUTCMinutes(local.getUTCMinutes() + 1);
      const end = local.getTime() + SEARCH_YEARS * 366 * 86_400_000;
      while (local.getTime() < end) {
        if (!years.has(local.getUTCFullYear()) || !months.has(local.getUTCMonth() + 1) || !dayMatches(local)) {
          local.setUTCHours(24, 0, 0, 0);
        } else if (!hours.has(local.getUTCHours())) {
          local.setUTCHours(local.getUTCHours() + 1, 0, 0, 0);
        } else if (!minutes.has(local.getUTCMinutes())) {
          local.setUTCMinutes(local.getUTCMinutes() + 1);
        } else {
          return new Date(local.getTime() - offsetMs(local, timeZone));
        }
      }
      return undefined;
    },
  };
}

/** The values of one field: `*`, `a`, `a-b`, `a/n`, `a-b/n` and lists of these. */
function set(field: string, least: number, most: number, names: readonly string[] = [], base = 0): ReadonlySet<number> {
  const number = (value: string): number => (names.includes(value.toUpperCase()) ? names.indexOf(value.toUpperCase()) + base : Number(value));
  const values = new Set<number>();
  for (const part of field.split(',')) {
    const [range = '', step] = part.split('/');
    const [from = '', to] = range === '*' || range === '?' ? [String(least), String(most)] : range.split('-');
    const last = to !== undefined ? number(to) : step === undefined ? number(from) : most;
    if (!Number.isInteger(number(from)) || !Number.isInteger(last)) throw new Error(`Not a cron field: ${field}`);
    for (let value = number(from); value <= last; value += Number(step ?? 1)) values.add(value);
  }
  return values;
}

function matchesDayOfMonth(field: string, date: Date): boolean {
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  if (field === 'L') return date.getUTCDate() === last;
  const [, nearest] = /^(\d+)W$/.exec(field) ?? [];
  if (!nearest) return set(field, 1, 31).has(date.getUTCDate());
  const wanted = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), Number(nearest)));
  const shift = wanted.getUTCDay() === 6 ? (Number(nearest) === 1 ? 2 : -1) : wanted.getUTCDay() === 0 ? (Number(nearest) === last ? -2 : 1) : 0;
  return date.getUTCDate() === Number(nearest) + shift;
}

/** 1 is Sunday. */
function matchesWeekday(field: string, date: Date): boolean {
  const today = date.getUTCDay() + 1;
  const [, nth, which] = /^(\w+)#([1-5])$/.exec(field) ?? [];
  if (nth && which) return [...set(nth, 1, 7, DAYS, 1)][0] === today && Math.ceil(date.getUTCDate() / 7) === Number(which);
  const [, lastOf] = /^(\w+)L$/.exec(field) ?? [];
  if (lastOf) {
    const days = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
    return [...set(lastOf, 1, 7, DAYS, 1)][0] === today && date.getUTCDate() + 7 > days;
  }
  return set(field, 1, 7, DAYS, 1).has(today);
}

/** How far a zone's clocks are ahead of UTC at a time. */
function offsetMs(moment: Date, timeZone: string): number {
  if (timeZone === 'UTC') return 0;
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
  }).formatToParts(moment);
  const value = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  const local = Date.UTC(value('year'), value('month') - 1, value('day'), value('hour'), value('minute'), value('second'));
  return local - Math.floor(moment.getTime() / 1000) * 1000;
}
