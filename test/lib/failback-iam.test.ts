import { Endpoint, Failback } from '../../lib';
import { statementsOf } from './support/iam';
import { project, template } from './support/project';

const OWN = 'aws:ResourceTag/dr:project=shop';
const MARKS = 'ForAllValues:StringEquals aws:TagKeys=disaster-recovery:replaced-by|disaster-recovery:expires-at, Null aws:TagKeys=false';
const of = (mode: string) => `${OWN}, aws:ResourceTag/dr:mode=${mode}`;

const rendered = (() => {
  const given = project({ failback: Failback.toSource() });
  given.project.protect(Endpoint.instance('db', { tag: { app: 'db' } }));
  given.project.protect(Endpoint.instances('batch', { tag: { app: 'batch', tier: 'night' } }));
  return template(given);
})();
const ec2Of = (handler: string) => statementsOf(rendered, handler).filter((line) => line.startsWith('ec2:') || line.startsWith('states:'));

test('the copy starts return cycles, and looks at the source', () => {
  expect(ec2Of('run-sync')).toEqual([
    'states:StartExecution -> states:us-west-2:ACCOUNT:stateMachine:disaster-recovery-shop-return-cycle',
    'states:DescribeExecution -> states:us-west-2:ACCOUNT:execution:disaster-recovery-shop-return-cycle:*',
    'ec2:DescribeInstances -> * [aws:RequestedRegion=us-east-1]',
  ]);
});

test('the drain stops, starts and marks what failovers have launched, and stops machines of endpoints in the source', () => {
  expect(ec2Of('run-drain')).toEqual([
    'ec2:DescribeInstances -> * [aws:RequestedRegion=us-east-1|us-west-2]',
    `ec2:StopInstances ec2:StartInstances -> ec2:us-west-2:ACCOUNT:instance/* [${of('failover')}]`,
    `ec2:CreateTags -> ec2:us-west-2:ACCOUNT:instance/* ec2:us-west-2:ACCOUNT:volume/* [${of('failover')}, ${MARKS}]`,
    `ec2:StopInstances -> ec2:us-east-1:ACCOUNT:instance/* [${of('failback')}]`,
    `ec2:CreateTags -> ec2:us-east-1:ACCOUNT:instance/* [${of('failback')}, ${MARKS}]`,
    'ec2:StopInstances -> ec2:us-east-1:ACCOUNT:instance/* [aws:ResourceTag/app=web|db]',
    'ec2:StopInstances -> ec2:us-east-1:ACCOUNT:instance/* [aws:ResourceTag/app=batch, aws:ResourceTag/tier=night]',
  ]);
});

test('a run may look at the source before it begins, and only where there is a way back', () => {
  const line = 'ec2:DescribeInstances -> * [aws:RequestedRegion=us-east-1]';
  expect(statementsOf(rendered, 'run-begin')).toContain(line);
  expect(statementsOf(template(project()), 'run-begin')).not.toContain(line);
});
