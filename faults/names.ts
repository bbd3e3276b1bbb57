/** What the app of the fault campaign and the campaign both call things. */
export const SOURCE_REGION = 'us-east-1';
export const RECOVERY_REGION = 'us-west-2';
export const PROJECT = 'faults';
export const ENDPOINT = 'machine';
/** The source machine is found by this. */
export const MACHINE_TAG: Record<string, string> = { fleet: 'faults' };
/** Physical names of the project start with this. */
export const PREFIX = `disaster-recovery-${PROJECT}`;
