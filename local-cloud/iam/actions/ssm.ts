import type { ApiCall } from '../../gateway/call';
import { NEW_ID, list, onEverything, record, resourceTags, text, type ActionContext, type ActionTable, type Requirement, type Requirements } from '../requirement';

/** Documents that AWS owns have no account in their ARN. */
function documentArn(call: ApiCall, account: string): string {
  const name = text(call.json.DocumentName);
  return name.startsWith('arn:') ? name : `arn:aws:ssm:${call.region}:${name.startsWith('AWS-') ? '' : account}:document/${name}`;
}

function instanceIds(call: ApiCall): string[] {
  const targeted = list(call.json.Targets).map(record).filter(({ Key }) => text(Key).toLowerCase() === 'instanceids').flatMap(({ Values }) => list(Values));
  return [...list(call.json.InstanceIds), ...targeted].map(text);
}

async function onInstance(call: ApiCall, context: ActionContext, id: string): Promise<Requirement> {
  const managed = id.startsWith('mi-');
  const resource = `arn:aws:${managed ? 'ssm' : 'ec2'}:${call.region}:${context.account}:${managed ? 'managed-instance' : 'instance'}/${id}`;
  return { action: 'ssm:SendCommand', resource, context: resourceTags('ssm', await context.lookup.ec2Tags(call.region, id)) };
}

/** Both the document and every machine that it runs on are resources of SendCommand. */
const sendCommand: Requirements = async (call, context) => {
  const resource = documentArn(call, context.account);
  const document: Requirement = { action: 'ssm:SendCommand', resource, context: {}, ...(resource.includes('::') ? { unusualArn: true } : {}) };
  const machines = await Promise.all(instanceIds(call).map((id) => onInstance(call, context, id)));
  const byTag = list(call.json.Targets).map(record).filter(({ Key }) => text(Key).startsWith('tag:'));
  const tags = new Map(byTag.map(({ Key, Values }) => [text(Key).slice('tag:'.length), text(list(Values)[0])]));
  // Machines chosen by tag are not known yet; the tag that chooses them is what a condition can see.
  const chosen: Requirement[] = byTag.length === 0 ? [] : [{
    action: 'ssm:SendCommand', resource: `arn:aws:ec2:${call.region}:${context.account}:instance/${NEW_ID}`, context: resourceTags('ssm', tags),
  }];
  return [document, ...machines, ...chosen];
};

const onParameter = (call: ApiCall, context: ActionContext, name: string): Requirement => ({
  action: `ssm:${call.operation}`, resource: name.startsWith('arn:') ? name : `arn:aws:ssm:${call.region}:${context.account}:parameter/${name.replace(/^\//, '')}`, context: {},
});

const everything = onEverything('ssm');

/** Service Authorization Reference, "Actions, resources, and condition keys for AWS Systems Manager". */
export const SSM: ActionTable = {
  SendCommand: sendCommand,
  GetCommandInvocation: everything,
  ListCommandInvocations: everything,
  ListCommands: everything,
  DescribeInstanceInformation: everything,
  GetParameter: (call, context) => [onParameter(call, context, text(call.json.Name))],
  PutParameter: (call, context) => [onParameter(call, context, text(call.json.Name))],
  GetParameters: (call, context) => list(call.json.Names).map((name) => onParameter(call, context, text(name))),
  GetParametersByPath: (call, context) => [onParameter(call, context, text(call.json.Path))],
};
