import { DescribeAvailabilityZonesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { clientSettings } from '../runtime/clients';
import { IMPATIENT } from './ec2-fence';
import { refusing } from './errors';
import type { Zones } from './ports/repair';

export class Ec2Zones implements Zones {
  private readonly client: EC2Client;

  constructor(region: string) {
    this.client = new EC2Client(clientSettings(region, IMPATIENT));
  }

  async states(): Promise<ReadonlyMap<string, string>> {
    const { AvailabilityZones = [] } = await refusing('DescribeAvailabilityZones', () => this.client.send(new DescribeAvailabilityZonesCommand({})));
    return new Map(AvailabilityZones.map(({ ZoneName = '', State = '' }) => [ZoneName, State]));
  }
}
