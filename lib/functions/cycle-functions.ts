import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { ProjectContext } from './context';
import * as permissions from './permissions/cycle';
import type { Permission } from './permissions/permission';
import { WorkflowFunction } from './workflow-function';

/** For steps that work through a fleet: the longest that Lambda allows. They return before it and are called again. */
export const LONG = Duration.minutes(15);
/** For steps that make a few calls. */
export const SHORT = Duration.minutes(1);
/** CPU comes with memory; below this the SDK's start alone takes a second. */
export const MEMORY_MIB = 512;
/** Holds the recovery points and snapshots of a whole fleet. */
export const FLEET_MEMORY_MIB = 1024;

/** The functions of the protection cycle. */
export class CycleFunctions extends Construct {
  readonly begin: WorkflowFunction;
  readonly discover: WorkflowFunction;
  readonly snapshot: WorkflowFunction;
  readonly replicate: WorkflowFunction;
  readonly wait: WorkflowFunction;
  readonly wake: WorkflowFunction;
  readonly prune: WorkflowFunction;
  readonly finish: WorkflowFunction;

  constructor(scope: Construct, id: string, context: ProjectContext) {
    super(scope, id);
    const make = (name: string, handler: string, description: string, size: [Duration, number], allowed: Permission[]): WorkflowFunction => {
      const [timeout, memoryMiB] = size;
      return new WorkflowFunction(this, name, { context, handler, description, timeout, memoryMiB, permissions: allowed });
    };
    const small: [Duration, number] = [SHORT, MEMORY_MIB];
    const large: [Duration, number] = [LONG, FLEET_MEMORY_MIB];
    this.begin = make('Begin', 'cycle-begin', 'takes the lock of the protection cycle', small, permissions.cycleBegin(context));
    this.discover = make('Discover', 'cycle-discover', 'finds the members of all endpoints in the source Region', large, permissions.cycleDiscover(context));
    this.snapshot = make('Snapshot', 'cycle-snapshot', 'takes a consistency set of each member', large, permissions.cycleSnapshot(context));
    this.replicate = make('Replicate', 'cycle-replicate', 'copies and commits consistency sets', large, permissions.cycleReplicate(context));
    this.wait = make('Wait', 'cycle-wait', 'keeps the token with which an event wakes the cycle', small, permissions.cycleWait(context));
    this.wake = make('Wake', 'wake', 'wakes a waiting cycle when a snapshot completes', small, permissions.wake(context));
    this.prune = make('Prune', 'cycle-prune', 'removes recovery points by retention', large, permissions.cyclePrune(context));
    this.finish = make('Finish', 'cycle-finish', 'releases the lock and reports the cycle', large, permissions.cycleFinish(context));
  }

  /** Those that the state machine invokes. */
  get steps(): WorkflowFunction[] {
    return [this.begin, this.discover, this.snapshot, this.replicate, this.wait, this.prune, this.finish];
  }
}
