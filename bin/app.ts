import { App } from 'aws-cdk-lib';
import { ShopProduction } from './shop/production';
import { ShopRecovery } from './shop/recovery';

const app = new App();

// Regions are literals, the account is that of the credentials: synthesis needs no lookup and no context.
const production = new ShopProduction(app, 'ShopProduction', { env: { region: 'us-east-1' } });
new ShopRecovery(app, 'ShopRecovery', { env: { region: 'us-west-2' }, production, sourceRegion: 'us-east-1' });
