import { Tag } from '../../../lambda/core/tags';
import type { HookTarget } from '../../plan/recovery-hook';
import type { ProjectContext } from '../context';
import { ec2Arn, Wide, type Permission } from './permission';

/** What a function needs to run one hook or check. */
export function hookPermissions(context: ProjectContext, { functionArn, documentName }: HookTarget): Permission[] {
  if (functionArn !== undefined) return [{ actions: ['lambda:InvokeFunction'], resources: [functionArn] }];
  if (documentName === undefined) return [];
  return [
    { actions: ['ssm:SendCommand'], resources: [documentArn(context, documentName)] },
    {
      actions: ['ssm:SendCommand'],
      resources: [ec2Arn(context, context.recoveryRegion, 'instance')],
      conditions: { StringEquals: { [`ssm:resourceTag/${Tag.PROJECT}`]: context.project } },
      wide: Wide.OWN_TAG,
    },
    { actions: ['ssm:ListCommandInvocations', 'ssm:ListCommands'], resources: ['*'], wide: Wide.COMMANDS },
  ];
}

/** Amazon's own documents have no account in their ARN. */
function documentArn(context: ProjectContext, name: string): string {
  if (name.startsWith('arn:')) return name;
  const owner = /^(AWS|Amazon)[A-Za-z]*-/.test(name) ? '' : context.account;
  return `arn:${context.partition}:ssm:${context.recoveryRegion}:${owner}:document/${name}`;
}
