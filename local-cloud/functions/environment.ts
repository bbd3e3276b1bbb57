import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../project-root';
import type { SessionCredentials } from '../iam/session';
import type { Invocation } from './invocation';

/** The environment variables of an execution environment: Lambda's reserved ones, the deployed ones, and the way to the local cloud. */
export function functionEnvironment(invocation: Invocation, credentials: SessionCredentials, endpoint: string, modules: string): NodeJS.ProcessEnv {
  const { functionName, region, handler, codeDir, memorySize = 128, environment } = invocation;
  return {
    PATH: process.env.PATH,
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    NODE_PATH: modules,
    ...environment,
    _HANDLER: handler,
    LAMBDA_TASK_ROOT: codeDir,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x',
    AWS_LAMBDA_FUNCTION_NAME: functionName,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memorySize),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${functionName}`,
    AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    ...localEndpoint(endpoint),
  };
}

/**
 * The modules that Lambda's Node runtime brings along: the AWS SDK and nothing else, so that a function that forgot to bundle
 * something fails here too.
 */
export function runtimeModules(stateDir: string): string {
  const folder = join(stateDir, 'runtime', 'node_modules');
  mkdirSync(folder, { recursive: true });
  for (const scope of ['@aws-sdk', '@smithy']) {
    if (!existsSync(join(folder, scope))) symlinkSync(join(projectRoot(), 'node_modules', scope), join(folder, scope), 'dir');
  }
  return folder;
}

/** Sends SDKs and the CLI to the local cloud, and keeps what the user has configured for AWS out of it. */
export function localEndpoint(endpoint: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_EC2_METADATA_DISABLED: 'true',
    // Functions run on this machine's Node, not on the deployed runtime's.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  };
}
