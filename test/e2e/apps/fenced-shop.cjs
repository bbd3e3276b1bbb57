// The example with fencing, as compiled: the whole way of the old side, over every kind that needs a permission in the source Region.
const { App } = require('aws-cdk-lib');
const { Fencing, UnreachablePolicy } = require('../../../dist/lib');
const { ShopProduction } = require('../../../dist/bin/shop/production');
const { ShopRecovery } = require('../../../dist/bin/shop/recovery');

const app = new App();
const production = new ShopProduction(app, 'ShopProduction', { env: { region: 'us-east-1' } });
const fencing = Fencing.all(
  Fencing.revokeSessions({ roles: [production.machineRole], whenUnreachable: UnreachablePolicy.accept() }),
  Fencing.stopInstances({ whenUnreachable: UnreachablePolicy.accept() }),
);
new ShopRecovery(app, 'ShopRecovery', { env: { region: 'us-west-2' }, production, sourceRegion: 'us-east-1', fencing });
