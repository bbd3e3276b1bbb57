import { dynamoCatalogue } from '../adapters/catalogue';
import { EbsBlocks } from '../adapters/ebs-blocks';
import { verifyDisks } from '../run/failback/verify';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('run-verify', (environment) => ({
  ...dynamoCatalogue(environment),
  back: dynamoCatalogue(environment, 'return'),
  recovery: new EbsBlocks(environment.recoveryRegion),
  source: new EbsBlocks(environment.sourceRegion),
}), verifyDisks);
