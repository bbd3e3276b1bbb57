import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'package-'));
const installed = join(folder, 'node_modules', 'cdk-disaster-recovery');

/** An app of somebody else, in plain JavaScript. */
const APP = `
const { App, Stack, Duration, aws_ec2: ec2 } = require('aws-cdk-lib');
const { DisasterRecovery, Endpoint, ProtectionSchedule, RecoveryTarget, RetentionPolicy } = require('cdk-disaster-recovery');

const app = new App({ outdir: 'cdk.out', analyticsReporting: false });
const stack = new Stack(app, 'Recovery', { env: { region: 'eu-central-1' } });
const shop = new DisasterRecovery(stack, 'Shop', {
  source: { region: 'eu-west-1' },
  objectives: { rpo: Duration.minutes(15), rto: Duration.minutes(30) },
  schedule: ProtectionSchedule.every(Duration.minutes(5)),
  retention: RetentionPolicy.keepLast(3),
  target: RecoveryTarget.inVpc(new ec2.Vpc(stack, 'Vpc')),
});
shop.protect(Endpoint.instances('web', { tag: { app: 'web' } }));
app.synth();
`;

beforeAll(() => {
  // The build has run (npm test does it first); packing must not run it again.
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'somebody', version: '1.0.0', private: true }));
  // Without peers the package needs nothing from the registry, so npm can install it offline.
  execFileSync('npm', ['install', '--offline', '--legacy-peer-deps', '--no-audit', '--no-fund', join(folder, filename)], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  // What the other app has already: the peers, and nothing else of this repository.
  for (const peer of ['aws-cdk-lib', 'constructs']) symlinkSync(join(root, 'node_modules', peer), join(folder, 'node_modules', peer));
  writeFileSync(join(folder, 'app.js'), APP);
  execFileSync(process.execPath, ['app.js'], { cwd: folder, env: { ...process.env, CDK_VALIDATION: 'false', NODE_PATH: '' } });
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (...path: string[]): any => JSON.parse(readFileSync(join(folder, 'cdk.out', ...path), 'utf8'));

test('the package has the constructs, their types and the bundles, and no sources, tests or tools', () => {
  expect(readdirSync(join(installed, 'dist')).sort()).toEqual(['functions', 'lambda', 'lib']);
  expect(readdirSync(join(installed, 'dist', 'lambda'))).toEqual(['core']);
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' }).filter((path) => statSync(join(installed, path)).isFile());
  expect(files.filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))).toEqual([]);
  expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json', join('dist', 'lib', 'index.d.ts'), join('docs', 'operator-runbook.md')]));
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  expect([dependencies, Object.keys(peerDependencies)]).toEqual([undefined, ['aws-cdk-lib', 'constructs']]);
});

test('another app synthesizes with it, without a bundler', () => {
  expect(existsSync(join(folder, 'node_modules', 'esbuild'))).toBe(false);
  const types = (name: string): string[] => Object.values<{ Type: string }>(file(name).Resources).map(({ Type }) => Type);
  expect(types('Recovery.template.json').filter((type) => type === 'AWS::Lambda::Function')).toHaveLength(17);
  expect(types('Recovery.template.json').filter((type) => type === 'AWS::StepFunctions::StateMachine')).toHaveLength(2);
  expect(types('Recovery-Shop-Source.template.json')).toContain('AWS::Events::Rule');
});

test('another app compiles against its types', () => {
  const app = APP.replace(/const \{(.*)\} = require\('aws-cdk-lib'\);/, (_all, names: string) => `import { ${names.replaceAll(': ', ' as ')} } from 'aws-cdk-lib';`)
    .replace(/const \{(.*)\} = require\('cdk-disaster-recovery'\);/, "import {$1} from 'cdk-disaster-recovery';");
  expect(app).toContain("} from 'cdk-disaster-recovery'");
  writeFileSync(join(folder, 'app.ts'), app);
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'node16', '--moduleResolution', 'node16', '--target', 'es2022', '--types', 'node', '--typeRoots', join(root, 'node_modules', '@types')];
  execFileSync(process.execPath, [compiler, ...options, 'app.ts'], { cwd: folder, encoding: 'utf8' });
  // The same compiler refuses what the types do not allow.
  writeFileSync(join(folder, 'wrong.ts'), app.replace('keepLast(3)', "keepLast('3')"));
  expect(() => execFileSync(process.execPath, [compiler, ...options, 'wrong.ts'], { cwd: folder, encoding: 'utf8' })).toThrow();
}, 120_000);

test('the bundles are in the assembly and export a handler', () => {
  const assets = file('Recovery.assets.json') as { files: Record<string, { source: { path: string; packaging: string } }> };
  const folders = Object.values(assets.files).filter(({ source }) => source.packaging === 'zip').map(({ source }) => join(folder, 'cdk.out', source.path));
  expect(folders.length).toBeGreaterThanOrEqual(15);
  for (const bundle of folders) {
    expect(readdirSync(bundle)).toEqual(['index.js']);
    expect(readFileSync(join(bundle, 'index.js'), 'utf8')).toContain('handler');
  }
});
