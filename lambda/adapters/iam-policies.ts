import { DeleteRolePolicyCommand, GetRolePolicyCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { clientSettings } from '../runtime/clients';
import { IMPATIENT } from './ec2-fence';
import { isRefused, refusing } from './errors';
import type { RolePolicies } from './ports/source-fence';

/** IAM's control plane is in one Region of the partition (us-east-1): when that one is gone, roles cannot be changed from anywhere. */
export class IamRolePolicies implements RolePolicies {
  private readonly client: IAMClient;

  constructor(region: string) {
    this.client = new IAMClient(clientSettings(region, IMPATIENT));
  }

  async policy(roleName: string, policyName: string): Promise<string | undefined> {
    try {
      const { PolicyDocument } = await refusing('GetRolePolicy', () => this.client.send(new GetRolePolicyCommand({ RoleName: roleName, PolicyName: policyName })));
      return PolicyDocument === undefined ? undefined : decodeURIComponent(PolicyDocument);
    } catch (error) {
      if (isRefused(error, 'not-found')) return undefined;
      throw error;
    }
  }

  async putPolicy(roleName: string, policyName: string, document: string): Promise<void> {
    await refusing('PutRolePolicy', () => this.client.send(new PutRolePolicyCommand({ RoleName: roleName, PolicyName: policyName, PolicyDocument: document })));
  }

  async deletePolicy(roleName: string, policyName: string): Promise<void> {
    await refusing('DeleteRolePolicy', () => this.client.send(new DeleteRolePolicyCommand({ RoleName: roleName, PolicyName: policyName })));
  }
}
