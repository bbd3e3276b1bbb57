import { Lazy } from 'aws-cdk-lib';
import { Tag } from '../../lambda/core/tags';
import { one } from '../functions/permissions/permission';
import type { ProtectedEndpoint } from './protected-endpoint';

/**
 * The tags that bound what may be done to the machines of endpoints, in as few statements as possible: a policy has room for
 * a few dozen.
 */
export class EndpointTags {
  private readonly valuesByKey = new Map<string, Set<string>>();

  /** @param allow adds the statements for machines with these tags; called once for each set of tags */
  constructor(private readonly project: string, private readonly allow: (tags: Readonly<Record<string, unknown>>) => void) {}

  add({ endpoint }: ProtectedEndpoint): void {
    const { tags } = endpoint._toConfig(this.project);
    // What is tagged by this package is the project's by that one tag, whatever the endpoint.
    if (tags[Tag.PROJECT] === this.project) return this.allow({ [Tag.PROJECT]: this.project });
    const [[key, value] = ['', ''], ...more] = Object.entries(tags);
    if (more.length > 0) return this.allow(tags);
    // One statement for all endpoints that differ in the value of one tag.
    const values = this.valuesByKey.get(key);
    if (values !== undefined) return void values.add(value);
    const collected = new Set([value]);
    this.valuesByKey.set(key, collected);
    this.allow({ [key]: Lazy.uncachedAny({ produce: () => one([...collected]) }) });
  }
}
