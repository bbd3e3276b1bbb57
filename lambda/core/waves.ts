import { CycleError, WaveError } from './errors';
import { groupBy } from './group';

/**
 * The endpoints of each wave, in order; the index is that of the wave given. Endpoints that no wave names come in a
 * last wave of their own, so that nothing that is protected is forgotten in a recovery.
 */
export function orderWaves(waves: readonly { readonly endpoints: readonly string[] }[], endpoints: readonly string[]): string[][] {
  const known = new Set(endpoints);
  const waveOf = new Map<string, number>();
  waves.forEach((wave, index) => {
    for (const name of wave.endpoints) {
      if (!known.has(name)) {
        throw new WaveError(`Wave ${index + 1} names "${name}", which is no endpoint of the project (${[...known].join(', ') || 'it has none'}).`);
      }
      const earlier = waveOf.get(name);
      if (earlier !== undefined) throw new WaveError(`Endpoint "${name}" is in wave ${earlier + 1} and again in wave ${index + 1}; name it once.`);
      waveOf.set(name, index);
    }
  });
  const rest = [...known].filter((name) => !waveOf.has(name));
  return [...waves.map((wave) => [...wave.endpoints]), ...(rest.length > 0 ? [rest] : [])];
}

/**
 * Waves of member ids, in the order of the waves given (a wave without members stays, so that indexes keep their
 * meaning). Members of endpoints that no wave names come last.
 */
export function memberWaves(
  waves: readonly { readonly endpoints: readonly string[] }[],
  members: readonly { readonly memberId: string; readonly endpoint: string }[],
): string[][] {
  const endpoints = [...waves.flatMap((wave) => wave.endpoints), ...members.map((member) => member.endpoint)];
  const membersOf = groupBy(members, (member) => member.endpoint);
  return orderWaves(waves, endpoints).map((wave) => wave.flatMap((endpoint) => (membersOf.get(endpoint) ?? []).map((member) => member.memberId)));
}

/**
 * The fewest waves in which every endpoint comes after all that it depends on; names in a wave are sorted.
 * @param dependsOn the endpoints that must be recovered before the one named by the key
 */
export function wavesFromDependencies(dependsOn: Readonly<Record<string, readonly string[]>>): string[][] {
  const dependencies = new Map(Object.entries(dependsOn));
  const waveOf = new Map<string, number>();
  const path: string[] = [];
  const visit = (name: string): number => {
    const done = waveOf.get(name);
    if (done !== undefined) return done;
    const start = path.indexOf(name);
    if (start >= 0) throw new CycleError([...path.slice(start), name]);
    path.push(name);
    const wave = Math.max(-1, ...(dependencies.get(name) ?? []).map(visit)) + 1;
    path.pop();
    waveOf.set(name, wave);
    return wave;
  };
  for (const name of dependencies.keys()) visit(name);
  const waves: string[][] = [];
  for (const [name, wave] of waveOf) (waves[wave] ??= []).push(name);
  return waves.map((wave) => wave.sort());
}
