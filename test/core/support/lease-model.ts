import { acquire, confirm, FIRST_LEASE, release, StaleEpoch, switchOver, type Lease } from '../../../lambda/core/lease';

/**
 * Runs of one project as a transition system: each step of a process is one read or one write of the lease, or one call that
 * changes something. All interleavings are explored. Kept apart: what a process knows (its snapshot) and what is (the lease).
 */
export interface Model {
  readonly lease: Lease;
  readonly runs: readonly ModelRun[];
  /** Calls that were confirmed and made by a process that is dead now; they may take effect at any later time. */
  readonly inFlight: readonly { readonly run: string; readonly epoch: number }[];
  readonly machines: readonly ModelMachine[];
  /** By epoch: the run that it was given to. */
  readonly given: Readonly<Record<number, string>>;
  readonly left: Budget;
  readonly violation?: string;
}

/** How often each misfortune may strike, all runs together. */
export interface Budget {
  /** A process that dies, with or without a call in flight, or an execution that is stopped while its process goes on. */
  readonly crashes: number;
  readonly resumes: number;
  /** Writes that were done and whose answer is lost. */
  readonly lost: number;
}

export interface ModelMachine {
  readonly run: string;
  readonly epoch: number;
  readonly running: boolean;
  /** Launched by a call that took effect after a newer epoch was given. */
  readonly late: boolean;
}

type Step =
  | 'begin' | 'ask' | 'acquire' | 'confirm-fence' | 'fence' | 'read-switch' | 'switch' | 'confirm-launch' | 'launch' | 'read-release' | 'release'
  | 'recovered' | 'refused' | 'stale' | 'dead';

export interface ModelRun {
  readonly id: string;
  readonly execution: number;
  readonly at: Step;
  readonly snapshot?: Lease;
  /** What it has found to have ended. */
  readonly ended?: string;
  readonly epoch?: number;
  /** Its execution was stopped, while the process of its current step goes on: the state machine cannot call that back. */
  readonly stopped?: true;
  /** The epoch that its last confirm has read. */
  readonly saw?: number;
  readonly message?: string;
  /** After release: how it ends. */
  readonly then?: 'recovered' | 'stale';
}

/** The protocol under test, and broken ones that the check must find out. */
export interface Protocol {
  readonly acquire: typeof acquire;
  readonly confirm: typeof confirm;
  /** Whether a write is done. */
  readonly writes: (next: Lease, read: Lease, stored: Lease) => boolean;
  /** Fence before the first launch. */
  readonly fences: boolean;
}

export const PROTOCOL: Protocol = { acquire, confirm, writes: (_next, read, stored) => read.version === stored.version, fences: true };

const NOW = '2030-01-01T00:00:00.000Z';
const ENDED: ReadonlySet<Step> = new Set(['recovered', 'refused', 'stale', 'dead']);

export function initial(ids: readonly string[], left: Budget): Model {
  return { lease: FIRST_LEASE, runs: ids.map((id) => ({ id, execution: 1, at: 'begin' })), inFlight: [], machines: [], given: {}, left };
}

/** Its process runs. */
export function alive({ at }: ModelRun): boolean {
  return !ENDED.has(at);
}

/** Its execution runs, as Step Functions tells. */
export function executing(run: ModelRun): boolean {
  return alive(run) && run.stopped !== true;
}

export const arnOf = ({ id, execution }: ModelRun): string => `${id}#${execution}`;

/** All states that one step leads to. */
export function successors(model: Model, protocol: Protocol): Model[] {
  const next: Model[] = [];
  model.runs.forEach((run, index) => {
    const become = (change: Partial<ModelRun>, world: Partial<Model> = {}): void => {
      const changed = Object.fromEntries(Object.entries({ ...run, ...change }).filter(([, value]) => value !== undefined)) as unknown as ModelRun;
      next.push({ ...model, ...world, runs: model.runs.map((each, at) => (at === index ? changed : each)) });
    };
    if (alive(run)) {
      step(model, run, protocol, become);
      if (model.left.crashes > 0) crash(model, run, become);
    } else if (run.at !== 'recovered' && run.at !== 'refused' && model.left.resumes > 0) {
      become({ at: 'begin', execution: run.execution + 1, snapshot: undefined, ended: undefined, message: undefined, then: undefined, stopped: undefined, saw: undefined }, { left: { ...model.left, resumes: model.left.resumes - 1 } });
    }
  });
  model.inFlight.forEach((call, index) => next.push({ ...launched(model, call), inFlight: model.inFlight.filter((_each, at) => at !== index) }));
  return next;
}

type Become = (change: Partial<ModelRun>, world?: Partial<Model>) => void;

