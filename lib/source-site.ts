import { EndpointTags } from './endpoint/endpoint-tags';
import type { ProtectedEndpoint } from './endpoint/protected-endpoint';
import type { ProjectContext } from './functions/context';
import { removeReplaced, sourceCheck, sourceFinish, sourceLaunch, sourceMachines, sweepVolumes } from './functions/permissions/source-site';
import type { RunFunctions } from './functions/run-functions';
import type { UpkeepFunctions } from './functions/upkeep-functions';
import type { VolumeKey } from './volume-key';

/** Lets the functions of a run act on machines in the source Region: only where a project declares a failback or a repair. @internal */
export class SourceSite {
  private readonly tags: EndpointTags;

  /** @param key of the disks that come back */
  constructor(context: ProjectContext, functions: RunFunctions, { drillTeardown, sweep }: UpkeepFunctions, key: VolumeKey | undefined) {
    const { launch, check, finish } = functions;
    for (const permission of removeReplaced(context)) drillTeardown.allow(permission);
    for (const permission of sweepVolumes(context)) sweep.allow(permission);
    // A machine starts with what it has: also with disks under the keys of before.
    const keys = [...context.volumeKeys, ...(key === undefined ? [] : [key])].map((each) => each._bind());
    for (const permission of sourceLaunch(context, keys)) launch.allow(permission);
    for (const permission of sourceCheck(context)) check.allow(permission);
    for (const permission of sourceFinish(context)) finish.allow(permission);
    this.tags = new EndpointTags(context.project, (tags) => launch.allow(sourceMachines(context, tags)));
  }

  /** Lets them act on the machines of an endpoint. */
  add(endpoint: ProtectedEndpoint): void {
    this.tags.add(endpoint);
  }
}
