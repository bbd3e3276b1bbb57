import { quickened } from '../../faults/quicken';

test('pauses get short; states, transitions and numbers of retries stay', () => {
  const definition = {
    StartAt: 'Configure',
    States: {
      Configure: { Type: 'Pass', Result: { pollSeconds: 60, rpoSeconds: 900 }, Next: 'Pause' },
      Pause: { Type: 'Wait', SecondsPath: '$.step.waitSeconds', Next: 'Waves' },
      Waves: {
        Type: 'Map', End: true,
        ItemProcessor: {
          StartAt: 'Launch',
          States: { Launch: { Type: 'Task', Retry: [{ ErrorEquals: ['X'], IntervalSeconds: 5, MaxAttempts: 6, BackoffRate: 2, MaxDelaySeconds: 60, JitterStrategy: 'FULL' }], End: true } },
        },
      },
    },
  };
  expect(quickened(definition)).toEqual({
    StartAt: 'Configure',
    States: {
      Configure: { Type: 'Pass', Result: { pollSeconds: 5, rpoSeconds: 900 }, Next: 'Pause' },
      Pause: { Type: 'Wait', Seconds: 1, Next: 'Waves' },
      Waves: {
        Type: 'Map', End: true,
        ItemProcessor: { StartAt: 'Launch', States: { Launch: { Type: 'Task', Retry: [{ ErrorEquals: ['X'], IntervalSeconds: 1, MaxAttempts: 6, BackoffRate: 1 }], End: true } } },
      },
    },
  });
});