function step(model: Model, run: ModelRun, protocol: Protocol, become: Become): void {
  const epoch = run.epoch ?? -1;
  const confirmed = (to: Step): void => {
    try {
      protocol.confirm(model.lease, run.id, epoch);
      become({ at: to, saw: model.lease.epoch });
    } catch (error) {
      become({ at: 'read-release', then: 'stale', message: staleMessage(error) });
    }
  };
  switch (run.at) {
    case 'begin': return begin(model, run, protocol, become);
    case 'ask': {
      const holder = run.snapshot?.holder;
      const running = model.runs.some((each) => executing(each) && arnOf(each) === holder?.executionArn);
      if (running) return become({ at: 'refused', snapshot: undefined });
      return become({ at: 'begin', snapshot: undefined, ended: holder?.executionArn, message: undefined });
    }
    case 'acquire': {
      const answer = protocol.acquire(run.snapshot!, requestOf(run), NOW, run.ended);
      if (answer.kind === 'refused') throw new Error('acquire changed its mind');
      const { lease, epoch: mine } = answer;
      if (!protocol.writes(lease, run.snapshot!, model.lease)) return become({ at: 'begin', snapshot: undefined });
      const world = { ...given(model, mine, run.id), lease };
      become({ at: 'confirm-fence', epoch: mine, snapshot: undefined }, world);
      return lost(model, world, (rest) => become({ at: 'begin', snapshot: undefined }, rest));
    }
    case 'confirm-fence': return confirmed(protocol.fences ? 'fence' : 'read-switch');
    case 'fence':
      return become({ at: 'read-switch' }, { machines: model.machines.map((machine) => (machine.epoch < epoch ? { ...machine, running: false } : machine)) });
    case 'read-switch': return become({ at: 'switch', snapshot: model.lease });
    case 'switch': {
      let lease: Lease;
      try {
        lease = switchOver(run.snapshot!, { runId: run.id, epoch }, { active: 'recovery', oldSide: 'fenced' }, NOW);
      } catch (error) {
        return become({ at: 'read-release', then: 'stale', message: staleMessage(error), snapshot: undefined });
      }
      if (lease === run.snapshot) return become({ at: 'confirm-launch', snapshot: undefined });
      if (!protocol.writes(lease, run.snapshot!, model.lease)) return become({ at: 'read-switch', snapshot: undefined });
      become({ at: 'confirm-launch', snapshot: undefined }, { lease });
      return lost(model, { lease }, (rest) => become({ at: 'read-switch', snapshot: undefined }, rest));
    }
    case 'confirm-launch': return confirmed('launch');
    case 'launch': {
      const world = launched(model, { run: run.id, epoch }, run);
      become({ at: 'read-release', then: 'recovered' }, world);
      return lost(model, world, (rest) => become({ at: 'confirm-launch' }, rest));
    }
    case 'read-release': return become({ at: 'release', snapshot: model.lease });
    case 'release': {
      const lease = release(run.snapshot!, { runId: run.id, executionArn: arnOf(run) }, NOW);
      const end = { at: run.then ?? 'stale', snapshot: undefined, then: undefined, saw: undefined };
      if (lease === run.snapshot) return become(end);
      if (!protocol.writes(lease, run.snapshot!, model.lease)) return become({ at: 'read-release', snapshot: undefined });
      become(end, { lease });
      return lost(model, { lease }, (rest) => become({ at: 'read-release', snapshot: undefined }, rest));
    }
    case 'recovered': case 'refused': case 'stale': case 'dead': throw new Error(`${run.id} has ended`);
  }
}

function begin(model: Model, run: ModelRun, protocol: Protocol, become: Become): void {
  try {
    const answer = protocol.acquire(model.lease, requestOf(run), NOW, run.ended);
    if (answer.kind === 'refused') return become({ at: 'ask', snapshot: model.lease, message: answer.reason });
    if (answer.unchanged) return become({ at: 'confirm-fence', epoch: answer.epoch });
    return become({ at: 'acquire', snapshot: model.lease });
  } catch (error) {
    return become({ at: 'stale', message: staleMessage(error) });
  }
}

function requestOf(run: ModelRun) {
  return { runId: run.id, executionArn: arnOf(run), mode: 'failover' as const, ...(run.epoch === undefined ? {} : { epoch: run.epoch }) };
}

/** A process dies. A call that it had confirmed may be on its way. */
function crash(model: Model, run: ModelRun, become: Become): void {
  const left = { ...model.left, crashes: model.left.crashes - 1 };
  const dead: Partial<ModelRun> = { at: 'dead', snapshot: undefined, ended: undefined, message: undefined, then: undefined, saw: undefined };
  become(dead, { left });
  if (run.stopped !== true) become({ stopped: true }, { left });
  if (run.at === 'launch') become(dead, { left, inFlight: [...model.inFlight, { run: run.id, epoch: run.epoch ?? -1 }] });
}

/** The same state with the answer lost: the process is told of an error and does the step again. */
function lost(model: Model, world: Partial<Model>, become: (world: Partial<Model>) => void): void {
  if (model.left.lost > 0) become({ ...world, left: { ...model.left, lost: model.left.lost - 1 } });
}

/** RunInstances with a client token of run and epoch: made again, it makes nothing. */
function launched(model: Model, call: { readonly run: string; readonly epoch: number }, by?: ModelRun): Model {
  if (model.machines.some(({ run, epoch }) => run === call.run && epoch === call.epoch)) return model;
  const late = model.lease.epoch > call.epoch;
  const violation = model.violation
    ?? (by !== undefined && by.saw !== call.epoch ? `${call.run} launched under epoch ${call.epoch} though it had read ${by.saw ?? -1}` : undefined)
    ?? (late && by !== undefined && executing(by) ? `${call.run} is executing and launched under epoch ${call.epoch} after epoch ${model.lease.epoch} was given` : undefined)
    ?? (model.machines.some(({ run, epoch }) => epoch === call.epoch && run !== call.run) ? `two runs changed something in epoch ${call.epoch}` : undefined);
  const inOrder = [...model.machines, { ...call, running: true, late }].sort((a, b) => a.epoch - b.epoch || (a.run < b.run ? -1 : 1));
  return { ...model, machines: inOrder, ...(violation === undefined ? {} : { violation }) };
}

function given(model: Model, epoch: number, run: string): Partial<Model> {
  const before = model.given[epoch];
  const violation = before !== undefined && before !== run ? `epoch ${epoch} was given to ${before} and to ${run}` : undefined;
  return { given: { ...model.given, [epoch]: run }, ...(violation === undefined ? {} : { violation }) };
}

function staleMessage(error: unknown): string {
  if (error instanceof StaleEpoch) return error.message;
  throw error;
}
