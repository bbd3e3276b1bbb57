import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Children } from '../process/children';
import { projectRoot } from '../project-root';

const KEPT_LINES = 60;

export interface CdkOptions {
  readonly children: Children;
  readonly stateDir: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly onLine: (line: string) => void;
}

export interface DeployRequest {
  /** The command that runs the app, e.g. `node dist/bin/app.js`, or the folder of a synthesized assembly. */
  readonly app: string;
  /** Where the app runs, and whose cdk.json gives its context. @default the current folder */
  readonly cwd?: string;
  readonly context?: Readonly<Record<string, string>>;
  /** @default all stacks */
  readonly stacks?: readonly string[];
}

/** The real aws-cdk CLI, pointed at the local cloud. */
export class Cdk {
  public constructor(private readonly options: CdkOptions) {}

  public async bootstrap(account: string, regions: readonly string[]): Promise<void> {
    // In an empty folder: with a cdk.json at hand the CLI would synthesize the app first.
    await this.run(this.folder('bootstrap', {}), ['bootstrap', ...regions.map((region) => `aws://${account}/${region}`)]);
  }

  public async deploy({ app, cwd = process.cwd(), context = {}, stacks }: DeployRequest): Promise<void> {
    const assembly = existsSync(resolve(cwd, app, 'manifest.json'));
    const folder = this.folder('deploy', assembly ? {} : settings(cwd));
    const command = assembly ? resolve(cwd, app) : `cd "${resolve(cwd)}" && ${app}`;
    await this.run(folder, [
      'deploy', ...(stacks ?? ['--all']), '--app', command, '--method', 'direct', '--require-approval', 'never', '--concurrency', '4', '--asset-parallelism',
      '--progress', 'events', ...(assembly ? [] : ['--output', join(folder, 'cdk.out')]),
      ...Object.entries(context).flatMap(([key, value]) => ['--context', `${key}=${value}`]),
    ]);
  }

  private folder(purpose: string, cdkJson: object): string {
    const folder = mkdtempSync(join(this.options.stateDir, `cdk-${purpose}-`));
    writeFileSync(join(folder, 'cdk.json'), JSON.stringify(cdkJson));
    return folder;
  }

  private run(cwd: string, args: readonly string[]): Promise<void> {
    const { children, environment, stateDir, onLine } = this.options;
    const hook = join(projectRoot(), 'local-cloud', 'runtime', 'localhost.cjs');
    const child = children.spawn(process.execPath, [
      '--require', hook, join(projectRoot(), 'node_modules', 'aws-cdk', 'bin', 'cdk'), ...args, '--ci', '--no-notices', '--no-version-reporting', '--no-color',
    ], {
      cwd, stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...withoutAws(process.env), ...environment, CDK_HOME: join(stateDir, 'cdk-home'), CDK_DISABLE_CLI_TELEMETRY: 'true', CI: 'true' },
    });
    const lines: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) {
        createInterface({ input: stream }).on('line', (line) => {
          lines.push(line);
          if (lines.length > KEPT_LINES) lines.shift();
          onLine(line);
        });
      }
    }
    return new Promise((done, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        if (code === 0) done();
        else reject(new Error([`cdk ${args[0]} ended with ${signal ?? `exit status ${code}`}:`, ...lines].join('\n')));
      });
    });
  }
}

/** The project's own cdk.json without what would build or run something else. */
function settings(cwd: string): object {
  const file = join(cwd, 'cdk.json');
  if (!existsSync(file)) return {};
  const { context } = JSON.parse(readFileSync(file, 'utf8')) as { context?: object };
  return context ? { context } : {};
}

function withoutAws(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('AWS_') && !name.startsWith('CDK_')));
}
