import fc from 'fast-check';
import { CycleError, WaveError } from '../../lambda/core/errors';
import { memberWaves, orderWaves, wavesFromDependencies } from '../../lambda/core/waves';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', '__proto__', 'constructor'];
type Graph = Record<string, string[]>;

/** `Object.fromEntries` keeps `__proto__` as a name like any other, as JSON does. */
const graphOf = (edges: readonly (readonly [string, string])[], names: readonly string[]): Graph =>
  Object.fromEntries(names.map((name) => [name, edges.filter(([from]) => from === name).map(([, to]) => to)]));
const names = fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1 });
const dags = names.chain((order) =>
  fc.array(fc.tuple(fc.nat(order.length - 1), fc.nat(order.length - 1))).map((pairs) => {
    const edges = pairs.filter(([from, to]) => from > to).map(([from, to]) => [order[from]!, order[to]!] as const);
    // Some are named as dependencies only.
    return { graph: graphOf(edges, order.filter((name) => edges.some(([from]) => from === name) || !edges.some(([, to]) => to === name))), edges, order };
  }),
);
const graphs = names.chain((all) => fc.array(fc.tuple(fc.constantFrom(...all), fc.constantFrom(...all)), { maxLength: 14 }).map((edges) => ({ graph: graphOf(edges, all), edges, all })));

/** Whether taking away endpoints without dependencies, again and again, leaves some. */
function hasCycle(all: readonly string[], edges: readonly (readonly [string, string])[]): boolean {
  let left = new Set(all);
  for (;;) {
    const free = [...left].filter((name) => !edges.some(([from, to]) => from === name && left.has(to)));
    if (free.length === 0) return left.size > 0;
    left = new Set([...left].filter((name) => !free.includes(name)));
  }
}

describe('waves from dependencies', () => {
  test('every endpoint once, after all that it depends on, and no later than it must', () => {
    fc.assert(
      fc.property(dags, ({ graph, edges, order }) => {
        const waves = wavesFromDependencies(graph);
        const waveOf = new Map(waves.flatMap((wave, index) => wave.map((name) => [name, index] as const)));
        expect(waves.flat().sort()).toEqual([...order].sort());
        for (const [from, to] of edges) expect(waveOf.get(to)!).toBeLessThan(waveOf.get(from)!);
        for (const [name, wave] of waveOf) {
          const before = edges.filter(([from]) => from === name).map(([, to]) => waveOf.get(to)!);
          expect(wave).toBe(Math.max(-1, ...before) + 1);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('a circle is always refused, and what is named is one', () => {
    const seen = { circles: 0, none: 0 };
    fc.assert(
      fc.property(graphs, ({ graph, edges, all }) => {
        let error: unknown;
        try {
          wavesFromDependencies(graph);
        } catch (caught) {
          error = caught;
        }
        const circle = hasCycle(all, edges);
        seen[circle ? 'circles' : 'none']++;
        expect(error instanceof CycleError).toBe(circle);
        if (!(error instanceof CycleError)) return;
        const { cycle } = error;
        expect(cycle.length).toBeGreaterThan(1);
        expect(cycle.at(-1)).toBe(cycle[0]);
        cycle.slice(1).forEach((to, index) => expect(graph[cycle[index]!]).toContain(to));
      }),
      { numRuns: 500 },
    );
    expect(Math.min(seen.circles, seen.none)).toBeGreaterThan(50);
  });

  test('the message shows the way round', () => {
    expect(() => wavesFromDependencies({ web: ['app'], app: ['db'], db: ['app'] })).toThrow('app -> db -> app');
  });

  test('a shop', () => {
    expect(wavesFromDependencies({ web: ['app'], app: ['db', 'cache'], monitor: [] })).toEqual([['cache', 'db', 'monitor'], ['app'], ['web']]);
    expect(wavesFromDependencies({})).toEqual([]);
  });
});

describe('given waves', () => {
  const wave = (...endpoints: string[]) => ({ endpoints });

  test('whatever no wave names comes last', () => {
    expect(orderWaves([wave('db'), wave('app')], ['web', 'db', 'app', 'cache'])).toEqual([['db'], ['app'], ['web', 'cache']]);
  });

  test('no last wave when all are named, one wave when none is', () => {
    expect(orderWaves([wave('db')], ['db'])).toEqual([['db']]);
    expect(orderWaves([], ['db', 'web'])).toEqual([['db', 'web']]);
    expect(orderWaves([], [])).toEqual([]);
  });

  test.each([
    ['an unknown endpoint', [wave('db'), wave('dbb')], 'Wave 2 names "dbb", which is no endpoint of the project (db, web)'],
    ['an endpoint in two waves', [wave('db'), wave('web', 'db')], 'in wave 1 and again in wave 2'],
    ['an endpoint twice in a wave', [wave('db', 'db')], 'in wave 1 and again in wave 1'],
  ])('%s is refused', (_, waves, message) => {
    expect(() => orderWaves(waves, ['db', 'web'])).toThrow(WaveError);
    expect(() => orderWaves(waves, ['db', 'web'])).toThrow(message);
  });

  test('members follow their endpoints; an empty wave keeps its place', () => {
    const members = [['web/1', 'web'], ['db/1', 'db'], ['web/2', 'web'], ['old/1', 'old']].map(([memberId = '', endpoint = '']) => ({ memberId, endpoint }));
    expect(memberWaves([wave('db'), wave('app'), wave('web')], members)).toEqual([['db/1'], [], ['web/1', 'web/2'], ['old/1']]);
    expect(memberWaves([], [])).toEqual([]);
  });
});
