import { Names, Token } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Physical names are computed from the project's name, so that the two Regions need no reference to each other and an
 * operator finds everything by one prefix.
 */
export const NAME_PREFIX = 'disaster-recovery';

/** Lambda and EventBridge Scheduler allow 64 characters in a name; `disaster-recovery-` and `-cycle-replicate` take 34 of them. */
export const PROJECT_NAME_MAX = 30;

/** Letters, digits and hyphens; starts with a letter, does not end with a hyphen. */
const PROJECT_NAME = new RegExp(`^[A-Za-z](?:[A-Za-z0-9-]{0,${PROJECT_NAME_MAX - 2}}[A-Za-z0-9])?$`);

/** Part of catalogue keys, tag values and SSM and Lambda payloads. `/` and `#` are separators there. */
const PART_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/;

export function defaultProjectName(scope: IConstruct): string {
  return Names.uniqueResourceName(scope, { maxLength: PROJECT_NAME_MAX, separator: '-' });
}

/** Why a project's name cannot be used, or undefined. */
export function projectNameProblem(name: string): string | undefined {
  if (Token.isUnresolved(name)) return 'projectName must be known at synthesis: physical names and tags are computed from it. Give a literal string.';
  if (PROJECT_NAME.test(name)) return undefined;
  return `projectName '${name}' is not usable: 1 to ${PROJECT_NAME_MAX} letters, digits and hyphens, starting with a letter and not ending with a hyphen.`;
}

/** Why the name of an endpoint, hook or check cannot be used, or undefined. */
export function partNameProblem(what: string, name: string): string | undefined {
  if (Token.isUnresolved(name)) return `The name of ${what} must be known at synthesis. Give a literal string.`;
  if (PART_NAME.test(name)) return undefined;
  return `The name '${name}' of ${what} is not usable: 1 to 64 letters, digits, dots, hyphens and underscores, starting and ending with a letter or digit.`;
}

export function physicalName(project: string, part?: string): string {
  return part === undefined ? `${NAME_PREFIX}-${project}` : `${NAME_PREFIX}-${project}-${part}`;
}
