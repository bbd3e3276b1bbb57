import { Annotations, AspectPriority, Aspects, Duration, Lazy, RemovalPolicy, Stack, Stage, Token } from 'aws-cdk-lib';
import type { Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Key, type IKey } from 'aws-cdk-lib/aws-kms';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { Catalogue, WORK_INDEX } from './catalogue';
import { Cutovers } from './cutover/cutovers';
import type { TrafficCutover } from './cutover/traffic-cutover';
import type { FailureDetector } from './detection/failure-detector';
import { FailureDetection } from './detection/failure-detection';
import type { DisasterRecoveryProps } from './disaster-recovery-props';
import type { Endpoint } from './endpoint/endpoint';
import { ProtectedEndpoint } from './endpoint/protected-endpoint';
import { ProjectFailback } from './failback/project-failback';
import { ProjectFencing } from './fencing/project-fencing';
import type { ProjectContext } from './functions/context';
import { CycleFunctions } from './functions/cycle-functions';
import { executionsArn } from './functions/permissions/executions';
import { hookPermissions } from './functions/permissions/hooks';
import { passRoles, replaceRoot } from './functions/permissions/run';
import { RunFunctions } from './functions/run-functions';
import type { WorkflowFunction } from './functions/workflow-function';
import { UpkeepFunctions } from './functions/upkeep-functions';
import { launchPlaces } from './launch-permissions';
import { RecoveryAlarms } from './monitoring/alarms';
import { projectMetric, RecoveryMetric } from './monitoring/metrics';
import { defaultProjectName, physicalName, projectNameProblem } from './names';
import { DrillPolicy, type DrillNetwork } from './network/drill-policy';
import type { StagingNetwork } from './network/staging-area';
import { knownCidr } from './network/vpc-facts';
import type { HookTarget } from './plan/recovery-hook';
import { RecoveryPlan } from './plan/recovery-plan';
import type { RecoveryWave } from './plan/recovery-wave';
import { knownSeconds } from './policies/duration';
import { cycleConfig, rolesNotPassable, runConfig, upkeepConfig, type ProjectParts } from './project-config';
import { endpointProblems, functionProblems, networkProblems, propsProblems, repairProblems, sizeProblems } from './project-validation';
import { ProjectRepair } from './repair/project-repair';
import { Schedules } from './schedules';
import { SourceSite } from './source-site';
import { footprintStack, SourceFootprint } from './source-footprint';
import { WakeUp } from './wake-up';
import { CycleWorkflow } from './workflow/cycle-workflow';
import { RunWorkflow } from './workflow/run-workflow';

const SHORTEST_ORPHAN_AGE = Duration.hours(1);

/**
 * A disaster-recovery project: protects endpoints of a source Region, keeps recovery points in the Region of the stack that
 * it is in, and recovers machines there. Everything that recovery needs is in that stack; a small stack in the source Region
 * is added by itself.
 *
 * Problems that can be known at synthesis are reported there, all at once, with the path of this construct.
 */
export class DisasterRecovery extends Construct {
  /** Name of the project: in tags, physical names and the catalogue. */
  readonly projectName: string;
  /** Members, recovery points and runs. */
  readonly catalogue: ITable;
  /** Encrypts copies, recovered disks and the catalogue. */
  readonly key: IKey;
  /** The protection cycle. */
  readonly cycle: IStateMachine;
  /** The recovery run; its input is `{ mode: 'drill' | 'failover' | 'failback' | 'repair', selection?, endpoints?, runId?, requestedBy? }`. */
  readonly run: IStateMachine;
  /** One for each thing that an operator has to act on. */
  readonly alarms: RecoveryAlarms;
  /** Where drills run. */
  readonly drillNetwork: DrillNetwork;
  /** The staging area, where one was asked for. */
  readonly stagingNetwork?: StagingNetwork;
  /** The stack in the source Region. */
  readonly sourceStack: Stack;

