import validate from 'asl-validator';
import { Endpoint } from '../../lib';
import { definition, type Asl, type AslState } from './support/asl';
import { emptyProject, project, template } from './support/project';

const rendered = template(project());
const cycle = definition(rendered, 'cycle');
const run = definition(rendered, 'run');
const wave = run.States.Waves!.ItemProcessor!;

const tasks = ({ States }: Asl): [string, AslState][] => Object.entries(States).filter(([, { Type }]) => Type === 'Task');
const functionOf = ({ Parameters }: AslState): string => Parameters!.FunctionName.replace(/^<Shop\w*Functions(\w+)Function\w{8}\.Arn>$/, '$1');

/** The way through a state machine when everything is done at the first try. */
function happyPath({ StartAt, States }: Asl): string[] {
  const path: string[] = [];
  for (let name: string | undefined = StartAt; name !== undefined && !path.includes(name);) {
    path.push(name);
    const state: AslState = States[name]!;
    name = state.Choices ? state.Choices[0]!.Next : state.Next;
  }
  return path;
}

describe('both definitions', () => {
  test.each([['cycle', cycle], ['run', run]])('%s is valid ASL', (_name, asl) => {
    const { isValid, errorsText } = validate(asl, { checkArn: false, checkPaths: true });
    expect(isValid ? '' : errorsText('\n')).toBe('');
  });

  test.each([['cycle', cycle], ['run', run], ['wave', wave]])('%s: every task retries what Lambda did wrong, and never what was refused', (_name, asl) => {
    for (const [, { Retry }] of tasks(asl)) {
      expect(Retry![0]).toMatchObject({ MaxAttempts: 0, ErrorEquals: expect.arrayContaining(['InvalidRequest', 'LaunchFailed', 'CheckFailed', 'HookFailed', 'FenceFailed', 'LeaseHeld', 'StaleEpoch']) });
      expect(Retry!.slice(1).map(({ ErrorEquals }) => ErrorEquals[0])).toEqual(['Lambda.ServiceException', 'Lambda.Unknown', 'States.TaskFailed']);
    }
  });

  test.each([['cycle', cycle], ['run', run]])('%s: the configuration is data, not a template of paths', (_name, asl) => {
    expect(asl.States.Configure).toMatchObject({ Type: 'Pass', ResultPath: '$.config', Result: { project: 'shop', sourceRegion: 'us-east-1', recoveryRegion: 'us-west-2' } });
  });

  test('machines have computed names, traces and logs of all events', () => {
    const machines = Object.values(rendered.findResources('AWS::StepFunctions::StateMachine')).map(({ Properties }) => Properties);
    expect(machines.map(({ StateMachineName }) => StateMachineName)).toEqual(['disaster-recovery-shop-cycle', 'disaster-recovery-shop-run']);
    for (const { TracingConfiguration, LoggingConfiguration } of machines) {
      expect(TracingConfiguration).toEqual({ Enabled: true });
      expect(LoggingConfiguration.Level).toBe('ALL');
    }
  });
});

