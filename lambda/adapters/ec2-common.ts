import { EC2Client, type Filter, type ResourceType, type Tag as Ec2Tag, type TagSpecification } from '@aws-sdk/client-ec2';
import { chunks } from '../runtime/pool';
import { clientSettings } from '../runtime/clients';
import { allPages, type Page } from './paging';

/** EC2 takes at most 200 values in one filter. */
export const FILTER_VALUES = 200;
export const PAGE_SIZE = 1000;

export function ec2Client(region: string): EC2Client {
  return new EC2Client(clientSettings(region));
}

export function recordOf(tags: readonly Ec2Tag[] | undefined): Record<string, string> {
  return Object.fromEntries((tags ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? '']));
}

export function tagSpecifications(tags: Readonly<Record<string, string>>, ...types: ResourceType[]): TagSpecification[] {
  const list = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  return types.map((ResourceType) => ({ ResourceType, Tags: list }));
}

export function tagFilters(tags: Readonly<Record<string, string>>): Filter[] {
  return Object.entries(tags).map(([key, value]) => ({ Name: `tag:${key}`, Values: [literal(value)] }));
}

/** `*` and `?` are wildcards in a filter's value; a backslash takes that from them. (EC2 user guide, "List and filter your resources".) */
function literal(value: string): string {
  return value.replace(/[\\*?]/g, '\\$&');
}

/** One paged call for each 200 values, so that the number of calls grows with the fleet divided by 200. */
export async function byFilterValues<T>(
  values: readonly string[], call: (values: string[], token: string | undefined) => Promise<Page<T>>,
): Promise<T[]> {
  const results: T[] = [];
  for (const some of chunks([...new Set(values)], FILTER_VALUES)) results.push(...await allPages((token) => call(some, token)));
  return results;
}

export function isoOf(time: Date | string | undefined): string {
  return time === undefined ? '' : new Date(time).toISOString();
}
