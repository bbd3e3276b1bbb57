import fc from 'fast-check';
import { inMaintenance, isTimeOfDay, WEEKDAYS, type MaintenanceWindowConfig } from '../../lambda/core/maintenance';

const MONDAY = '2030-01-07';
const open = (window: MaintenanceWindowConfig, now: string): boolean => inMaintenance([window], now);

test.each([['22:00', 60, '21:59:59.999', false], ['22:00', 60, '22:00:00', true], ['22:00', 60, '22:59:59', true], ['22:00', 60, '23:00:00', false]])('from %s for %i minutes: %s is %s', (startUtc, durationMinutes, time, expected) => {
  expect(open({ startUtc, durationMinutes }, `${MONDAY}T${time}Z`)).toBe(expected);
});

test('a window belongs to the day on which it starts', () => {
  const sunday = { weekdays: ['SUN'], startUtc: '23:00', durationMinutes: 120 } as const;
  expect(open(sunday, `${MONDAY}T00:59:00Z`)).toBe(true);
  expect(open(sunday, `${MONDAY}T23:30:00Z`)).toBe(false);
});

test('times of other zones are compared in UTC', () => {
  expect(open({ startUtc: '10:00', durationMinutes: 30 }, `${MONDAY}T12:15:00+02:00`)).toBe(true);
});

test.each([['00:00', true], ['23:59', true], ['24:00', false], ['9:00', false], ['09:60', false], ['', false]])('%s is a time of day: %s', (text, expected) => {
  expect(isTimeOfDay(text)).toBe(expected);
});

test('a window is open for exactly its duration in each week that it does not overlap itself', () => {
  fc.assert(fc.property(fc.constantFrom(...WEEKDAYS), fc.integer({ min: 0, max: 1439 }), fc.integer({ min: 1, max: 7 * 1440 - 1 }), (day, start, durationMinutes) => {
    const startUtc = `${String(Math.floor(start / 60)).padStart(2, '0')}:${String(start % 60).padStart(2, '0')}`;
    const week = Array.from({ length: 7 * 1440 }, (_, minute) => new Date(Date.parse(`${MONDAY}T00:00:00Z`) + minute * 60_000).toISOString());
    expect(week.filter((now) => open({ weekdays: [day], startUtc, durationMinutes }, now)).length).toBe(durationMinutes);
  }), { numRuns: 10 });
});
