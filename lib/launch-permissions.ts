import type { DisasterRecoveryProps } from './disaster-recovery-props';
import type { ProtectedEndpoint } from './endpoint/protected-endpoint';
import type { ProjectContext } from './functions/context';
import { ec2Arn } from './functions/permissions/permission';
import type { DrillNetwork } from './network/drill-policy';
import type { BoundTarget } from './network/recovery-target';

/** ARNs of all places that machines may be launched in: what is configured, and nothing else. */
export function launchPlaces(
  context: ProjectContext, props: DisasterRecoveryProps, endpoints: readonly ProtectedEndpoint[], target: BoundTarget, drill: DrillNetwork,
): string[] {
  const launches = endpoints.map(({ endpoint }) => endpoint.launch);
  const subnets = [...target.subnets, ...drill.subnets, ...launches.flatMap(({ subnet }) => subnet ?? [])];
  const groups = [...target.securityGroups, drill.securityGroup, ...launches.flatMap(({ securityGroups }) => securityGroups ?? [])];
  const keyNames = [props.target._options.keyName, ...launches.map(({ keyName }) => keyName)].flatMap((name) => name ?? []);
  const { reservationId, groupArn } = props.target._capacity._bind();
  const arn = (type: string) => (id: string) => ec2Arn(context, context.recoveryRegion, type, id);
  return [...new Set([
    ...subnets.map(({ subnetId }) => subnetId).map(arn('subnet')),
    ...groups.map(({ securityGroupId }) => securityGroupId).map(arn('security-group')),
    ...keyNames.map(arn('key-pair')),
    ...(reservationId === undefined ? [] : [reservationId].map(arn('capacity-reservation'))),
    ...(groupArn === undefined ? [] : [groupArn]),
  ])];
}
