import { campaign } from '../../faults/campaign';
import { describeTry } from '../../faults/plan';

/** A handful, of those that change something: one try takes some seconds. `npm run faults` tries the rest. */
const WANTED = [
  /^cycle cycle-begin dynamodb:PutItem #1 answer lost$/,
  /^cycle cycle-snapshot ec2:CreateSnapshots #1 delivered twice$/,
  /^cycle cycle-replicate ec2:CopySnapshot #1 killed after$/,
  /^cycle in state Replicate stop execution$/,
  /^failover run-begin dynamodb:PutItem #1 answer lost$/,
  /^failover run-launch ec2:RunInstances #1 killed after$/,
  /^failover run-launch ec2:RegisterImage #1 delivered twice$/,
  /^failback run-drain ec2:StopInstances #1 killed before$/,
  /^failback run-launch ec2:AttachVolume #1 killed after$/,
  /^failback in state Switch stop execution$/,
];

test('calls that are lost, doubled or cut short cost no recovery point, launch nothing twice and leave nothing behind', async () => {
  const result = await campaign({
    seed: 1, wholly: false, only: (one) => WANTED.some((pattern) => pattern.test(`${one.phase} ${describeTry(one)} ${one.what.name}`)),
  });
  expect(result.rows.flatMap(({ operation, fault, violations }) => violations.map((violation) => `${operation}, ${fault}: ${violation}`))).toEqual([]);
  expect(result.tried).toBe(WANTED.length);
  expect(result.rows.filter(({ outcome }) => outcome === 'not reached')).toEqual([]);
}, 480_000);
