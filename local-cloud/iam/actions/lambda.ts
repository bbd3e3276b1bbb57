import type { ApiCall } from '../../gateway/call';
import { onEverything, type ActionContext, type ActionTable, type Requirements } from '../requirement';

/** The ARN of the function that a request's path names, by name, partial ARN or ARN, with its qualifier. */
export function functionArn(call: ApiCall, account: string): string {
  const named = decodeURIComponent(call.url.pathname.split('/')[3] ?? '');
  const parts = named.split(':');
  const at = parts.indexOf('function');
  const [name = '', suffix] = at >= 0 ? [parts[at + 1], parts[at + 2]] : parts;
  const region = parts[0] === 'arn' ? parts[3] ?? call.region : call.region;
  const qualifier = call.url.searchParams.get('Qualifier') ?? suffix;
  return `arn:aws:lambda:${region}:${account}:function:${name}${qualifier && qualifier !== '$LATEST' ? `:${qualifier}` : ''}`;
}

/** Invocation is the one action for which the function's own policy may allow what the caller's does not. */
const invoke: Requirements = async (call, context: ActionContext) => {
  const resource = functionArn(call, context.account);
  const resourcePolicy = await context.lookup.functionPolicy(call.region, resource);
  return [{ action: 'lambda:InvokeFunction', resource, context: {}, ...(resourcePolicy ? { resourcePolicy } : {}) }];
};

const onFunction: Requirements = (call, context) => [{ action: `lambda:${call.operation}`, resource: functionArn(call, context.account), context: {} }];

/** Service Authorization Reference, "Actions, resources, and condition keys for AWS Lambda". */
export const LAMBDA: ActionTable = {
  Invoke: invoke,
  GetFunction: onFunction,
  GetFunctionConfiguration: onFunction,
  ListFunctions: onEverything('lambda'),
};