  private readonly endpoints: ProtectedEndpoint[] = [];
  private readonly plan: RecoveryPlan;
  private readonly parts: ProjectParts;
  private readonly runFunctions: RunFunctions;
  /** What may act on machines of an endpoint by its tags. */
  private readonly boundByTags: readonly { add(endpoint: ProtectedEndpoint): void }[];
  private readonly site?: SourceSite;
  private readonly makeDetection: () => FailureDetection;
  private detectors?: FailureDetection;

  constructor(scope: Construct, id: string, private readonly props: DisasterRecoveryProps) {
    super(scope, id);
    const stack = Stack.of(this);
    if (Token.isUnresolved(props.source.region)) throw new Error(`${this.node.path}: source.region must be known at synthesis. Give a literal such as 'us-east-1'.`);
    this.projectName = props.projectName ?? defaultProjectName(this);
    const nameProblem = projectNameProblem(this.projectName);
    if (nameProblem) throw new Error(`${this.node.path}: ${nameProblem}`);
    knownSeconds(`${this.node.path}: objectives.rpo`, props.objectives.rpo);
    knownSeconds(`${this.node.path}: objectives.rto`, props.objectives.rto);
    this.plan = new RecoveryPlan(this, this.endpoints);
    const removalPolicy = props.removalPolicy ?? RemovalPolicy.RETAIN;
    this.key = props.target._options.key ?? this.ownKey(removalPolicy);
    this.catalogue = new Catalogue(this, 'Catalogue', { key: this.key, removalPolicy }).table;
    const context: ProjectContext = {
      project: this.projectName,
      sourceRegion: props.source.region,
      recoveryRegion: stack.region,
      account: stack.account,
      partition: stack.partition,
      table: this.catalogue,
      key: this.key,
      volumeKeys: props.source.volumeKeys ?? [],
      logRetention: props.logRetention ?? RetentionDays.SIX_MONTHS,
    };

    const drillPolicy = props.drill ?? DrillPolicy.isolated();
    this.drillNetwork = drillPolicy._bind(new Construct(this, 'Drill'));
    this.stagingNetwork = props.staging?._bind(new Construct(this, 'Staging'));
    const target = props.target._bind(this);
    const cycleFunctions = new CycleFunctions(this, 'CycleFunctions', context);
    const places = Lazy.uncachedList({ produce: () => launchPlaces(context, props, this.endpoints, target, this.drillNetwork) });
    this.runFunctions = new RunFunctions(this, 'RunFunctions', context, places);
    const fencing = new ProjectFencing(this, 'Fencing', {
      context, fencing: props.fencing, handler: this.runFunctions.fence, endpoints: this.endpoints, topic: props.notifications, release: props.failback !== undefined,
    });
    const cutovers = new Cutovers(this, context, this.runFunctions.cutover);
    const failback = props.failback && new ProjectFailback(this, 'Failback', {
      context, failback: props.failback, begin: this.runFunctions.begin, cycle: cycleFunctions, parts: () => this.parts,
    });
    const repair = props.repair && new ProjectRepair(this, 'Repair', { context, repair: props.repair, functions: this.runFunctions, endpoints: this.endpoints });
    this.parts = { context, props, endpoints: this.endpoints, plan: this.plan, target, drill: this.drillNetwork, drillPolicy, cutovers, fencing, failback, repair };
    const upkeep = new UpkeepFunctions(this, 'Upkeep', context);
    this.site = props.failback || props.repair ? new SourceSite(context, this.runFunctions, upkeep, props.failback?._options.key) : undefined;
    this.boundByTags = [fencing, failback, repair, this.site].flatMap((each) => each ?? []);
    const { interval } = props.schedule;
    const cycle = new CycleWorkflow(this, 'Cycle', {
      context, functions: cycleFunctions, intervalSeconds: interval.toSeconds(), config: () => cycleConfig(this.parts),
    });
    const run = new RunWorkflow(this, 'Run', {
      context, functions: this.runFunctions, failback: failback?.functions, swapIn: repair?.swapIn, config: () => runConfig(this.parts),
    });
    this.cycle = cycle.machine;
    this.run = run.machine;

    const { bus } = new WakeUp(this, 'WakeUp', { project: this.projectName, wake: cycleFunctions.wake.function, wayBack: failback !== undefined });
    const [drillTeardown, sweep] = [upkeep.drillTeardown.function, upkeep.sweep.function];
    const guard = fencing.guard?.function;
    const schedules = new Schedules(this, 'Schedules', {
      project: this.projectName, cycle: cycle.machine, interval, drillTeardown, sweep, upkeep: upkeepConfig(context, this.orphanAgeSeconds(), this.site !== undefined),
      fenceGuard: guard && { function: guard, input: Lazy.uncachedAny({ produce: () => ({ config: fencing.guardConfig() }) }) },
    });
    this.alarms = new RecoveryAlarms(this, 'Alarms', {
      project: this.projectName, recoveryRegion: stack.region, rpo: props.objectives.rpo, interval,
      cycle: cycle.machine, run: run.machine, upkeep: [drillTeardown, sweep, ...(guard ? [guard] : [])], topic: props.notifications,
    });
    this.sourceStack = props.source.stack ?? footprintStack(stack, this, props.source.region);
    const source = new SourceFootprint(this.sourceStack, `${id}Footprint`, { project: this.projectName, recoveryRegion: stack.region, wayBack: failback !== undefined });
    this.makeDetection = () => new FailureDetection(this, 'Detection', { context, topic: props.notifications, schedules, bus, source, repair: props.repair !== undefined });
    for (const hook of props.failback?._options.drain ?? []) this.allowTarget(this.runFunctions.hooks, hook._target);
    this.allowRoles((props.target._options.instanceRoles ?? []).map((role) => role.roleArn));
    this.node.addValidation({ validate: () => this.problems() });
    Aspects.of(this).add({ visit: (node) => (node === this ? this.warn() : undefined) }, { priority: AspectPriority.READONLY });
  }

