/** What every function is told by its environment. */
export interface Environment {
  readonly project: string;
  /** Name of the catalogue's table. */
  readonly table: string;
  readonly sourceRegion: string;
  readonly recoveryRegion: string;
}

const VARIABLES: Readonly<Record<keyof Environment, string>> = {
  project: 'DR_PROJECT',
  table: 'DR_TABLE',
  sourceRegion: 'DR_SOURCE_REGION',
  recoveryRegion: 'DR_RECOVERY_REGION',
};

/** Raised while the module loads, so that a wrong deployment fails at its first start and not in the middle of a recovery. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
}

/** Reads the environment, or names everything that is wrong with it in one message. */
export function readEnvironment(source: Readonly<Record<string, string | undefined>> = process.env): Environment {
  const missing = Object.values(VARIABLES).filter((name) => !source[name]?.trim());
  if (missing.length > 0) {
    throw new EnvironmentError(
      `Missing environment variable${missing.length > 1 ? 's' : ''}: ${missing.join(', ')}. ` +
      'The construct DisasterRecovery sets them; deploy its stack again if they were changed by hand.',
    );
  }
  const read = (field: keyof Environment): string => (source[VARIABLES[field]] ?? '').trim();
  const environment = {
    project: read('project'), table: read('table'), sourceRegion: read('sourceRegion'), recoveryRegion: read('recoveryRegion'),
  };
  if (environment.sourceRegion === environment.recoveryRegion) {
    throw new EnvironmentError(`DR_SOURCE_REGION and DR_RECOVERY_REGION are both ${environment.sourceRegion}: they must differ.`);
  }
  return environment;
}
