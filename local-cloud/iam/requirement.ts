import type { ApiCall } from '../gateway/call';
import type { Lookup } from './lookup';

/** A policy that hangs on a resource. */
export interface PolicyDocument { readonly Version?: string; readonly Statement: unknown }

/** One thing a caller must be allowed to do for its call to be done. */
export interface Requirement {
  /** e.g. `ec2:CopySnapshot`. */
  readonly action: string;
  /** An ARN, or `*` for actions without resource-level permissions. */
  readonly resource: string;
  /** Condition keys besides the global ones. Keys that the action does not support are ignored, as AWS does. */
  readonly context: Readonly<Record<string, string | string[]>>;
  readonly resourcePolicy?: PolicyDocument;
  /** The ARN has a form that the simulator's data does not know; it is judged without checking that. */
  readonly unusualArn?: boolean;
}

/** What the tables may ask about the account to say what a call requires. */
export interface ActionContext {
  readonly account: string;
  readonly lookup: Lookup;
}

/** Says what a call requires. */
export type Requirements = (call: ApiCall, context: ActionContext) => Requirement[] | Promise<Requirement[]>;

/** The operations of one service that are understood; what is not in here is denied. */
export type ActionTable = Readonly<Record<string, Requirements>>;

/**
 * Stands for the id of a resource that the call will create. AWS evaluates such resources as a literal `*`, which a policy
 * can name as `${*}`; so `snapshot/*` and `snapshot/${*}` match it, and `snapshot/snap-*` does not.
 */
export const NEW_ID = 'new--resource';

/** The same action without resource-level permissions. */
export function onEverything(service: string): Requirements {
  return (call) => [{ action: `${service}:${call.operation}`, resource: '*', context: {} }];
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

export function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** Condition keys of the tags that a resource carries. */
export function resourceTags(service: string, tags: ReadonlyMap<string, string>): Record<string, string> {
  const context: Record<string, string> = {};
  for (const [key, value] of tags) {
    context[`aws:ResourceTag/${key}`] = value;
    if (service === 'ec2') context[`ec2:ResourceTag/${key}`] = value;
    if (service === 'ssm') context[`ssm:resourceTag/${key}`] = value;
  }
  return context;
}

/** Condition keys of the tags that a request gives. */
export function requestTags(tags: ReadonlyMap<string, string>): Record<string, string | string[]> {
  if (tags.size === 0) return {};
  const context: Record<string, string | string[]> = { 'aws:TagKeys': [...tags.keys()] };
  for (const [key, value] of tags) context[`aws:RequestTag/${key}`] = value;
  return context;
}
