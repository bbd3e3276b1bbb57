import { answerOf, buildEvidence, evidenceParts, type Evidence } from '../../lambda/core/evidence';
import type { RunMember } from '../../lambda/core/model';
import { aRun, aRunMember, at } from './builders';

const db = aRunMember({ passedAt: at(1300), consistentAt: at(700), actualPrivateIp: '10.0.0.9', privateIp: '10.0.0.5', instanceId: 'i-r1' });
const web = aRunMember({ memberId: 'web/i-2', endpoint: 'web', wave: 1, consistentAt: at(940), passedAt: at(1500) });

test('achieved is the worst loss and the last machine', () => {
  const evidence = buildEvidence(aRun(), [web, db], [], at(1600));
  expect(evidence.achieved).toEqual({ rpoSeconds: 300, rtoSeconds: 500 });
  expect(evidence.members.map((member) => [member.memberId, member.rpoSeconds, member.rtoSeconds])).toEqual([['db/i-1', 300, 300], ['web/i-2', 60, 500]]);
  expect(evidence.dataLossWindows).toEqual([
    { memberId: 'db/i-1', from: at(700), to: at(1000), seconds: 300 },
    { memberId: 'web/i-2', from: at(940), to: at(1000), seconds: 60 },
  ]);
});

test('machines are in the order of their waves, then of their names', () => {
  const members = [{ ...web, memberId: 'a/1' }, { ...db, memberId: 'z/1' }, { ...db, memberId: 'y/1' }];
  expect(buildEvidence(aRun(), members, [], at(1600)).members.map((member) => member.memberId)).toEqual(['y/1', 'z/1', 'a/1']);
});

test.each<[string, Partial<RunMember>]>([
  ['failed', { status: 'FAILED', error: 'its check did not pass' }],
  ['failed after it had passed', { status: 'FAILED', passedAt: at(1500) }],
  ['still runs', { status: 'RUNNING', passedAt: undefined }],
])('there is no recovery time when a machine %s', (_, change) => {
  const evidence = buildEvidence(aRun({ status: 'FAILED' }), [db, { ...web, ...change }], [], at(1600));
  expect(evidence.achieved).toEqual({ rpoSeconds: 300, rtoSeconds: undefined });
  expect(evidence.members[1]).toMatchObject({ status: change.status, rtoSeconds: undefined });
});

test('a run without machines has achieved nothing', () => {
  expect(buildEvidence(aRun(), [], [], at(1600)).achieved).toEqual({});
});

test('a point later than the run\'s start, by another clock, has lost nothing', () => {
  expect(buildEvidence(aRun(), [{ ...db, consistentAt: at(1001) }], [], at(1600)).achieved.rpoSeconds).toBe(0);
});

test('steps are in the order of their start, timed when they ended', () => {
  const steps = [
    { runId: 'r-1', name: 'wave-0/check', startedAt: at(1100) },
    { runId: 'r-1', name: 'wave-0/launch', startedAt: at(1010), endedAt: at(1100), outcome: 'SUCCEEDED' as const },
    { runId: 'r-1', name: 'begin', startedAt: at(1000), endedAt: at(1010.5), outcome: 'SUCCEEDED' as const },
  ];
  expect(buildEvidence(aRun(), [db], steps, at(1600)).steps).toEqual([
    { name: 'begin', startedAt: at(1000), endedAt: at(1010.5), outcome: 'SUCCEEDED', seconds: 10.5 },
    { name: 'wave-0/launch', startedAt: at(1010), endedAt: at(1100), outcome: 'SUCCEEDED', seconds: 90 },
    { name: 'wave-0/check', startedAt: at(1100), seconds: undefined },
  ]);
});

test.each([
  [300, 500, true, true],
  [299, 500, false, true],
  [300, 499, true, false],
])('objectives of %i s and %i s', (rpoSeconds, rtoSeconds, rpoMet, rtoMet) => {
  expect(buildEvidence(aRun(), [db, web], [], at(1600), { rpoSeconds, rtoSeconds }).objectives).toEqual({ rpoSeconds, rtoSeconds, rpoMet, rtoMet });
});

test('an objective is not met by a run that did not recover everything', () => {
  const objectives = { rpoSeconds: 9999, rtoSeconds: 9999 };
  expect(buildEvidence(aRun(), [{ ...db, status: 'FAILED' }], [], at(1600), objectives).objectives).toMatchObject({ rtoMet: false });
});

test('says who, what and until when', () => {
  const evidence = buildEvidence(aRun({ requestedBy: 'ann', mode: 'drill', expiresAt: at(9000), error: 'E' }), [db], [], at(1600));
  expect(evidence).toMatchObject({ project: 'shop', runId: 'r-1', mode: 'drill', requestedBy: 'ann', startedAt: at(1000), endedAt: at(1600), expiresAt: at(9000), error: 'E' });
  expect(evidence.members[0]).toMatchObject({ privateIp: '10.0.0.9', instanceId: 'i-r1', subnetId: 'subnet-a' });
  expect(buildEvidence(aRun({ endedAt: at(1550) }), [db], [], at(1600)).endedAt).toBe(at(1550));
});

