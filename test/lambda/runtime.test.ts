import { lambdaDeadline } from '../../lambda/runtime/deadline';
import { readEnvironment } from '../../lambda/runtime/env';
import { createLog } from '../../lambda/runtime/log';
import { emfSink } from '../../lambda/runtime/metrics';
import { chunks, eachOf, mapOf } from '../../lambda/runtime/pool';
import { pace } from '../../lambda/runtime/tools';
import { clientSettings } from '../../lambda/runtime/clients';
import { FakeClock } from './fakes/clock';

const complete = { DR_PROJECT: 'shop', DR_TABLE: 't', DR_SOURCE_REGION: 'us-east-1', DR_RECOVERY_REGION: 'us-west-2' };

describe('the environment', () => {
  test('is read as typed values', () => {
    expect(readEnvironment(complete)).toEqual({ project: 'shop', table: 't', sourceRegion: 'us-east-1', recoveryRegion: 'us-west-2' });
  });

  test('names all that is missing in one message', () => {
    expect(() => readEnvironment({ DR_PROJECT: 'shop', DR_TABLE: ' ' })).toThrow(
      'Missing environment variables: DR_TABLE, DR_SOURCE_REGION, DR_RECOVERY_REGION. The construct DisasterRecovery sets them',
    );
  });

  test('refuses one Region for both sides', () => {
    expect(() => readEnvironment({ ...complete, DR_SOURCE_REGION: 'us-west-2' })).toThrow('are both us-west-2');
  });
});

describe('the log', () => {
  const lines: string[] = [];
  const log = createLog({ project: 'shop' }, (line) => lines.push(line), () => new Date('2030-01-01T00:00:00Z'));
  const last = () => JSON.parse(lines.at(-1)!) as unknown;

  test('is one JSON object a line, with its context', () => {
    log.with({ run: 'r1' }).info('Launched', { member: 'db/i-1', recoveryPoint: 'p-1', cycle: 'c-1' });
    expect(last()).toEqual({
      level: 'INFO', time: '2030-01-01T00:00:00.000Z', message: 'Launched', project: 'shop', run: 'r1', member: 'db/i-1', recoveryPoint: 'p-1', cycle: 'c-1',
    });
  });

  test('shows what an error says', () => {
    log.error('Step failed', { error: new TypeError('no') });
    expect(last()).toMatchObject({ level: 'ERROR', error: { name: 'TypeError', message: 'no', stack: expect.any(String) } });
  });
});

test('metrics are lines in the embedded format, by project', () => {
  const lines: string[] = [];
  emfSink('shop', (line) => lines.push(line), () => new Date(5000))([{ name: 'OpenPoints', value: 3, unit: 'Count' }]);
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([{
    _aws: { Timestamp: 5000, CloudWatchMetrics: [{ Namespace: 'DisasterRecovery', Dimensions: [['Project']], Metrics: [{ Name: 'OpenPoints', Unit: 'Count' }] }] },
    Project: 'shop',
    OpenPoints: 3,
  }]);
});

test('a step stops while there is time to answer', () => {
  let left = 60_000;
  const deadline = lambdaDeadline({ getRemainingTimeInMillis: () => left });
  expect(deadline.near()).toBe(false);
  left = 20_000;
  expect(deadline.near()).toBe(true);
});

describe('workers', () => {
  test('are no more than allowed, and results keep their order', async () => {
    let active = 0;
    let most = 0;
    const results = await mapOf([...Array(25).keys()], async (item) => {
      active += 1;
      most = Math.max(most, active);
      await new Promise((resolve) => { setImmediate(resolve); });
      active -= 1;
      return item * 2;
    }, 4);
    expect(most).toBe(4);
    expect(results).toEqual([...Array(25).keys()].map((item) => item * 2));
  });

  test('after an error nothing new begins, and all that began has ended', async () => {
    const begun: number[] = [];
    const ended: number[] = [];
    await expect(eachOf([1, 2, 3, 4, 5], async (item) => {
      begun.push(item);
      if (item === 2) throw new Error('two');
      await new Promise((resolve) => { setImmediate(resolve); });
      ended.push(item);
    }, 2)).rejects.toThrow('two');
    expect(begun).toEqual([1, 2]);
    expect(ended).toEqual([1]);
  });

  test('chunks', () => {
    expect(chunks([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
    expect(chunks([], 2)).toEqual([]);
  });
});

test('pace lets a second\'s worth through at once and the rest steadily', async () => {
  const clock = new FakeClock();
  const turn = pace(5, clock.tools());
  const start = Date.parse(clock.now());
  for (let i = 0; i < 15; i += 1) await turn();
  expect(Date.parse(clock.now()) - start).toBeGreaterThanOrEqual(1990);
  expect(Date.parse(clock.now()) - start).toBeLessThan(2200);
});

test('clients retry adaptively and never wait without a limit', () => {
  const settings = clientSettings('us-west-2', { requestTimeoutMs: 1234, maxAttempts: 1 });
  expect(settings).toMatchObject({ region: 'us-west-2', retryMode: 'adaptive', maxAttempts: 1 });
  expect(clientSettings('us-west-2').maxAttempts).toBe(5);
});
