import type { EndpointMember } from './model';
import { epochMs, secondsBetween } from './time';

/** What would be lost now: the age of what the newest complete point shows. Undefined without a point: everything. */
export function achievedRpoSeconds(newestPointAt: string | undefined, now: string): number | undefined {
  return newestPointAt === undefined ? undefined : Math.max(0, secondsBetween(newestPointAt, now));
}

/**
 * When the member's RPO is broken unless a newer point is complete, in milliseconds since 1970. A member without a
 * point counts from when it was first seen.
 */
export function rpoDeadline(member: Pick<EndpointMember, 'newestPointAt' | 'firstSeenAt'>, rpoSeconds: number, now: string): number {
  // A clock ahead of ours must not put a member behind all others.
  const from = Math.min(epochMs(member.newestPointAt ?? member.firstSeenAt), epochMs(now));
  return from + rpoSeconds * 1000;
}

export interface WorstRpo {
  /** Undefined when no member has a point. */
  readonly seconds?: number;
  readonly memberId?: string;
  /** Members with nothing to recover from. */
  readonly withoutPoint: readonly string[];
}

/** The worst achieved RPO over the members that are there; one that is missing loses nothing more. */
export function worstRpo(members: readonly Pick<EndpointMember, 'memberId' | 'newestPointAt' | 'missingSince'>[], now: string): WorstRpo {
  const withoutPoint: string[] = [];
  let worst: { seconds: number; memberId: string } | undefined;
  for (const member of members) {
    if (member.missingSince !== undefined) continue;
    const seconds = achievedRpoSeconds(member.newestPointAt, now);
    if (seconds === undefined) withoutPoint.push(member.memberId);
    else if (worst === undefined || seconds > worst.seconds) worst = { seconds, memberId: member.memberId };
  }
  return { ...worst, withoutPoint };
}
