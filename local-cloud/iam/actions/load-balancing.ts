import { onEverything, type ActionTable, type Requirements } from '../requirement';

const onTargetGroup: Requirements = (call) => [{ action: `elasticloadbalancing:${call.operation}`, resource: call.form.get('TargetGroupArn') ?? '', context: {} }];

/** Service Authorization Reference, "Actions, resources, and condition keys for AWS Elastic Load Balancing V2". */
export const LOAD_BALANCING: ActionTable = {
  DescribeTargetHealth: onEverything('elasticloadbalancing'),
  DeregisterTargets: onTargetGroup,
  RegisterTargets: onTargetGroup,
};
