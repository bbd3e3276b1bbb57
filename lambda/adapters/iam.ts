import { GetInstanceProfileCommand, IAMClient } from '@aws-sdk/client-iam';
import { clientSettings } from '../runtime/clients';
import { isRefused, refusing } from './errors';
import type { InstanceProfiles } from './ports/source-machines';

export class IamInstanceProfiles implements InstanceProfiles {
  private readonly client: IAMClient;

  /** IAM is global; the Region chooses the endpoint's partition only. */
  constructor(region: string) {
    this.client = new IAMClient(clientSettings(region));
  }

  async roleOf(instanceProfileArn: string): Promise<string | undefined> {
    const name = instanceProfileArn.slice(instanceProfileArn.lastIndexOf('/') + 1);
    try {
      const answer = await refusing('GetInstanceProfile', () => this.client.send(new GetInstanceProfileCommand({ InstanceProfileName: name })));
      return answer.InstanceProfile?.Roles?.[0]?.Arn;
    } catch (error) {
      if (isRefused(error, 'not-found')) return undefined;
      throw error;
    }
  }
}
