import type { ApprovalConfig } from '../../../lambda/core/detection-config';
import { answer, ask, endApproval, fingerprint } from '../../../lambda/detect/approval';
import { answerByLink, type LinkResponse } from '../../../lambda/detect/link';
import type { Question } from '../../../lambda/detect/message';
import { FakeClock } from '../fakes/clock';
import { FakeDetectionStore, FakeNotifications, FakeStarter } from '../fakes/detection';
import { FakeExecutions } from '../fakes/services';

const ID = '20300101t000000z-0a1b2c3d';
const URL_BASE = 'https://abc.lambda-url.us-west-2.on.aws/';

const question: Question = {
  incidentId: ID, detector: 'project', scope: 'project', decidedAt: '2030-01-01T00:00:00.000Z', expiresSeconds: 3600,
  seen: [{ signal: 'front', status: 'unhealthy', at: '2030-01-01T00:00:00.000Z', detail: 'status 503' }], request: { mode: 'failover', requestedBy: 'detector project' },
};

function setting(linkUrl?: string) {
  const config: ApprovalConfig = { project: 'shop', recoveryRegion: 'us-west-2', runMachineArn: 'arn:run', approveFunctionName: 'disaster-recovery-shop-approve', topicArn: 'arn:topic', linkUrl };
  const parts = { approvals: new FakeDetectionStore(), notifications: new FakeNotifications(), executions: new FakeExecutions(), starter: new FakeStarter(), clock: new FakeClock() };
  const tools = parts.clock.tools();
  return {
    ...parts, config, message: () => parts.notifications.published.at(-1)!.message,
    ask: (token = 'token-1') => ask({ config, question, token }, parts, tools),
    answer: (decision: unknown, by: unknown = 'alice', more: object = {}) => answer({ incidentId: ID, decision, by, ...more } as never, parts, tools),
    end: () => endApproval({ config, question }, parts, tools),
    visit: (method: string, fields: Record<string, string>): Promise<LinkResponse> => {
      const text = new URLSearchParams(fields).toString();
      return answerByLink({ requestContext: { http: { method } }, ...(method === 'GET' ? { rawQueryString: text } : { body: Buffer.from(text).toString('base64'), isBase64Encoded: true }) }, parts, tools);
    },
  };
}

describe('asking', () => {
  test('tells what was seen, until when, and how to answer', async () => {
    const { ask: asked, message, notifications } = setting();
    expect(await asked()).toEqual({ asked: true });
    expect(notifications.published[0]).toMatchObject({ topicArn: 'arn:topic', subject: `[shop] Approve a failover? Incident ${ID}` });
    expect(message()).toContain('Without an answer by 2030-01-01T01:00:00.000Z nothing is done.');
    expect(message()).toContain('- front: unhealthy at 2030-01-01T00:00:00.000Z: status 503');
    for (const decision of ['approve', 'refuse']) {
      expect(message()).toContain(`aws lambda invoke --region us-west-2 --function-name disaster-recovery-shop-approve --cli-binary-format raw-in-base64-out --payload '{"incidentId":"${ID}","decision":"${decision}","by":"<you>"}' /dev/stdout`);
    }
    expect(message()).not.toContain('http');
    expect(message()).not.toContain('token-1');
  });

  test('again takes the newest token, and not once there is an answer', async () => {
    const { ask: asked, answer: answered, approvals, executions, notifications } = setting();
    await asked('token-1');
    await asked('token-2');
    await answered('approve');
    expect(executions.answered).toEqual(['token-2']);
    expect(await asked('token-3')).toEqual({ asked: false });
    expect(approvals.approvals.get(ID)).toMatchObject({ status: 'APPROVED', token: 'token-2' });
    expect(notifications.published).toHaveLength(2);
  });

  test('that reaches nobody fails', async () => {
    const { ask: asked, notifications } = setting();
    notifications.fail = new Error('denied');
    await expect(asked()).rejects.toThrow('denied');
  });
});

