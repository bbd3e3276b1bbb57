import type { IAMClient } from '@aws-sdk/client-iam';
import { RolePolicyStore, parsePolicy } from '../../local-cloud/iam/role-policies';
import { ROLE } from './support/iam';

const encoded = (statement: object): string => encodeURIComponent(JSON.stringify({ Version: '2012-10-17', Statement: [statement] }));

/** IAM with one role that has one inline and one attached policy. */
function fakeIam(inline: object): { readonly iam: IAMClient; readonly asked: string[] } {
  const asked: string[] = [];
  const answers: Record<string, unknown> = {
    GetRoleCommand: { Role: { AssumeRolePolicyDocument: encoded({ Effect: 'Allow' }) } },
    ListRolePoliciesCommand: { PolicyNames: ['inline'] },
    ListAttachedRolePoliciesCommand: { AttachedPolicies: [{ PolicyArn: 'arn:aws:iam::aws:policy/Managed' }] },
    GetRolePolicyCommand: { PolicyDocument: encoded(inline) },
    GetPolicyCommand: { Policy: { DefaultVersionId: 'v3' } },
    GetPolicyVersionCommand: { PolicyVersion: { Document: encoded({ Effect: 'Deny' }) } },
  };
  const send = (command: object): Promise<unknown> => {
    asked.push(command.constructor.name);
    return Promise.resolve(answers[command.constructor.name]);
  };
  return { iam: { send } as unknown as IAMClient, asked };
}

test('takes inline and attached policies, in the version that counts', async () => {
  const { identity, trust } = await new RolePolicyStore(fakeIam({ Effect: 'Allow' }).iam).get(ROLE);
  expect(identity.map(({ name }) => name)).toEqual(['inline', 'arn:aws:iam::aws:policy/Managed']);
  expect(identity[1]?.policy.Statement).toEqual([{ Effect: 'Deny' }]);
  expect(trust.Statement).toEqual([{ Effect: 'Allow' }]);
});

test('asks IAM once, and again after IAM has changed', async () => {
  const { iam, asked } = fakeIam({});
  const store = new RolePolicyStore(iam);
  await Promise.all([store.get(ROLE), store.get(ROLE)]);
  const once = asked.length;
  await store.get(ROLE);
  expect(asked).toHaveLength(once);
  store.invalidate();
  await store.get(ROLE);
  expect(asked).toHaveLength(2 * once);
});

test('sees what keeps a decision from being kept', async () => {
  const plain = await new RolePolicyStore(fakeIam({ Resource: 'arn:aws:ec2:*::snapshot/snap-*' }).iam).get(ROLE);
  expect(plain).toMatchObject({ timed: false, namedPrefixes: new Set() });
  const special = await new RolePolicyStore(fakeIam({ Resource: 'arn:aws:ec2:*:1:subnet/subnet-0a1b2c3d', Condition: { DateLessThan: { 'aws:CurrentTime': 'x' } } }).iam).get(ROLE);
  expect(special).toMatchObject({ timed: true, namedPrefixes: new Set(['subnet']) });
});

test('reads the name of a resource that does not exist yet, and EC2\'s name of all resources', () => {
  expect(JSON.stringify(parsePolicy(encoded({ Resource: ['a:snapshot/${*}', 'arn:aws:ec2:*:1:*/*'] })))).toContain('["a:snapshot/new--resource","arn:aws:ec2:*:1:*"]');
});
