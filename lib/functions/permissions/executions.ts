import { physicalName } from '../../names';
import type { ProjectContext } from '../context';

/** As `executionsArn`. */
export function machineArn(context: ProjectContext, part: 'return-cycle'): string {
  return `arn:${context.partition}:states:${context.recoveryRegion}:${context.account}:stateMachine:${physicalName(context.project, part)}`;
}

/** Computed, not referenced: the state machine refers to the functions that these statements are for. */
export function executionsArn(context: ProjectContext, part: 'cycle' | 'return-cycle' | 'run'): string {
  return `arn:${context.partition}:states:${context.recoveryRegion}:${context.account}:execution:${physicalName(context.project, part)}:*`;
}
