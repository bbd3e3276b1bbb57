import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cdk, type DeployRequest } from './cdk/cdk';
import { forgetAfter } from './cloud-changes';
import { Disks } from './disks';
import { EventDelivery, type Delivery } from './events/deliver';
import { Faults } from './faults/faults';
import { localEndpoint } from './functions/environment';
import type { Invocation } from './functions/invocation';
import { LogStore } from './functions/log-store';
import { FunctionRunner } from './functions/runner';
import { CallLog } from './gateway/call-log';
import { Gateway } from './gateway/gateway';
import { CallPipeline } from './gateway/pipeline';
import { Proxy } from './gateway/proxy';
import { Judge } from './iam/judge';
import { Lookup } from './iam/lookup';
import { text } from './iam/requirement';
import { RolePolicyStore } from './iam/role-policies';
import { Sessions } from './iam/sessions';
import { ACCOUNT, DEFAULT_REGIONS, type LocalCloudOptions, type LogSource } from './options';
import { Children } from './process/children';
import { InnerClients, OPERATOR, clientConfig, type ClientConfig } from './process/clients';
import { startEmulator } from './process/emulator';
import { endWithProcess } from './process/signals';
import { Schedules } from './schedules/schedules';

/** What an emulator setting is changed to; what is not given stays. */
export interface EmulatorSettings {
  readonly snapshotSeconds?: number;
  readonly copySeconds?: number;
  readonly copyLimit?: number;
  /** Regions out of which and into which no copy gets on; `faults.refuseRegion` sets it. */
  readonly refusedRegions?: readonly string[];
}

/** AWS in two Regions on this machine: an emulator behind a gateway that records, judges and breaks calls, and runs what was deployed. */
export class LocalCloud {
  /** Starts it; when something fails on the way, nothing is left running. */
  public static async start(options: LocalCloudOptions = {}): Promise<LocalCloud> {
    const cloud = new LocalCloud(options);
    try {
      await cloud.open();
    } catch (error) {
      await cloud.stop();
      throw error;
    }
    return cloud;
  }

  public readonly account = ACCOUNT;
  public readonly regions: readonly string[];
  /** Every API call that went through the gateway. */
  public readonly calls = new CallLog();
  public readonly faults = new Faults((refusedRegions) => {
    this.configure({ refusedRegions }).catch((error: unknown) => { this.log(String(error), 'local-cloud'); });
  });
  /** Where logs, code and assemblies are. */
  public readonly stateDir: string;
  private readonly gateway = new Gateway();
  private readonly children = new Children();
  private readonly functionLogs: LogStore;
  private inner?: InnerClients;
  private running?: Schedules;
  private stopping?: Promise<void>;
  private releaseSignals?: () => void;

  private constructor(private readonly options: LocalCloudOptions) {
    this.regions = options.regions ?? DEFAULT_REGIONS;
    if (options.stateDir) mkdirSync(options.stateDir, { recursive: true });
    this.stateDir = options.stateDir ?? mkdtempSync(join(tmpdir(), 'local-cloud-'));
    this.functionLogs = new LogStore(this.stateDir, (name, line) => { this.log(`${name}: ${line}`, 'function'); });
  }

  /** The one URL of all services in all Regions. */
  public get endpoint(): string {
    return this.gateway.endpoint;
  }

  /** The bytes of volumes. */
  public get disks(): Disks {
    return new Disks(this.endpoint);
  }

  /** The deployed schedules. */
  public get schedules(): Schedules {
    if (!this.running) throw new Error('The local cloud is not running.');
    return this.running;
  }

  /** Ids of the processes that it has running. */
  public get processIds(): readonly number[] {
    return this.children.pids;
  }

  /** For child processes (AWS CLI, CDK): an operator of this cloud, and nothing of the user's own configuration. */
  public env(region = this.regions[0] ?? 'us-east-1'): Record<string, string> {
    return {
      AWS_ACCESS_KEY_ID: OPERATOR.accessKeyId, AWS_SECRET_ACCESS_KEY: OPERATOR.secretAccessKey, AWS_REGION: region, AWS_DEFAULT_REGION: region,
      CDK_DEFAULT_ACCOUNT: this.account, CDK_DEFAULT_REGION: region, ...localEndpoint(this.endpoint),
    };
  }

  /** For the constructor of an SDK client: an operator of this cloud. */
  public clientConfig(region: string): ClientConfig {
    return clientConfig(this.endpoint, region);
  }

  /** `cdk bootstrap` of every Region. */
  public async bootstrap(): Promise<void> {
    await this.cdk().bootstrap(this.account, this.regions);
  }