  /** Protects an endpoint, from the next protection cycle on. Constructs behind it are tagged where they are. */
  protect(endpoint: Endpoint): ProtectedEndpoint {
    const handle = new ProtectedEndpoint(this, endpoint);
    this.endpoints.push(handle);
    for (const each of this.boundByTags) each.add(handle);
    for (const hook of endpoint.repair.redeploy ?? []) this.allowTarget(this.runFunctions.hooks, hook._target);
    endpoint._tagConstructs(this.projectName);
    this.allowRoles(endpoint.launch.instanceProfile?.role ? [endpoint.launch.instanceProfile.role.roleArn] : []);
    const { baseImageId } = endpoint.launch;
    if (baseImageId !== undefined) for (const permission of replaceRoot(this.parts.context, [baseImageId])) this.runFunctions.launch.allow(permission);
    return handle;
  }

  /**
   * Appends waves, in this order, without hooks and with the default check. Endpoints that no wave names come last, in a wave
   * of their own. Without any wave the order follows from `ProtectedEndpoint.dependsOn()`.
   */
  recoverInWaves(...waves: ProtectedEndpoint[][]): void {
    for (const endpoints of waves) this.addWave({ endpoints });
  }

  /** Appends one wave, with its hooks and checks. */
  addWave(wave: RecoveryWave): void {
    this.plan.add(wave);
    const { hooks, check } = this.runFunctions;
    for (const hook of [...(wave.before ?? []), ...(wave.after ?? [])]) this.allowTarget(hooks, hook._target);
    for (const each of wave.checks ?? []) this.allowTarget(check, each._target);
  }

