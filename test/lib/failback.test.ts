import { Duration } from 'aws-cdk-lib';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { Endpoint, Failback, FailbackVerification, FailureDetector, Repair, Signal, SwapIn, VolumeKey, type EndpointRepair } from '../../lib';
import { definition } from './support/asl';
import { statementsOf } from './support/iam';
import { emptyProject, project, synthError, template } from './support/project';

const configured = (given: ReturnType<typeof project>): any => definition(template(given), 'run').States.Configure!.Result;
const added = (handler: string, given: ReturnType<typeof project>): string[] => {
  const plain = statementsOf(template(project()), handler);
  return statementsOf(template(given), handler).filter((line) => !plain.includes(line));
};

describe('failback', () => {
  test('without it there is no return cycle, and no function has a right more', () => {
    expect(JSON.stringify(template(project()).toJSON())).not.toContain('return-cycle');
  });

  test('what a run is told', () => {
    const { failback } = configured(project({ failback: Failback.toSource({ verification: FailbackVerification.allBlocks(), keepReplaced: Duration.days(2), drainTimeout: Duration.minutes(3) }) }));
    expect(failback).toMatchObject({ drain: [], drainTimeoutSeconds: 180, syncTimeoutSeconds: 43_200, keepReplacedSeconds: 172_800 });
    expect(failback).not.toHaveProperty('verifyBlocks');
    expect(configured(project({ failback: Failback.toSource() })).failback).toMatchObject({ verifyBlocks: 1000 });
  });

  test('the return cycle is told the Regions the other way round, and no endpoints', () => {
    const { Result } = definition(template(project({ failback: Failback.toSource() })), 'return-cycle').States.Configure as any;
    expect(Result).toMatchObject({ direction: 'return', sourceRegion: 'us-west-2', recoveryRegion: 'us-east-1', endpoints: [] });
    expect(Result).not.toHaveProperty('targetKeyArn');
  });

  test('disks come back under a key of their own, if one is given', () => {
    const key = 'arn:aws:kms:us-east-1:111122223333:key/1';
    const given = project({ failback: Failback.toSource({ key: VolumeKey.fromArn(key) }) });
    expect((definition(template(given), 'return-cycle').States.Configure as any).Result.targetKeyArn).toBe(key);
    expect(added('run-launch', given).some((line) => line.startsWith('kms:') && line.includes(key))).toBe(true);
  });

  test('machines in the source Region are touched by the tags of their endpoints only', () => {
    const acts = added('run-launch', project({ failback: Failback.toSource() })).filter((line) => line.includes(':instance/*') && /StartInstances|AttachVolume/.test(line));
    expect(acts).toHaveLength(1);
    expect(acts[0]).toMatch(/aws:ResourceTag\/app.*web/);
  });

  test.each<[string, () => unknown, string]>([
    ['a sample of nothing', () => FailbackVerification.sample(0), 'whole number of blocks from 1'],
    ['what is kept for minutes', () => Failback.toSource({ keepReplaced: Duration.minutes(5) }), 'must be at least 1 hour'],
  ])('%s is refused', (_name, make, message) => expect(make).toThrow(message));
});

describe('repair', () => {
  const TARGETS = 'arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/app/0123456789abcdef';

  const repairing = (repair: EndpointRepair, declared = true) => {
    const given = emptyProject(declared ? { repair: Repair.inSource({ subnets: [{ subnetId: 'subnet-0b', availabilityZone: 'us-east-1b' }] }) } : {});
    given.project.protect(Endpoint.instances('web', { tag: { app: 'web' }, repair }));
    return given;
  };

  test('what a run is told, and the order of its steps', () => {
    const given = repairing({ swapIn: [SwapIn.targetGroup(TARGETS, { port: 8080 }), SwapIn.elasticIp('eipalloc-0a', { timeout: Duration.minutes(1) }), SwapIn.networkInterface('eni-0a')] });
    expect(configured(given).repair).toEqual({
      subnets: [{ subnetId: 'subnet-0b', availabilityZone: 'us-east-1b' }], keepReplacedSeconds: 604_800,
      endpoints: { web: { redeploy: [], swapIn: [
        { kind: 'target-group', targetGroupArn: TARGETS, port: 8080, timeoutSeconds: 600 }, { kind: 'elastic-ip', allocationId: 'eipalloc-0a', timeoutSeconds: 60 },
        { kind: 'network-interface', networkInterfaceId: 'eni-0a', deviceIndex: 1, timeoutSeconds: 600 },
      ] } },
    });
    const { States } = definition(template(given), 'run') as any;
    expect(States['After the waves'].Choices).toContainEqual({ Variable: '$.run.mode', StringEquals: 'repair', Next: 'Swap in' });
    const wave = States.Waves.ItemProcessor.States;
    expect(wave['Redeploy?'].Choices).toEqual([{ Variable: '$.run.mode', StringEquals: 'repair', Next: 'Redeploy' }]);
    expect(wave['Redeploy: done?'].Choices[0].Next).toBe('Check');
  });

  test('each swap-in is granted what it names', () => {
    const given = repairing({ swapIn: [SwapIn.targetGroup(TARGETS), SwapIn.elasticIp('eipalloc-0a')] });
    const lines = statementsOf(template(given), 'run-swap-in');
    expect(lines.filter((line) => line.includes('RegisterTargets'))).toEqual([expect.stringContaining(TARGETS)]);
    expect(lines.some((line) => line.includes('elastic-ip/eipalloc-0a'))).toBe(true);
    expect(lines.some((line) => line.includes('AttachNetworkInterface'))).toBe(false);
  });

  test('a detector of endpoints repairs where that is declared, and one of the project never does', () => {
    const detectors = (repair?: boolean) => {
      const given = repairing({});
      const [web] = [given.project.protect(Endpoint.instances('api', { tag: { app: 'api' } }))];
      given.project.detectFailure(FailureDetector.quorum(1, [Signal.instanceStatus(web)], { endpoints: [web], ...(repair === undefined ? {} : { repair }) }));
      given.project.detectFailure(FailureDetector.quorum(1, [Signal.instanceStatus(web, { name: 'checks' })], { name: 'all' }));
      return (given.project.detection!._config).detectors.map(({ action }) => action);
    };
    expect(detectors()).toEqual(['repair', undefined]);
    expect(detectors(false)).toEqual([undefined, undefined]);
  });

  test('how an endpoint is repaired says nothing in a project that does not repair', () => {
    expect(synthError(repairing({ swapIn: [SwapIn.elasticIp('eipalloc-0a')] }, false))).toContain("Endpoint 'web' says how it is repaired, and the project declares no repair. Give it repair: Repair.inSource()");
  });

  test.each<[string, () => unknown, string]>([
    ['a subnet of another shape', () => Repair.inSource({ subnets: [{ subnetId: 'vpc-1', availabilityZone: 'a' }] }), 'literal ids such as subnet-'],
    ['a name in place of the ARN of a target group', () => SwapIn.targetGroup('app'), 'takes the ARN of a target group'],
    ['an address in place of its allocation', () => SwapIn.elasticIp('192.0.2.1'), 'eipalloc-'],
    ['the first interface', () => SwapIn.networkInterface('eni-0a', { deviceIndex: 0 }), 'deviceIndex of SwapIn.networkInterface() must be a whole number of at least 1'],
    ['a name that is none', () => SwapIn.record({ hostedZone: HostedZone.fromHostedZoneId(emptyProject().stack, 'Z', 'Z1'), recordName: 'not a name' }), 'literal name of a record'],
  ])('%s is refused', (_name, make, message) => expect(make).toThrow(message));
});
