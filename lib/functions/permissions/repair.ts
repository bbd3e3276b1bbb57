import type { ProjectContext } from '../context';
import { catalogue } from './catalogue';
import type { Permission } from './permission';

/** What each swap-in changes is granted as endpoints name it. */
export function runSwapIn(context: ProjectContext): Permission[] {
  return catalogue(context, ['GetItem', 'Query', 'PutItem', 'UpdateItem']);
}
