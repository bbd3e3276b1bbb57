import fc from 'fast-check';
import { mustRollBack, requiredEndpoints, resolveAddress, takenOver, type CutoverConfig, type CutoverRecord, type CutoverStatus } from '../../lambda/core/cutover';

const STATUSES: CutoverStatus[] = ['PLANNED', 'READY', 'APPLIED', 'VERIFIED', 'ROLLING_BACK', 'ROLLED_BACK', 'STUCK', 'SKIPPED'];
const records = fc.record({
  status: fc.constantFrom(...STATUSES), attempt: fc.integer({ min: 1, max: 9 }), failure: fc.option(fc.string(), { nil: undefined }),
}).map(({ status, attempt, failure }): CutoverRecord => ({
  runId: 'r', name: 'n', kind: 'arc', executionName: 'first', startedAt: '2030-01-01T00:00:00Z', status, attempt,
  ...(status === 'PLANNED' || status === 'SKIPPED' ? {} : { before: { side: 'source' } }), ...(failure === undefined ? {} : { failure }),
}));

describe('another execution takes over', () => {
  test('what may be in place keeps what was there before; what is not is begun anew', () => {
    fc.assert(fc.property(records, (record) => {
      const next = takenOver(record, 'second', '2030-01-02T00:00:00Z');
      expect(next).toMatchObject({ runId: 'r', name: 'n', executionName: 'second', attempt: record.attempt + 1 });
      const inPlace = mustRollBack(record) || record.status === 'STUCK';
      expect(next.before).toEqual(inPlace ? record.before : undefined);
      expect(next.status).toBe(record.status === 'VERIFIED' ? 'VERIFIED' : inPlace ? 'READY' : 'PLANNED');
      if (record.status !== 'VERIFIED') expect(next.failure).toBeUndefined();
    }));
  });

  test('again and again never makes a state that is not known', () => {
    fc.assert(fc.property(records, fc.integer({ min: 1, max: 5 }), (record, times) => {
      let next = record;
      for (let i = 0; i < times; i += 1) next = takenOver(next, `e-${i}`, '2030-01-02T00:00:00Z');
      expect(['PLANNED', 'READY', 'VERIFIED']).toContain(next.status);
    }));
  });
});

describe('what it needs', () => {
  const machines = [{ memberId: 'web/b', endpoint: 'web', instanceId: 'i-b', privateIp: '10.0.0.2' }, { memberId: 'web/a', endpoint: 'web', instanceId: 'i-a' }];
  const record = (requires?: string[]): CutoverConfig => ({ kind: 'record', name: 'n', timeoutSeconds: 1, requires, hostedZoneId: 'Z', recordName: 'a', recordType: 'A', values: [{ recovered: 'web' }, { value: '192.0.2.1' }] });

  test('endpoints: all that are known, or those asked for, and those whose addresses are used', () => {
    expect(requiredEndpoints(record(), ['db', 'web'])).toEqual(['db', 'web']);
    expect(requiredEndpoints(record(['db']), ['db', 'erp', 'web'])).toEqual(['db', 'web']);
    expect(requiredEndpoints({ kind: 'accelerator', name: 'n', timeoutSeconds: 1, requires: [], groups: [{ endpointGroupArn: 'g', endpoints: [{ endpoint: { recovered: 'web' }, weight: 1 }] }] }, ['db'])).toEqual(['web']);
  });

  test('addresses: literals, and one for each machine in a stable order', () => {
    expect(resolveAddress({ value: 'x' }, [], 'privateIp')).toEqual(['x']);
    expect(resolveAddress({ recovered: 'web' }, machines, 'instanceId')).toEqual(['i-a', 'i-b']);
    expect(resolveAddress({ recovered: 'web' }, [...machines].reverse(), 'instanceId')).toEqual(['i-a', 'i-b']);
    expect(() => resolveAddress({ recovered: 'web' }, machines, 'privateIp')).toThrow('web/a has no private address.');
    expect(() => resolveAddress({ recovered: 'db' }, machines, 'instanceId')).toThrow("Endpoint 'db' has no machine in this run.");
  });
});
