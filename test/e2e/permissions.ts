import { GetRolePolicyCommand, IAMClient, ListRolePoliciesCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { PROJECT, RECOVERY_REGION } from '../../demo/scenario';
import type { LocalCloud } from '../../local-cloud';

interface Statement {
  Action: string | string[];
}

/** Takes one action out of a deployed function's role while `work` runs. Fails when the role has no such action: then nothing would be tested. */
export async function withoutPermission(cloud: LocalCloud, handler: string, action: string, work: () => Promise<void>): Promise<void> {
  const lambda = new LambdaClient(cloud.clientConfig(RECOVERY_REGION));
  const iam = new IAMClient(cloud.clientConfig(RECOVERY_REGION));
  const { Role } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: `disaster-recovery-${PROJECT}-${handler}` }));
  const RoleName = Role!.split('/').at(-1)!;
  const { PolicyNames } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
  let removed = 0;
  const originals: { PolicyName: string; PolicyDocument: string }[] = [];
  for (const PolicyName of PolicyNames ?? []) {
    const { PolicyDocument } = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }));
    const text = decodeURIComponent(PolicyDocument!);
    originals.push({ PolicyName, PolicyDocument: text });
    const document = JSON.parse(text) as { Statement: Statement[] };
    document.Statement = document.Statement.flatMap((statement) => {
      const actions = [statement.Action].flat();
      const left = actions.filter((one) => one !== action);
      removed += actions.length - left.length;
      return left.length === 0 ? [] : [{ ...statement, Action: left }];
    });
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument: JSON.stringify(document) }));
  }
  expect(removed).toBeGreaterThan(0);
  try {
    await work();
  } finally {
    for (const original of originals) await iam.send(new PutRolePolicyCommand({ RoleName, ...original }));
    lambda.destroy();
    iam.destroy();
  }
}