  /**
   * Appends ways of moving traffic, in this order: applied and verified after the last wave of a failover, and rolled back in
   * reverse order when one fails. A drill never moves traffic.
   */
  cutOver(...cutovers: TrafficCutover[]): void {
    for (const cutover of cutovers) this.parts.cutovers.add(cutover);
  }

  /** Watches signals, and decides when they amount to a failure. Once for the project, and once for each set of endpoints. */
  detectFailure(detector: FailureDetector): void {
    this.detectors ??= this.makeDetection();
    this.detectors._add(detector);
  }

  /** The failure detectors, with their alarms; undefined before `detectFailure()`. */
  get detection(): FailureDetection | undefined {
    return this.detectors;
  }

  /** Lets a principal approve or refuse failovers that a detector asks for. After `detectFailure()` with `DecisionMode.approval()`. */
  grantApprove(grantee: IGrantable): Grant {
    const approve = this.detectors?._approve;
    if (!approve) throw new Error(`${this.node.path}: no detector asks for approval. Call detectFailure() with DecisionMode.approval() before grantApprove().`);
    return Grant.addToPrincipal({ grantee, actions: ['lambda:InvokeFunction'], resourceArns: [approve.functionArn] });
  }

  /** Lets a principal start, watch and stop recovery runs, drills and real ones alike: IAM cannot tell them apart by their input. */
  grantRun(grantee: IGrantable): Grant {
    const { context } = this.parts;
    const start = Grant.addToPrincipal({ grantee, actions: ['states:StartExecution'], resourceArns: [this.run.stateMachineArn] });
    const actions = ['states:DescribeExecution', 'states:GetExecutionHistory', 'states:StopExecution'];
    return start.combine(Grant.addToPrincipal({ grantee, actions, resourceArns: [executionsArn(context, 'run')] }));
  }

  /** Lets a principal read the catalogue and watch cycles and runs. */
  grantRead(grantee: IGrantable): Grant {
    const { context } = this.parts;
    const { tableArn } = this.catalogue;
    const grants: [string[], string[]][] = [
      [['dynamodb:GetItem', 'dynamodb:Query'], [tableArn, `${tableArn}/index/${WORK_INDEX}`]],
      [['kms:Decrypt', 'kms:DescribeKey'], [this.key.keyArn]],
      [['states:ListExecutions'], [this.cycle.stateMachineArn, this.run.stateMachineArn]],
      [['states:DescribeExecution', 'states:GetExecutionHistory'], [executionsArn(context, 'cycle'), executionsArn(context, 'run')]],
    ];
    return grants.map(([actions, resourceArns]) => Grant.addToPrincipal({ grantee, actions, resourceArns })).reduce((all, grant) => all.combine(grant));
  }

  /** A metric of the project. @default - maximum over 5 minutes */
  metric(name: RecoveryMetric, options?: MetricOptions): Metric {
    return projectMetric(this.projectName, this.parts.context.recoveryRegion, name, options);
  }

  /** Seconds since the newest complete recovery point of the member that is worst off. @default - maximum over 5 minutes */
  metricWorstRpo(options?: MetricOptions): Metric {
    return this.metric(RecoveryMetric.WORST_RPO_SECONDS, options);
  }

  /** Recovery points that are not complete yet. @default - maximum over 5 minutes */
  metricOpenPoints(options?: MetricOptions): Metric {
    return this.metric(RecoveryMetric.OPEN_POINTS, options);
  }

  /** Documents run where the machines are: those of a failback or a repair are in the source Region. */
  private allowTarget(handler: WorkflowFunction, target: HookTarget): void {
    const { context } = this.parts;
    const regions = target.documentName !== undefined && this.site ? [context.recoveryRegion, context.sourceRegion] : [context.recoveryRegion];
    for (const region of regions) for (const permission of hookPermissions({ ...context, recoveryRegion: region }, target)) handler.allow(permission);
  }

