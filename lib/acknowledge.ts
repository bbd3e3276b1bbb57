import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Tells validation tools (cdk-nag) why a finding is accepted, at the very resource that it is about, so that users of this
 * package who run such a tool see the reason and not the finding.
 */
export function acknowledge(construct: IConstruct, id: string, reason: string): void {
  Validations.of(construct).acknowledge({ id, reason });
}

/** The same for each resource of a statement that has a wildcard. */
export function acknowledgeWildcards(construct: IConstruct, resources: readonly string[], reason: string): void {
  for (const resource of resources) {
    const text = asText(Stack.of(construct).resolve(resource));
    if (text.includes('*')) acknowledge(construct, `AwsSolutions-IAM5[Resource::${text}]`, reason);
  }
}

/** A resolved value as these tools print it: references in angle brackets. */
function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return '';
  const [intrinsic, argument] = Object.entries(value)[0] ?? [];
  if (intrinsic === 'Ref') return `<${String(argument)}>`;
  if (intrinsic === 'Fn::GetAtt' && Array.isArray(argument)) return `<${argument.join('.')}>`;
  if (intrinsic === 'Fn::Join' && Array.isArray(argument)) {
    const [separator, parts] = argument as [string, unknown[]];
    return parts.map(asText).join(separator);
  }
  return JSON.stringify(value);
}
