import { dynamoCatalogue } from '../adapters/catalogue';
import { dynamoDetection } from '../adapters/catalogue/detection';
import { CloudWatchMonitoring } from '../adapters/cloudwatch';
import { Ec2InstanceStatuses } from '../adapters/ec2-status';
import { SfnExecutions } from '../adapters/executions';
import { LambdaFunctions } from '../adapters/invoke';
import { SnsNotifications } from '../adapters/sns';
import { SfnStarter } from '../adapters/start-execution';
import { detect } from '../detect/detect';
import { handlerOf } from '../runtime/handler';

export const handler = handlerOf('detect', (environment) => {
  const { members, leases } = dynamoCatalogue(environment);
  const detection = dynamoDetection(environment);
  return {
    members,
    reports: detection,
    detectors: detection,
    leases,
    instances: new Ec2InstanceStatuses(environment.sourceRegion),
    monitoring: new CloudWatchMonitoring(),
    functions: new LambdaFunctions(environment.recoveryRegion),
    executions: new SfnExecutions(environment.recoveryRegion),
    starter: new SfnStarter(environment.recoveryRegion),
    notifications: new SnsNotifications(environment.recoveryRegion),
  };
}, detect);