  private ownKey(removalPolicy: RemovalPolicy): Key {
    return new Key(this, 'Key', {
      alias: `alias/${physicalName(this.projectName)}`,
      description: `${this.projectName}: copies, recovered disks and catalogue`,
      enableKeyRotation: true,
      removalPolicy,
    });
  }

  private allowRoles(roleArns: readonly string[]): void {
    for (const roleArn of roleArns) this.runFunctions.launch.allow(passRoles([roleArn]));
  }

  private orphanAgeSeconds(): number {
    const age = this.props.orphanAge ?? Duration.days(1);
    const seconds = knownSeconds(`${this.node.path}: orphanAge`, age);
    if (seconds < SHORTEST_ORPHAN_AGE.toSeconds()) {
      throw new Error(`${this.node.path}: orphanAge must be at least ${SHORTEST_ORPHAN_AGE.toHumanString()}, got ${age.toHumanString()}: younger snapshots may be work in progress.`);
    }
    return seconds;
  }

  private problems(): string[] {
    const { target, drill } = this.parts;
    const { vpc } = this.props.target;
    return [
      ...propsProblems(this.props, Stack.of(this)),
      ...endpointProblems(this.endpoints, this.props.source.region),
      ...repairProblems(this.endpoints, this.props.repair !== undefined),
      ...functionProblems([...this.plan.functionArns(), ...this.endpoints.flatMap(({ endpoint }) => endpoint.repair.redeploy ?? []).flatMap(({ _target }) => _target.functionArn ?? [])], Stack.of(this).region),
      ...this.plan.problems(),
      ...this.parts.cutovers.problems(),
      ...this.parts.fencing.problems(),
      ...this.detectors?._problems(this.endpoints) ?? [],
      ...networkProblems({ region: Stack.of(this).region, target: { vpc, cidr: knownCidr(vpc), subnets: target.subnets }, drill, staging: this.stagingNetwork }),
      ...this.twins(),
      ...sizeProblems(this, { 'protection cycle': cycleConfig(this.parts), 'recovery run': runConfig(this.parts), ...(this.detectors ? { 'failure detectors': this.detectors._config } : {}) }),
    ];
  }

  /** Tags and names of two projects of one name are the same: each would remove what the other keeps. */
  private twins(): string[] {
    const others = (Stage.of(this)?.node.findAll() ?? []).filter((other) => other instanceof DisasterRecovery && other !== this && other.projectName === this.projectName);
    return others.map(({ node }) => `${node.path} is a project of the same name, '${this.projectName}'. Give one of them another projectName.`);
  }

  /** What is no error, said once everything is declared. */
  private warn(): void {
    const annotations = Annotations.of(this);
    const { objectives: { rpo }, schedule: { interval } } = this.props;
    if (rpo.toSeconds() > interval.toSeconds() && rpo.toSeconds() < 2 * interval.toSeconds()) {
      annotations.addWarningV2(
        'cdk-disaster-recovery:tightRpo',
        `objectives.rpo (${rpo.toHumanString()}) is less than twice the interval (${interval.toHumanString()}): one slow or failed cycle breaks it. Shorten the interval or allow a longer RPO.`,
      );
    }
    for (const [name, path] of rolesNotPassable(this.props, this.endpoints)) {
      annotations.addWarningV2(
        `cdk-disaster-recovery:roleNotPassable:${name}`,
        `Endpoint '${name}': the role of ${path} is not in the target's instanceRoles, so recovered machines come without it. Name the role (it needs a roleName) or give launch.instanceProfile.`,
      );
    }
    for (const [id, text] of this.detectors?._warnings(this.parts.fencing.guard !== undefined) ?? []) annotations.addWarningV2(`cdk-disaster-recovery:${id}`, text);
    const leftOut = this.plan.leftOut();
    if (leftOut.length > 0) {
      annotations.addWarningV2('cdk-disaster-recovery:noWave', `No wave names ${leftOut.map((name) => `'${name}'`).join(', ')}: recovered in a last wave. Name them in a wave.`);
    }
  }
}
