import { Duration } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { Function as LambdaFunction, type IFunction } from 'aws-cdk-lib/aws-lambda';
import { Endpoint, HookFailure, RecoveryCheck, RecoveryHook, type ProtectedEndpoint } from '../../lib';
import { definition } from './support/asl';
import { emptyProject, synthError, template, thrown, type Given } from './support/project';

interface Shop extends Given {
  readonly db: ProtectedEndpoint;
  readonly logic: ProtectedEndpoint;
  readonly web: ProtectedEndpoint;
}

function shop(): Shop {
  const given = emptyProject();
  const [db, logic, web] = ['db', 'logic', 'web'].map((name) => given.project.protect(Endpoint.instances(name, { tag: { tier: name } })));
  return { ...given, db: db!, logic: logic!, web: web! };
}

function handler({ stack }: Given, name = 'Handler'): IFunction {
  return LambdaFunction.fromFunctionArn(stack, name, `arn:aws:lambda:us-west-2:111122223333:function:${name}`);
}

const waves = (given: Given): any[] => definition(template(given), 'run').States.Configure!.Result.waves;
const names = (given: Given): string[][] => waves(given).map(({ endpoints }) => endpoints);

describe('order', () => {
  test('one wave by default', () => {
    expect(names(shop())).toEqual([['db', 'logic', 'web']]);
  });

  test('from dependencies', () => {
    const given = shop();
    given.web.dependsOn(given.logic, given.db);
    given.logic.dependsOn(given.db);
    expect(names(given)).toEqual([['db'], ['logic'], ['web']]);
  });

  test('explicit, also when declared after other things', () => {
    const given = shop();
    given.project.recoverInWaves([given.db], [given.web, given.logic]);
    expect(names(given)).toEqual([['db'], ['web', 'logic']]);
  });

  test('what no wave names comes last, with a warning', () => {
    const given = shop();
    given.project.recoverInWaves([given.db]);
    expect(names(given)).toEqual([['db'], ['logic', 'web']]);
    Annotations.fromStack(given.stack).hasWarning('/Recovery/Shop', Match.stringLikeRegexp("No wave names 'logic', 'web'"));
  });
});

describe('hooks and checks', () => {
  test('are told to the run, with their defaults', () => {
    const given = shop();
    given.project.addWave({
      endpoints: [given.db],
      before: [RecoveryHook.lambda(handler(given))],
      after: [RecoveryHook.ssmDocument('AWS-RunShellScript', { parameters: { commands: ['true'] }, endpoints: [given.web] })],
      checks: [RecoveryCheck.instanceStatus(), RecoveryCheck.lambda(handler(given, 'Check')), RecoveryCheck.ssmDocument('Own')],
    });
    expect(waves(given)[0]).toEqual({
      endpoints: ['db'],
      before: [{ name: 'Handler', kind: 'lambda', target: 'arn:aws:lambda:us-west-2:111122223333:function:Handler', timeoutSeconds: 300, onFailure: 'fail' }],
      after: [{ name: 'AWS-RunShellScript', kind: 'ssm', target: 'AWS-RunShellScript', parameters: { commands: ['true'] }, endpoints: ['web'], timeoutSeconds: 300, onFailure: 'fail' }],
      checks: [
        { name: 'instance-status', kind: 'instance-status', timeoutSeconds: 600 },
        { name: 'Check', kind: 'lambda', target: 'arn:aws:lambda:us-west-2:111122223333:function:Check', timeoutSeconds: 600 },
        { name: 'Own', kind: 'ssm', target: 'Own', timeoutSeconds: 600 },
      ],
    });
  });

  test('can be changed', () => {
    const given = shop();
    given.project.addWave({
      endpoints: [given.db],
      before: [RecoveryHook.lambda(handler(given), { name: 'warm-up', timeout: Duration.seconds(20), onFailure: HookFailure.CONTINUE, payload: { mode: 'quick' } })],
      checks: [RecoveryCheck.instanceStatus({ name: 'ec2', timeout: Duration.minutes(12) })],
    });
    expect(waves(given)[0]).toMatchObject({
      before: [{ name: 'warm-up', timeoutSeconds: 20, onFailure: 'continue', parameters: { mode: 'quick' } }],
      checks: [{ name: 'ec2', timeoutSeconds: 720 }],
    });
  });

  test('a payload with keys that look like paths stays data', () => {
    const given = shop();
    given.project.addWave({ endpoints: [given.db], before: [RecoveryHook.lambda(handler(given), { payload: { 'path.$': '$.config' } })] });
    expect(waves(given)[0].before[0].parameters).toEqual({ 'path.$': '$.config' });
  });

  test('a time-out beyond what a function can wait is refused', () => {
    const given = shop();
    expect(thrown(() => RecoveryHook.lambda(handler(given), { timeout: Duration.minutes(13) }))).toBe('The timeout of a hook must be from 1 second to 12 minutes, got 13 minutes.');
  });
});

describe('refused at synthesis', () => {
  test.each<[string, (given: Shop) => void, string]>([
    ['an endpoint in two waves', ({ project, db }) => project.recoverInWaves([db], [db]), "Endpoint 'db' is in wave 1 and again in wave 2. Name it once."],
    ['a wave of nothing', ({ project }) => project.recoverInWaves([]), 'Wave 1 has no endpoint. Leave it out.'],
    ['a circle', ({ db, web }) => { db.dependsOn(web); web.dependsOn(db); }, 'db -> web -> db. Remove one of these dependencies.'],
    ['waves against a dependency', ({ project, db, logic }) => { db.dependsOn(logic); project.recoverInWaves([db], [logic]); }, "Endpoint 'db' (wave 1) depends on 'logic' (wave 2). Put 'logic' into an earlier wave."],
    ['a dependency on what comes last', ({ project, db, logic }) => { db.dependsOn(logic); project.recoverInWaves([db]); }, "depends on 'logic' (in no wave, so the last)"],
    ['an endpoint of another project', ({ project }) => project.recoverInWaves([shop().db]), "Wave 1 names endpoint 'db' of another project"],
    ['two hooks of one name', (given) => given.project.addWave({ endpoints: [given.db], before: [RecoveryHook.ssmDocument('A'), RecoveryHook.ssmDocument('A')] }), "Wave 1 has two hooks 'A' before it"],
    ['two checks of one name', (given) => given.project.addWave({ endpoints: [given.db], checks: [RecoveryCheck.instanceStatus(), RecoveryCheck.instanceStatus()] }), "Wave 1 has two checks 'instance-status'"],
    ['a bad name', (given) => given.project.addWave({ endpoints: [given.db], after: [RecoveryHook.ssmDocument('A', { name: 'a#b' })] }), "The name 'a#b' of a hook is not usable"],
  ])('%s', (_what, declare, message) => {
    const given = shop();
    declare(given);
    expect(synthError(given)).toContain(message);
  });
});
