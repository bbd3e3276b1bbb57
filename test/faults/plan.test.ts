import { Fault } from '../../local-cloud/faults/fault';
import type { CallRecord } from '../../local-cloud/gateway/call-log';
import { allTries, describeTry, recorded, sampled, type Try } from '../../faults/plan';

const call = (principal: string, service: string, operation: string): CallRecord => ({
  at: 0, region: 'us-west-2', principal, service, operation, status: 200, decision: 'allowed', milliseconds: 1,
});

const STEP = 'function:disaster-recovery-faults-cycle-prune';
const RULE = 'rule:FaultsRecovery-FaultsWakeUpCopiesComplete2A2C6A87-2DIA0L5P556O';
const LOG = [
  call('operator', 'states', 'StartExecution'), call(STEP, 'dynamodb', 'Query'), call(STEP, 'dynamodb', 'PutItem'), call(STEP, 'dynamodb', 'PutItem'),
  call('state-machine:disaster-recovery-faults-cycle', 'lambda', 'Invoke'), call(RULE, 'lambda', 'Invoke'),
];

const tries = (): Try[] => allTries({ phase: 'cycle', calls: recorded(LOG), states: ['Begin', 'Prune'] });
const faultsOf = (caller: string): Set<string> => new Set(tries().filter((one) => describeTry(one).startsWith(caller)).map(({ what }) => what.name));

test('calls are counted by caller and operation; operators are left out', () => {
  expect(recorded(LOG).map(({ operation, nth }) => `${operation}#${nth}`)).toEqual(['Query#1', 'PutItem#1', 'PutItem#2', 'Invoke#1', 'Invoke#1']);
});

test('what changes something is disturbed in more ways than what only reads', () => {
  expect(faultsOf('cycle-prune dynamodb:Query')).toEqual(new Set(['throttled', 'error 5xx', 'error 5xx ×5', 'Region refused', 'killed before']));
  for (const fault of ['killed after', 'answer lost', 'delivered twice', 'timed out']) expect(faultsOf('cycle-prune dynamodb:PutItem #2')).toContain(fault);
});

test('state machines and rules are no processes: they are not killed', () => {
  expect(faultsOf('state-machine:')).toEqual(new Set(['throttled', 'error 5xx', 'slow', 'delivered twice']));
  expect(faultsOf('rule:')).toEqual(faultsOf('state-machine:'));
});

test('the execution is stopped in every state', () => {
  expect(tries().filter(({ what }) => what.kind === 'stop').map(describeTry)).toEqual(['in state Begin', 'in state Prune']);
});

test('a fault strikes the recorded call, also of a caller that was deployed anew', () => {
  const one = tries().find((each) => describeTry(each).startsWith('rule:'))!;
  if (one.what.kind !== 'fault') throw new Error('no fault');
  const fault = new Fault(one.what.spec, () => undefined);
  const target = { region: 'us-west-2', service: 'lambda', operation: 'Invoke', killable: false };
  expect(fault.strikes({ ...target, principal: 'rule:FaultsRecovery-FaultsWakeUpSnapshotsCompleteEF10FFFB-G3ZBOABXLW5F' })).toBe(false);
  expect(fault.strikes({ ...target, principal: RULE.replace('2DIA0L5P556O', '0MIML1STZ4Y6') })).toBe(true);
});

describe('a sample', () => {
  test('is the same for the same seed, another for another, and a permutation of all', () => {
    expect(sampled(tries(), 3)).toEqual(sampled(tries(), 3));
    expect(sampled(tries().reverse(), 3)).toEqual(sampled(tries(), 3));
    expect(sampled(tries(), 3)).not.toEqual(sampled(tries(), 4));
    expect(sampled(tries(), 3).map((one) => JSON.stringify(one)).sort()).toEqual(tries().map((one) => JSON.stringify(one)).sort());
  });

  test('begins with as many kinds of fault and callers as it has tries', () => {
    const first = sampled(tries(), 5).slice(0, 6);
    expect(new Set(first.map(({ what }) => what.name)).size).toBeGreaterThanOrEqual(5);
    expect(new Set(first.map((one) => describeTry(one).split(' ')[0])).size).toBeGreaterThanOrEqual(3);
  });
});