describe('protection cycle', () => {
  test('goes through its steps in order', () => {
    expect(happyPath(cycle)).toEqual([
      'Configure', 'Begin', 'Started?', 'Discover', 'Snapshot', 'Snapshot: done?', 'Replicate', 'Replicate: done?', 'Prune', 'Prune: done?', 'Finish', 'Cycle finished',
    ]);
    expect(tasks(cycle).map(([, state]) => functionOf(state)).sort())
      .toEqual(['Begin', 'Discover', 'Finish', 'Finish', 'Prune', 'Replicate', 'Snapshot', 'Wait']);
  });

  test('ends at once when another one is running', () => {
    expect(cycle.States['Started?']!.Default).toBe('Another cycle is running');
  });

  test('does nothing while the recovery side is active', () => {
    expect(cycle.States['Started?']!.Choices![1]).toMatchObject({ Variable: '$.cycle.outcome', StringEquals: 'suspended', Next: 'Suspended' });
  });

  test('a pause of replication is a callback with a time-out, after which snapshots are polled', () => {
    const wait = cycle.States['Replicate: wait for an event']!;
    expect(wait.Resource).toMatch(/lambda:invoke\.waitForTaskToken$/);
    expect(wait.Parameters!.Payload).toEqual({ 'config.$': '$.config', 'cycle.$': '$.cycle', 'token.$': '$$.Task.Token' });
    expect(wait.TimeoutSecondsPath).toBe('$.step.waitSeconds');
    expect(wait.Catch![0]).toMatchObject({ ErrorEquals: ['States.Timeout'], Next: 'Replicate' });
  });

  test('whatever fails after the lock was taken, the lock is released and the execution fails by the original error', () => {
    for (const [name, state] of tasks(cycle).filter(([name]) => !['Begin', 'Finish', 'Finish after a failure'].includes(name))) {
      expect([name, state.Catch!.at(-1)]).toEqual([name, { ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Finish after a failure' }]);
    }
    expect(cycle.States['Finish after a failure']!.Next).toBe('Cycle failed');
    expect(cycle.States['Cycle failed']).toMatchObject({ Type: 'Fail', ErrorPath: '$.error.Error', CausePath: '$.error.Cause' });
  });

  test('ends a hanging execution after an hour, or two intervals where that is longer', () => {
    expect(cycle.TimeoutSeconds).toBe(3600);
  });
});

describe('recovery run', () => {
  test('goes through its steps, one wave after the other', () => {
    expect(happyPath(run)).toEqual(['Configure', 'Begin', 'Before the waves', 'Fence', 'Fence: done?', 'Waves', 'After the waves', 'Cut over?', 'Cut over', 'Cut over: done?', 'Finish', 'Whole?', 'Recovered']);
    expect(run.States.Waves).toMatchObject({ Type: 'Map', MaxConcurrency: 1, ItemsPath: '$.run.waves', ResultPath: null });
    expect(happyPath(wave)).toEqual([
      'Hooks before', 'Hooks before: done?', 'Launch', 'Launch: done?', 'Check', 'Check: done?', 'Hooks after', 'Hooks after: done?', 'Wave recovered',
    ]);
  });

  test('a failover fences before its first wave; a drill does not', () => {
    expect(run.States['Before the waves']).toMatchObject({
      Choices: [{ Or: [{ Variable: '$.run.mode', StringEquals: 'failover' }, { Variable: '$.run.mode', StringEquals: 'repair' }], Next: 'Fence' }], Default: 'Waves',
    });
    expect(run.States['Fence: done?']!.Choices![0]!.Next).toBe('Waves');
  });

  test('evidence that does not say SUCCEEDED fails the execution', () => {
    expect(run.States['Whole?']).toMatchObject({ Choices: [{ Variable: '$.status', StringEquals: 'SUCCEEDED', Next: 'Recovered' }], Default: 'Run incomplete' });
    expect(run.States['Run incomplete']).toMatchObject({ Type: 'Fail', Error: 'RunIncomplete', CausePath: '$.error' });
  });

  test('hooks are told their phase', () => {
    expect(wave.States['Hooks before']!.Parameters!.Payload.phase).toBe('before');
    expect(wave.States['Hooks after']!.Parameters!.Payload.phase).toBe('after');
  });

  test('the request is the input of the execution', () => {
    expect(run.States.Begin!.Parameters!.Payload).toEqual({
      'config.$': '$.config', 'request.$': '$$.Execution.Input', 'executionName.$': '$$.Execution.Name', 'executionArn.$': '$$.Execution.Id',
    });
  });

  test('whatever fails is recorded; a run that could not begin has no plan to refer to', () => {
    expect(run.States.Begin!.Catch![0]!.Next).toBe('Record the refusal');
    for (const name of ['Fence', 'Waves']) expect(run.States[name]!.Catch![0]!.Next).toBe('Record the failure');
    expect(run.States['Record the refusal']!.Parameters!.Payload['run.$']).toBeUndefined();
    expect(run.States['Record the failure']!.Parameters!.Payload['run.$']).toBe('$.run');
    for (const name of ['Record the refusal', 'Record the failure']) expect(run.States[name]!.Next).toBe('Run failed');
  });

  test('the output is the evidence; evidence of less than the whole plan is a failure', () => {
    expect(run.States.Finish!.OutputPath).toBe('$.Payload');
    expect(run.States['Whole?']).toMatchObject({ Choices: [{ Variable: '$.status', StringEquals: 'SUCCEEDED' }], Default: 'Run incomplete' });
    expect(run.States['Run incomplete']!.Type).toBe('Fail');
  });
});

describe('what the handlers are told', () => {
  test('of a cycle, by default', () => {
    expect(cycle.States.Configure!.Result).toEqual({
      project: 'shop', sourceRegion: 'us-east-1', recoveryRegion: 'us-west-2',
      endpoints: [{ name: 'web', tags: { app: 'web' }, single: false }],
      retention: { kind: 'last', count: 3 }, sourceRetention: { kind: 'last', count: 2 },
      launch: {}, launchDefaults: {}, passableRoleArns: [], keepMissingSeconds: 7_776_000,
      rpoSeconds: 900, intervalSeconds: 300, pollSeconds: 60,
      targetKeyArn: expect.stringMatching(/^<ShopKey\w+\.Arn>$/), copyConcurrency: 20, snapshotsPerSecond: 5,
    });
  });

  test('of a run, by default', () => {
    expect(run.States.Configure!.Result).toEqual({
      project: 'shop', sourceRegion: 'us-east-1', recoveryRegion: 'us-west-2', rpoSeconds: 900, rtoSeconds: 1800,
      waves: [{ endpoints: ['web'], before: [], after: [], checks: [{ name: 'instance-status', kind: 'instance-status', timeoutSeconds: 600 }] }],
      production: {
        subnets: [
          { subnetId: 'subnet-0a', cidr: '10.20.0.0/20', availabilityZone: 'us-west-2a' },
          { subnetId: 'subnet-0b', cidr: '10.20.16.0/20', availabilityZone: 'us-west-2b' },
        ],
        securityGroupIds: [expect.stringMatching(/^<ShopRecoveredMachines\w+\.GroupId>$/)],
      },
      drill: {
        subnets: [
          { subnetId: expect.stringMatching(/^<ShopDrillVpc\w+>$/), cidr: '192.168.240.0/21', availabilityZone: expect.anything() },
          { subnetId: expect.stringMatching(/^<ShopDrillVpc\w+>$/), cidr: '192.168.248.0/21', availabilityZone: expect.anything() },
        ],
        securityGroupIds: [expect.stringMatching(/^<ShopDrillSecurityGroup\w+\.GroupId>$/)],
      },
      drillInstanceLimit: 50, drillKeepSeconds: 3600,
      instanceTypes: { map: {}, fallbacks: [] }, launch: {}, launchDefaults: { keepPrivateIp: true, keepUserData: true },
      passableRoleArns: [], targetKeyArn: expect.stringMatching(/^<ShopKey\w+\.Arn>$/), launchesPerSecond: 2,
    });
  });
});

test('the template has the same resources for 1 endpoint and for 1,000', () => {
  const resources = (count: number): string[] => {
    const given = emptyProject();
    for (let index = 0; index < count; index += 1) given.project.protect(Endpoint.instances(`web-${index}`, { tag: { app: `web-${index}` } }));
    return Object.keys(template(given).toJSON().Resources as object);
  };
  expect(resources(1000)).toEqual(resources(1));
});
