import { Stack, Tags, Validations, type StackProps } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { ShopNetwork } from './network';

/** IAM is global: recovered machines carry the same role. The name lets another Region's stack know its ARN. */
const ROLE_NAME = 'shop-machine';

/** A shop in three tiers, as it might have been before anybody thought of recovery: two web servers, an application, a database. */
export class ShopProduction extends Stack {
  readonly database: ec2.Instance;
  readonly application: ec2.Instance;
  readonly machineRole: Role;
  private readonly network: ShopNetwork;

  constructor(scope: Construct, id: string, props: StackProps) {
    super(scope, id, props);
    this.network = new ShopNetwork(this, 'Network');
    this.machineRole = new Role(this, 'MachineRole', { roleName: ROLE_NAME, assumedBy: new ServicePrincipal('ec2.amazonaws.com') });
    this.database = this.machine('Database', 'db', [disk('/dev/sdf', 4), disk('/dev/sdg', 2)]);
    this.application = this.machine('Application', 'app');
    for (const name of ['web-1', 'web-2']) Tags.of(this.machine(`Web${name.slice(-1)}`, name)).add('app', 'web', { includeResourceTypes: ['AWS::EC2::Instance'] });
  }

  private machine(id: string, name: string, dataDisks: ec2.BlockDevice[] = []): ec2.Instance {
    const userData = ec2.UserData.forLinux();
    userData.addCommands(`hostnamectl set-hostname ${name}`);
    const machine = new ec2.Instance(this, id, {
      instanceName: name,
      vpc: this.network.vpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
      securityGroup: this.network.machines,
      role: this.machineRole,
      instanceType: ec2.InstanceType.of(ec2.InstanceClass.T3, ec2.InstanceSize.SMALL),
      machineImage: ec2.MachineImage.latestAmazonLinux2023(),
      blockDevices: [disk('/dev/xvda', 8), ...dataDisks],
      userData,
    });
    Validations.of(machine).acknowledge(
      { id: 'AwsSolutions-EC28', reason: 'Detailed monitoring is paid for and adds nothing to the example.' },
      { id: 'AwsSolutions-EC29', reason: 'The example is to be removed by cdk destroy.' },
    );
    return machine;
  }
}

function disk(deviceName: string, gibibytes: number): ec2.BlockDevice {
  return { deviceName, volume: ec2.BlockDeviceVolume.ebs(gibibytes, { encrypted: true, volumeType: ec2.EbsDeviceVolumeType.GP3 }) };
}
