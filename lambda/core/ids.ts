import { createHash } from 'node:crypto';

/** Ids derived from what they stand for: a step that is repeated computes the same id and finds its own work. */

/** JSON keeps parts apart: ("a", "bc") and ("ab", "c") differ. */
function digest(kind: string, parts: readonly (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify([kind, ...parts])).digest('hex');
}

/** 80 bits: no two of a billion ids are the same, by odds of a million to one. */
const SHORT = 20;

/** One per execution of the protection cycle. */
export function cycleId(executionArn: string): string {
  return `c-${digest('cycle', [executionArn]).slice(0, SHORT)}`;
}

/** One per project, member and cycle. */
export function pointId(project: string, memberId: string, cycle: string): string {
  return `p-${digest('point', [project, memberId, cycle]).slice(0, SHORT)}`;
}

/** One per incident of a detector. Begins with the time, for people; part of the name of an execution and of a run's id. */
export function incidentId(project: string, scope: string, openedAt: string): string {
  const time = openedAt.replace(/\.\d+/, '').replace(/[^0-9TZ]/g, '').toLowerCase();
  return `${time}-${digest('incident', [project, scope, openedAt]).slice(0, 8)}`;
}

/** A client token that every AWS API takes: 64 ASCII characters. */
export function clientToken(...parts: readonly (string | number)[]): string {
  return digest('token', parts);
}

/** EC2 allows 3 to 128 letters, digits and ( ) [ ] space . / - ' @ _ in the name of an image. */
const IMAGE_NAME_MAX = 128;
const NOT_IN_IMAGE_NAME = /[^A-Za-z0-9()[\] ./\-'@_]/g;

/**
 * The name of the image that a run registers for a member; readable as far as there is room, and unique by its end. `content`
 * tells images of one member apart: a name must never lead to an image of other disks.
 */
export function imageName(project: string, runId: string, memberId: string, ...content: readonly (string | number)[]): string {
  const end = `-${digest('image', [project, runId, memberId, ...content]).slice(0, SHORT)}`;
  const readable = `dr-${project}-${runId}-${memberId}`.replace(NOT_IN_IMAGE_NAME, '_');
  return readable.slice(0, IMAGE_NAME_MAX - end.length) + end;
}
