import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import type { CloudAssembly } from 'aws-cdk-lib/cx-api';
import { AwsSolutionsChecks } from 'cdk-nag';
import { ShopProduction } from '../../bin/shop/production';
import { ShopRecovery } from '../../bin/shop/recovery';

/**
 * cfn-lint findings that are explained. W3005: the CDK lets a function and a state machine wait for their role and its policy
 * by DependsOn; that they refer to the role too makes one of the two redundant, not wrong.
 */
const EXPLAINED = ['W3005'];

const outdir = mkdtempSync(join(tmpdir(), 'shop-'));
let assembly: CloudAssembly;

beforeAll(() => {
  const app = new App({ outdir, analyticsReporting: false });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const production = new ShopProduction(app, 'ShopProduction', { env: { region: 'us-east-1' } });
  new ShopRecovery(app, 'ShopRecovery', { env: { region: 'us-west-2' }, production, sourceRegion: 'us-east-1' });
  // Throws at the first finding of cdk-nag that no reason was given for.
  assembly = app.synth();
});

afterAll(() => rmSync(outdir, { recursive: true, force: true }));

const template = (id: string): any => assembly.getStackByName(id).template;

test('is three stacks in two Regions, without warnings', () => {
  expect(assembly.stacks.map(({ id, environment }) => [id, environment.region]).sort()).toEqual([
    ['ShopProduction', 'us-east-1'], ['ShopRecovery', 'us-west-2'], ['ShopRecovery-Shop-Source', 'us-east-1'],
  ]);
  expect(assembly.stacks.flatMap(({ messages }) => messages)).toEqual([]);
});

test('cdk-nag AwsSolutions has nothing to say that is not explained, and would speak', () => {
  const app = new App({ outdir: join(outdir, 'control'), analyticsReporting: false });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  new Bucket(new Stack(app, 'Control'), 'Bucket');
  expect(() => app.synth()).toThrow(/AwsSolutions-S1/);
  process.exitCode = 0;
});

test('cfn-lint has nothing to say that is not explained', () => {
  const templates = assembly.stacks.map(({ templateFullPath }) => templateFullPath);
  const linter = join(__dirname, '..', '..', '.venv', 'bin', 'cfn-lint');
  const run = (): string => execFileSync(linter, ['--format', 'parseable', '--ignore-checks', ...EXPLAINED, '--', ...templates], { encoding: 'utf8' });
  expect(run()).toBe('');
}, 60_000);

test('nothing ties the stacks together', () => {
  for (const { template: body, dependencies } of assembly.stacks) {
    expect(JSON.stringify(body)).not.toMatch(/Fn::ImportValue|Fn::GetStackOutput|ExportsReader|ExportsWriter|Custom::/);
    expect(dependencies.filter(({ id }) => !id.endsWith('.assets'))).toEqual([]);
  }
});

test('synthesis looks nothing up', () => {
  expect(assembly.manifest.missing).toBeUndefined();
});

test('the machines: two web servers, an application, a database with two data disks', () => {
  const instances = Object.values<any>(template('ShopProduction').Resources).filter(({ Type }) => Type === 'AWS::EC2::Instance').map(({ Properties }) => Properties);
  const tag = ({ Tags }: any, key: string): string | undefined => Tags.find(({ Key }: any) => Key === key)?.Value;
  expect(instances.map((one) => [tag(one, 'Name'), one.BlockDeviceMappings.length, tag(one, 'disaster-recovery:endpoint') ?? tag(one, 'app')]).sort())
    .toEqual([['app', 1, 'app'], ['db', 3, 'db'], ['web-1', 1, 'web'], ['web-2', 1, 'web']]);
});

test('the role of the machines may be passed, by its computed ARN', () => {
  const launch = (/"iam:PassRole".{0,400}/.exec(JSON.stringify(template('ShopRecovery').Resources)))?.[0];
  expect(launch).toContain(':role/shop-machine');
});

test('every deployed function has its bundle in the assembly', () => {
  const functions = Object.values<any>(template('ShopRecovery').Resources).filter(({ Type }) => Type === 'AWS::Lambda::Function');
  expect(functions.length).toBe(27);
  const assets = JSON.parse(readFileSync(join(outdir, 'ShopRecovery.assets.json'), 'utf8')) as { files: Record<string, { source: { path: string } }> };
  for (const { Properties } of functions) {
    const source = assets.files[String(Properties.Code.S3Key).replace('.zip', '')]?.source.path;
    expect(source).toMatch(/^asset\./);
  }
});