  /** `cdk deploy` with the real CLI. */
  public async deploy(request: DeployRequest): Promise<void> {
    await this.cdk().deploy(request);
  }

  /** Changes how long snapshots take and how many copies there may be. */
  public async configure(settings: EmulatorSettings): Promise<void> {
    const response = await fetch(`${this.endpoint}/_emulator/config`, { method: 'POST', body: JSON.stringify(settings) });
    if (!response.ok) throw new Error(`The emulator does not take ${JSON.stringify(settings)}: ${await response.text()}`);
  }

  /** What functions have written: of those whose name begins with this, or of all. */
  public logs(functionName?: string): string[] {
    return this.functionLogs.get(functionName);
  }

  /** Ends everything that was started. Can be called any number of times. */
  public stop(): Promise<void> {
    this.stopping ??= this.close();
    return this.stopping;
  }

  private async open(): Promise<void> {
    this.releaseSignals = endWithProcess(() => this.stop());
    process.once('exit', this.removeState);
    await this.gateway.listen();
    const { children, stateDir, endpoint } = this;
    const port = await startEmulator({ children, gateway: endpoint, stateDir, onLine: (line) => { this.log(line, 'emulator'); } });
    this.connect(port);
    const { snapshotSeconds, copySeconds, copyLimit } = this.options;
    await this.configure({
      ...(snapshotSeconds === undefined ? {} : { snapshotSeconds }), ...(copySeconds === undefined ? {} : { copySeconds }), ...(copyLimit === undefined ? {} : { copyLimit }),
    });
    if (this.options.runSchedules ?? true) this.schedules.start();
  }

  private connect(emulatorPort: number): void {
    const { account, endpoint, faults, regions } = this;
    const clients = new InnerClients(`http://127.0.0.1:${emulatorPort}`, regions[0] ?? 'us-east-1');
    const lookup = new Lookup(clients);
    const judge = new Judge(account, new RolePolicyStore(clients.iam), lookup);
    const sessions = new Sessions(clients.sts, (roleArn, service, sourceArn) => judge.refusesTrust(roleArn, service, sourceArn));
    const onProblem = (message: string): void => { this.log(message, 'local-cloud'); };
    const runner = new FunctionRunner({ sessions, children: this.children, logs: this.functionLogs, endpoint, stateDir: this.stateDir });
    const schedules = new Schedules({ account, regions, clients, sessions, faults, endpoint, onProblem });
    const delivery = new EventDelivery({ endpoint, account, sessions, faults });
    const proxy = new Proxy(emulatorPort);
    const memories = { judge, lookup, schedules, sessions };
    this.gateway.connect(new CallPipeline({
      proxy, log: this.calls, faults, sessions, ...(this.options.enforceIam ?? true ? { judge } : {}),
      killWorker: (id) => runner.kill(id),
      onDone: (call, upstream, session) => { forgetAfter(memories, call, upstream, session); },
    }), proxy);
    this.gateway.local.set('/_local/lambda/invoke', (body) => runner.invoke(body as unknown as Invocation));
    this.gateway.local.set('/_local/credentials', async ({ roleArn }) => {
      const sourceArn = await lookup.stateMachineOf(regions, text(roleArn)) ?? '';
      const name = sourceArn.split(':').at(-1) ?? text(roleArn);
      return (await sessions.share({ kind: 'state-machine', roleArn: text(roleArn), name, sourceArn })).credentials;
    });
    this.gateway.local.set('/_local/events/deliver', async (body) => {
      const outcome = await delivery.deliver(body as unknown as Delivery);
      if (!outcome.delivered) onProblem(`event not delivered: ${outcome.reason}`);
      return outcome;
    });
    this.inner = clients;
    this.running = schedules;
  }

  private cdk(): Cdk {
    return new Cdk({ children: this.children, stateDir: this.stateDir, environment: this.env(), onLine: (line) => { this.log(line, 'cdk'); } });
  }

  private async close(): Promise<void> {
    this.running?.stop();
    await this.children.stop();
    await this.gateway.close();
    this.inner?.destroy();
    this.releaseSignals?.();
    process.removeListener('exit', this.removeState);
    this.removeState();
  }

  private readonly removeState = (): void => {
    // A folder that was given is the caller's.
    if (!this.options.keepState && !this.options.stateDir) rmSync(this.stateDir, { recursive: true, force: true });
  };

  private log(line: string, source: LogSource): void {
    this.options.onLog?.(line, source);
  }
}
