import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Duration, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Topic } from 'aws-cdk-lib/aws-sns';
import * as library from '../../lib';

const readme = readFileSync(join(__dirname, '..', '..', 'README.md'), 'utf8');
const plan = /```ts\n([^`]*new DisasterRecovery[^`]*)```/.exec(readme)?.[1] ?? '';

describe("the README's plan", () => {
  test('has at most 15 lines', () => {
    expect(plan.trimEnd().split('\n').length).toBeLessThanOrEqual(15);
    expect(plan).toContain('detectFailure');
  });

  test('is all that an app needs: it synthesizes as it stands there', () => {
    const app = new App({ analyticsReporting: false });
    const env = { account: '111122223333' };
    const recoveryStack = new Stack(app, 'Recovery', { env: { ...env, region: 'us-west-2' } });
    const sourceStack = new Stack(app, 'Source', { env: { ...env, region: 'us-east-1' } });
    const dbInstance = new ec2.Instance(sourceStack, 'Db', {
      vpc: new ec2.Vpc(sourceStack, 'Vpc'), instanceType: new ec2.InstanceType('t3.small'), machineImage: ec2.MachineImage.latestAmazonLinux2023(),
    });
    const given = { ...library, Duration, recoveryStack, dbInstance, recoveryVpc: new ec2.Vpc(recoveryStack, 'Vpc'), operators: new Topic(recoveryStack, 'Operators') };
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- The very text that a reader copies; it has no types in it.
    new Function(...Object.keys(given), plan)(...Object.values(given));
    const { stacks } = app.synth();
    expect(stacks.map(({ id }) => id).sort()).toEqual(['Recovery', 'Recovery-Shop-Source', 'Source']);
    // The instance of this test has a role without a name, which the plan does not pass on.
    expect(stacks.flatMap(({ messages }) => messages.map(({ entry }) => entry.data))).toEqual([expect.stringContaining('roleNotPassable:db')]);
  });
});