describe('answering', () => {
  test('approved: the run is started under the incident\'s name, by whom', async () => {
    const { ask: asked, answer: answered, end, starter, executions, message } = setting();
    await asked();
    expect(await answered('approve')).toEqual({ incidentId: ID, status: 'APPROVED', by: 'alice' });
    expect(executions.answered).toEqual(['token-1']);
    expect(await end()).toMatchObject({ status: 'APPROVED', by: 'alice' });
    expect([...starter.started]).toEqual([[`arn:run|incident-${ID}`, { mode: 'failover', requestedBy: 'detector project, approved by alice' }]]);
    expect(message()).toContain('alice approved.');
    await end();
    expect(starter.started.size).toBe(1);
  });

  test('who approves can accept that the source cannot be reached', async () => {
    const { ask: asked, answer: answered, end, starter } = setting();
    await asked();
    await answered('approve', 'alice', { acceptUnreachable: true });
    await end();
    expect([...starter.started.values()]).toEqual([expect.objectContaining({ acceptUnreachable: 'alice' })]);
  });

  test('refused: nothing is started', async () => {
    const { ask: asked, answer: answered, end, starter, message } = setting();
    await asked();
    await answered('refuse');
    expect(await end()).toMatchObject({ status: 'REFUSED' });
    expect(starter.calls).toBe(0);
    expect(message()).toContain('alice refused. Nothing was started.');
  });

  test('not at all: nothing is started, and an answer comes too late', async () => {
    const { ask: asked, answer: answered, end, starter, message } = setting();
    await asked();
    expect(await end()).toMatchObject({ status: 'EXPIRED', by: 'nobody' });
    expect(message()).toContain('Nobody answered in 3600 s.');
    await expect(answered('approve')).rejects.toThrow(/has its answer: EXPIRED/);
    expect(starter.calls).toBe(0);
  });

  test('an answer after its time is refused though nobody has ended the question yet', async () => {
    const { ask: asked, answer: answered, clock, approvals } = setting();
    await asked();
    clock.advance(3600);
    await expect(answered('approve')).rejects.toThrow(/expired at 2030-01-01T01:00:00.000Z/);
    expect(approvals.approvals.get(ID)!.status).toBe('PENDING');
  });

  test('an answer at the last moment counts, though the state machine has stopped waiting', async () => {
    const { ask: asked, answer: answered, end, executions, starter } = setting();
    await asked();
    executions.stale.add('token-1');
    expect(await answered('approve')).toMatchObject({ status: 'APPROVED' });
    await end();
    expect(starter.started.size).toBe(1);
  });

  test('the same answer again changes nothing and wakes the state machine again; another one is refused', async () => {
    const { ask: asked, answer: answered, executions } = setting();
    await asked();
    await answered('approve');
    expect(await answered('approve', 'bob')).toEqual({ incidentId: ID, status: 'APPROVED', by: 'alice' });
    expect(executions.answered).toEqual(['token-1', 'token-1']);
    await expect(answered('refuse', 'bob')).rejects.toThrow(/has its answer: APPROVED, alice at/);
  });

  test('of two answers at once one counts, and both learn which', async () => {
    const { ask: asked, answer: answered, approvals } = setting();
    await asked();
    const ended = await Promise.allSettled([answered('approve', 'alice'), answered('refuse', 'bob')]);
    expect(ended.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(approvals.approvals.get(ID)!.status).toBe(ended[0].status === 'fulfilled' ? 'APPROVED' : 'REFUSED');
  });

  test.each([['maybe', 'alice', /"decision" must be/], ['approve', '', /"by" must say who/], ['approve', ' ', /"by"/], ['approve', 'x'.repeat(201), /"by"/], ['approve', 7, /"by"/]])('%s by %s is refused', async (decision, by, problem) => {
    const { ask: asked, answer: answered } = setting();
    await asked();
    await expect(answered(decision, by)).rejects.toThrow(problem);
  });

  test('to no question is refused', async () => {
    const { answer: answered, executions, approvals } = setting();
    await expect(answered('approve')).rejects.toMatchObject({ name: 'InvalidRequest', message: `There is no question about incident ${ID}.` });
    await expect(answer(undefined, { approvals, executions }, new FakeClock().tools())).rejects.toThrow(/"incidentId" is missing/);
  });

  test('a question that was never stored starts nothing; a run starts though nobody can be told', async () => {
    const { end, starter, ask: asked, answer: answered, notifications } = setting();
    expect(await end()).toMatchObject({ status: 'EXPIRED' });
    expect(starter.calls).toBe(0);
    await asked();
    await answered('approve');
    notifications.fail = new Error('denied');
    expect(await end()).toMatchObject({ status: 'APPROVED' });
    expect(starter.started.size).toBe(1);
  });
});

describe('links', () => {
  const linksOf = (message: string): Record<string, Record<string, string>> => Object.fromEntries(['Approve', 'Refuse'].map((verb) => {
    const url = new RegExp(`^${verb}: (\\S+)$`, 'm').exec(message)![1]!;
    return [verb.toLowerCase(), Object.fromEntries(new URL(url).searchParams)];
  }));

  async function asked() {
    const given = setting(URL_BASE);
    await given.ask();
    expect(given.message()).toContain(URL_BASE);
    return { ...given, links: linksOf(given.message()) };
  }

  test('looking at one does nothing, however often; its page sends the answer, once', async () => {
    const { links, visit, approvals, executions } = await asked();
    for (let index = 0; index < 3; index += 1) {
      const page = await visit('GET', links.approve!);
      expect(page).toMatchObject({ statusCode: 200, headers: expect.objectContaining({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }), body: expect.stringContaining('Approve the failover') });
    }
    expect(approvals.approvals.get(ID)!.status).toBe('PENDING');
    expect(executions.answered).toEqual([]);
    expect(await visit('POST', { ...links.approve!, by: 'alice' })).toMatchObject({ statusCode: 200, body: expect.stringContaining('APPROVED') });
    expect(approvals.approvals.get(ID)).toMatchObject({ status: 'APPROVED', answeredBy: 'alice (by link)' });
    expect(await visit('POST', { ...links.approve!, by: 'alice' })).toMatchObject({ statusCode: 409 });
    expect(await visit('GET', links.refuse!)).toMatchObject({ statusCode: 409 });
  });

  test('refusing is a link of its own: one does not do for the other', async () => {
    const { links, visit, approvals } = await asked();
    expect(await visit('POST', { ...links.refuse!, choice: 'approve', by: 'x' })).toMatchObject({ statusCode: 403 });
    expect(await visit('POST', { ...links.refuse!, by: 'bob' })).toMatchObject({ statusCode: 200 });
    expect(approvals.approvals.get(ID)!.status).toBe('REFUSED');
  });

  test('nobody can make one of what is stored', async () => {
    const { approvals, visit, links } = await asked();
    const { links: stored } = approvals.approvals.get(ID)!;
    expect(JSON.stringify(approvals.approvals.get(ID))).not.toContain(links.approve!.token);
    expect(await visit('POST', { choice: 'approve', incident: ID, token: stored!.approve, by: 'x' })).toMatchObject({ statusCode: 403 });
  });

  test.each([[{ token: 'wrong' }], [{ token: '' }], [{ incident: 'other' }], [{ incident: '' }], [{ choice: 'maybe' }]])('%j is no link, in one sentence', async (change) => {
    const { visit, links } = await asked();
    expect(await visit('POST', { ...links.approve!, by: 'x', ...change })).toMatchObject({ statusCode: 403, body: expect.stringContaining('This link is not valid.') });
  });

  test('expires with the question', async () => {
    const { visit, links, clock } = await asked();
    clock.advance(3600);
    for (const method of ['GET', 'POST']) expect(await visit(method, { ...links.approve!, by: 'x' })).toMatchObject({ statusCode: 410 });
  });

  test('wants a name, and only GET and POST', async () => {
    const { visit, links } = await asked();
    expect(await visit('POST', links.approve!)).toMatchObject({ statusCode: 400 });
    expect(await visit('PUT', links.approve!)).toMatchObject({ statusCode: 405 });
  });

  test('without the option there is none, whatever is presented', async () => {
    const given = setting();
    await given.ask();
    expect(await given.visit('POST', { choice: 'approve', incident: ID, token: '', by: 'x' })).toMatchObject({ statusCode: 403 });
    expect(await given.visit('POST', { choice: 'approve', incident: ID, token: 'undefined', by: 'x' })).toMatchObject({ statusCode: 403 });
  });

  test('what is written into the page is escaped', async () => {
    const { visit, approvals } = await asked();
    const row = approvals.approvals.get(ID)!;
    approvals.approvals.set('<img>', { ...row, incidentId: '<img>', links: { approve: fingerprint('"><script>'), refuse: '' } });
    const { body, statusCode } = await visit('GET', { choice: 'approve', incident: '<img>', token: '"><script>' });
    expect(statusCode).toBe(200);
    expect(body).not.toMatch(/<img>|<script>/);
  });
});