describe('evidence of any size', () => {
  const of = (machines: number, note = '') => buildEvidence(
    aRun(),
    Array.from({ length: machines }, (_, index) => ({ ...db, memberId: `db/i-${index}`, endpoint: index % 2 === 0 ? 'db' : 'web', status: index === 1 ? 'FAILED' as const : 'PASSED' as const, notes: [note] })),
    [{ runId: 'r-1', name: 'wave-0/launch', startedAt: at(1010), endedAt: at(1100), outcome: 'FAILED', detail: 'x'.repeat(5000) }],
    at(1600),
    { rpoSeconds: 900, rtoSeconds: 900 },
  );

  test('counts each endpoint\'s machines', () => {
    expect(of(5).endpoints).toEqual([{ endpoint: 'db', members: 3, passed: 3, failed: 0 }, { endpoint: 'web', members: 2, passed: 1, failed: 1 }]);
  });

  test('is answered whole while it fits', () => {
    const evidence = of(20);
    expect(answerOf(evidence, 1)).toEqual({ ...evidence, evidenceRows: 1 });
  });

  test.each([600, 5000])('of %i machines is answered without them, and far below 256 KiB', (machines) => {
    const evidence = of(machines);
    const answer = answerOf(evidence, 7);
    expect(answer).toMatchObject({ truncated: true, evidenceRows: 7, members: [], dataLossWindows: [], achieved: evidence.achieved, objectives: evidence.objectives, endpoints: evidence.endpoints });
    expect(answer.steps[0]).toMatchObject({ name: 'wave-0/launch', seconds: 90, detail: expect.stringMatching(/^x{299}…$/) });
    expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThan(200_000);
  });

  test('is stored in rows that DynamoDB takes, which give it back', () => {
    const evidence = of(2000, 'für 🙂');
    const parts = evidenceParts(evidence);
    expect(parts.length).toBeGreaterThan(2);
    for (const part of parts) expect(Buffer.byteLength(part)).toBeLessThan(400_000);
    const { members, dataLossWindows } = JSON.parse(parts.join('')) as Evidence;
    expect(members).toHaveLength(2000);
    expect(members[1999]?.notes).toEqual(['für 🙂']);
    expect(dataLossWindows).toHaveLength(2000);
  });
});

describe('a failback', () => {
  const step = (name: string, from: number, to: number) => ({ runId: 'r-1', name, startedAt: at(from), endedAt: at(to), outcome: 'SUCCEEDED' as const });
  const run = aRun({ mode: 'failback', startedAt: at(0), discardSource: 'the operator', ends: { epoch: 1, since: at(-9000), failovers: ['f-1'] } });
  const back = aRunMember({ consistentAt: at(1010), passedAt: at(1400), replaces: 'i-r1', keptVolumes: [{ deviceName: '/dev/xvda', volumeId: 'vol-old' }], verified: { blocks: 9, of: 9 } });

  test('has lost what the drained machines had and their copies have not; its time counts from the drain', () => {
    const evidence = buildEvidence(run, [back], [step('drain', 900, 1000), step('switch', 1500, 1502)], at(1600), { rpoSeconds: 60, rtoSeconds: 600 });
    expect(evidence).toMatchObject({
      achieved: { rpoSeconds: 0, rtoSeconds: 500 }, objectives: { rpoMet: true, rtoMet: true }, dataLossWindows: [],
      failback: { recoverySince: at(-9000), withoutServiceSeconds: 602, discardSource: 'the operator' },
      members: [{ replaces: 'i-r1', keptVolumes: [{ volumeId: 'vol-old' }], verified: { blocks: 9, of: 9 } }],
    });
    const early = buildEvidence(run, [{ ...back, consistentAt: at(990) }], [step('drain', 900, 1000)], at(1600));
    expect(early.dataLossWindows).toEqual([{ memberId: 'db/i-1', from: at(990), to: at(1000), seconds: 10 }]);
  });

  test('that failed says how long it was until the recovered machines worked again', () => {
    const of = (...steps: ReturnType<typeof step>[]) => buildEvidence({ ...run, status: 'FAILED' }, [], steps, at(1600)).failback?.withoutServiceSeconds;
    expect(of(step('drain', 900, 1000), step('reopen', 1200, 1260))).toBe(360);
    expect(of(step('drain', 900, 1000))).toBeUndefined();
    expect(of(step('sync-first', 0, 900))).toBeUndefined();
  });
});
