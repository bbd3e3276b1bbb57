import type { IncomingHttpHeaders } from 'node:http';

/** One REST operation: the method, its path with `*` for one segment, `**` for the rest. */
type Route = readonly [method: string, path: string, operation: string];

/** REST services name the operation by method and path; these are the paths of their API references. */
const ROUTES: Readonly<Record<string, readonly Route[]>> = {
  lambda: [
    ['POST', '/2015-03-31/functions/*/invocations', 'Invoke'],
    ['POST', '/2014-11-13/functions/*/invoke-async', 'InvokeAsync'],
    ['GET', '/2015-03-31/functions', 'ListFunctions'],
    ['POST', '/2015-03-31/functions', 'CreateFunction'],
    ['GET', '/2015-03-31/functions/*', 'GetFunction'],
    ['DELETE', '/2015-03-31/functions/*', 'DeleteFunction'],
    ['GET', '/2015-03-31/functions/*/configuration', 'GetFunctionConfiguration'],
    ['PUT', '/2015-03-31/functions/*/configuration', 'UpdateFunctionConfiguration'],
    ['PUT', '/2015-03-31/functions/*/code', 'UpdateFunctionCode'],
    ['GET', '/2015-03-31/functions/*/policy', 'GetPolicy'],
    ['POST', '/2015-03-31/functions/*/policy', 'AddPermission'],
    ['DELETE', '/2015-03-31/functions/*/policy/*', 'RemovePermission'],
  ],
  scheduler: [
    ['GET', '/schedules', 'ListSchedules'],
    ['GET', '/schedules/*', 'GetSchedule'],
    ['POST', '/schedules/*', 'CreateSchedule'],
    ['PUT', '/schedules/*', 'UpdateSchedule'],
    ['DELETE', '/schedules/*', 'DeleteSchedule'],
    ['GET', '/schedule-groups', 'ListScheduleGroups'],
    ['GET', '/schedule-groups/*', 'GetScheduleGroup'],
    ['POST', '/schedule-groups/*', 'CreateScheduleGroup'],
    ['DELETE', '/schedule-groups/*', 'DeleteScheduleGroup'],
  ],
  ebs: [
    ['POST', '/snapshots', 'StartSnapshot'],
    ['POST', '/snapshots/completion/*', 'CompleteSnapshot'],
    ['PUT', '/snapshots/*/blocks/*', 'PutSnapshotBlock'],
    ['GET', '/snapshots/*/blocks/*', 'GetSnapshotBlock'],
    ['GET', '/snapshots/*/blocks', 'ListSnapshotBlocks'],
    ['GET', '/snapshots/*/changedblocks', 'ListChangedBlocks'],
  ],
  backup: [
    ['PUT', '/backup-jobs', 'StartBackupJob'],
    ['GET', '/backup-jobs', 'ListBackupJobs'],
    ['GET', '/backup-jobs/*', 'DescribeBackupJob'],
    ['PUT', '/copy-jobs', 'StartCopyJob'],
    ['GET', '/copy-jobs', 'ListCopyJobs'],
    ['GET', '/copy-jobs/*', 'DescribeCopyJob'],
    ['PUT', '/restore-jobs', 'StartRestoreJob'],
    ['GET', '/restore-jobs', 'ListRestoreJobs'],
    ['GET', '/restore-jobs/*', 'DescribeRestoreJob'],
    ['GET', '/backup-vaults', 'ListBackupVaults'],
    ['PUT', '/backup-vaults/*', 'CreateBackupVault'],
    ['GET', '/backup-vaults/*', 'DescribeBackupVault'],
    ['DELETE', '/backup-vaults/*', 'DeleteBackupVault'],
    ['GET', '/backup-vaults/*/recovery-points', 'ListRecoveryPointsByBackupVault'],
    ['GET', '/backup-vaults/*/recovery-points/*', 'DescribeRecoveryPoint'],
    ['DELETE', '/backup-vaults/*/recovery-points/*', 'DeleteRecoveryPoint'],
    ['GET', '/backup-vaults/*/recovery-points/*/restore-metadata', 'GetRecoveryPointRestoreMetadata'],
  ],
  route53: [
    ['POST', '/2013-04-01/hostedzone/*/rrset', 'ChangeResourceRecordSets'],
    ['GET', '/2013-04-01/hostedzone/*/rrset', 'ListResourceRecordSets'],
    ['GET', '/2013-04-01/change/*', 'GetChange'],
    ['GET', '/2013-04-01/hostedzone', 'ListHostedZones'],
    ['POST', '/2013-04-01/hostedzone', 'CreateHostedZone'],
    ['GET', '/2013-04-01/hostedzone/*', 'GetHostedZone'],
    ['DELETE', '/2013-04-01/hostedzone/*', 'DeleteHostedZone'],
    ['GET', '/2013-04-01/healthcheck', 'ListHealthChecks'],
    ['GET', '/2013-04-01/healthcheck/*', 'GetHealthCheck'],
  ],
  s3: [
    ['GET', '/', 'ListBuckets'],
    ['GET', '/*', 'ListObjects'],
    ['HEAD', '/*', 'HeadBucket'],
    ['PUT', '/*', 'CreateBucket'],
    ['DELETE', '/*', 'DeleteBucket'],
    ['GET', '/*/**', 'GetObject'],
    ['HEAD', '/*/**', 'HeadObject'],
    ['PUT', '/*/**', 'PutObject'],
    ['POST', '/*/**', 'PostObject'],
    ['DELETE', '/*/**', 'DeleteObject'],
  ],
};

interface CompiledRoute { readonly method: string; readonly pattern: RegExp; readonly operation: string }

const COMPILED: Readonly<Record<string, readonly CompiledRoute[]>> = Object.fromEntries(
  Object.entries(ROUTES).map(([service, routes]) => [service, routes.map(([method, path, operation]) => ({
    method,
    pattern: new RegExp(`^${path.replaceAll('**', '.+').replaceAll('*', '[^/]+')}/?$`),
    operation,
  }))]),
);

/** Which operation of the service a request is; `METHOD path` for a REST request that is in no table. */
export function operationOf(service: string, method: string, url: URL, headers: IncomingHttpHeaders, form: URLSearchParams): string {
  const target = headers['x-amz-target'];
  if (typeof target === 'string') return target.slice(target.lastIndexOf('.') + 1);
  const action = form.get('Action');
  if (action) return action;
  const rpc = /^\/service\/[^/]+\/operation\/(\w+)$/.exec(url.pathname);
  if (rpc?.[1]) return rpc[1];
  // A bucket in the host name makes the object's key the whole path.
  const path = service === 's3' && /^[^.]+\.localhost(:|$)/.test(headers.host ?? '') ? `/bucket${url.pathname}` : url.pathname;
  const route = COMPILED[service]?.find((candidate) => candidate.method === method && candidate.pattern.test(path));
  return route?.operation ?? `${method} ${url.pathname}`;
}
