import { text } from './iam/requirement';
import type { ApiCall } from './gateway/call';
import type { Upstream } from './gateway/proxy';
import type { Judge } from './iam/judge';
import type { Lookup } from './iam/lookup';
import type { Session } from './iam/session';
import type { Sessions } from './iam/sessions';
import type { Schedules } from './schedules/schedules';

const READS = /^(Get|List|Describe|Lookup|Simulate|Head|BatchGet|Query|Scan|Search|Validate)/;

/** What comes into being or goes with these has an id that was not asked about before; a fleet's cycle is made of them. */
const NEW_SNAPSHOTS = new Set(['CreateSnapshot', 'CreateSnapshots', 'CopySnapshot', 'DeleteSnapshot']);

/** Forgets what calls that went through the gateway have made untrue. */
export interface Memories {
  readonly judge: Judge;
  readonly lookup: Lookup;
  readonly schedules: Schedules;
  readonly sessions: Sessions;
}

/** Called for each call that the emulator has done. */
export function forgetAfter({ judge, lookup, schedules, sessions }: Memories, call: ApiCall, upstream: Upstream, session: Session | undefined): void {
  if (call.service === 'sts') {
    followAssumedRole(sessions, call, upstream, session);
    return;
  }
  if (READS.test(call.operation)) return;
  const deployed = call.service === 'cloudformation';
  if (deployed || call.service === 'iam') judge.invalidate();
  if (!NEW_SNAPSHOTS.has(call.operation)) lookup.invalidate(deployed ? undefined : call.service);
  if (deployed || call.service === 'scheduler') schedules.invalidate();
}

/** A judged session stays judged under the role that it has assumed. */
function followAssumedRole(sessions: Sessions, call: ApiCall, upstream: Upstream, session: Session | undefined): void {
  if (!session || call.operation !== 'AssumeRole' || !upstream.body) return;
  const answer = upstream.body.toString('utf8');
  const member = (name: string): string => new RegExp(`<${name}>([^<]+)</${name}>`).exec(answer)?.[1] ?? '';
  sessions.assumed(session, text(call.form.get('RoleArn')), member('Arn'), {
    accessKeyId: member('AccessKeyId'), secretAccessKey: member('SecretAccessKey'), sessionToken: member('SessionToken'),
  });
}
