import type { IConstruct } from 'constructs';
import type { WaveConfig } from '../../lambda/core/config';
import { CycleError } from '../../lambda/core/errors';
import { wavesFromDependencies } from '../../lambda/core/waves';
import type { ProtectedEndpoint } from '../endpoint/protected-endpoint';
import { RecoveryCheck } from './recovery-check';
import type { RecoveryHook } from './recovery-hook';
import type { RecoveryWave } from './recovery-wave';

/** The waves of a project, gathered while the app is composed and read when it is synthesized. @internal */
export class RecoveryPlan {
  private readonly waves: RecoveryWave[] = [];

  constructor(private readonly owner: IConstruct, private readonly endpoints: readonly ProtectedEndpoint[]) {}

  add(wave: RecoveryWave): void {
    this.waves.push(wave);
  }

  /** Explicit waves, then one of what they leave out; without explicit waves, those that follow from the dependencies. */
  toConfig(): WaveConfig[] {
    if (this.waves.length === 0) return this.derived().map((names) => waveConfig(names, {}));
    const left = this.leftOut();
    return [...this.waves.map((wave) => waveConfig(wave.endpoints.map(nameOf), wave)), ...(left.length > 0 ? [waveConfig(left, {})] : [])];
  }

  /** Endpoints that the explicit waves do not name. */
  leftOut(): string[] {
    if (this.waves.length === 0) return [];
    const named = new Set(this.waves.flatMap((wave) => wave.endpoints.map(nameOf)));
    return this.endpoints.map(nameOf).filter((name) => !named.has(name));
  }

  /** Of all hooks and checks. */
  functionArns(): string[] {
    const targets = this.waves.flatMap((wave) => [...(wave.before ?? []), ...(wave.after ?? []), ...(wave.checks ?? [])].map(({ _target }) => _target));
    return targets.flatMap(({ functionArn }) => functionArn ?? []);
  }

  problems(): string[] {
    return [...this.waveProblems(), ...this.dependencyProblems()];
  }

  private derived(): string[][] {
    try {
      return wavesFromDependencies(this.dependencies());
    } catch (error) {
      if (error instanceof CycleError) return [];
      throw error;
    }
  }

  private dependencies(): Record<string, string[]> {
    return Object.fromEntries(this.endpoints.map((endpoint) => [endpoint.name, endpoint._requirements.map(nameOf)]));
  }

  private waveProblems(): string[] {
    const problems: string[] = [];
    const waveOf = new Map<ProtectedEndpoint, number>();
    this.waves.forEach((wave, index) => {
      if (wave.endpoints.length === 0) problems.push(`Wave ${index + 1} has no endpoint. Leave it out.`);
      for (const endpoint of wave.endpoints) {
        const earlier = waveOf.get(endpoint);
        if (endpoint._owner !== this.owner) problems.push(`Wave ${index + 1} names endpoint '${endpoint.name}' of another project (${endpoint._owner.node.path}). Protect it here, or leave it out.`);
        else if (earlier !== undefined) problems.push(`Endpoint '${endpoint.name}' is in wave ${earlier + 1} and again in wave ${index + 1}. Name it once.`);
        waveOf.set(endpoint, index);
      }
      problems.push(...hookProblems(index, wave, this.owner));
    });
    for (const endpoint of this.endpoints) {
      for (const required of endpoint._requirements) {
        const [wave, before] = [waveOf.get(endpoint), waveOf.get(required)];
        if (wave !== undefined && (before ?? this.waves.length) >= wave) {
          problems.push(`Endpoint '${endpoint.name}' (wave ${wave + 1}) depends on '${required.name}' (${before === undefined ? 'in no wave, so the last' : `wave ${before + 1}`}). Put '${required.name}' into an earlier wave.`);
        }
      }
    }
    return problems;
  }

  private dependencyProblems(): string[] {
    const foreign = this.endpoints.flatMap((endpoint) => endpoint._requirements
      .filter((required) => required._owner !== this.owner)
      .map((required) => `Endpoint '${endpoint.name}' depends on '${required.name}' of another project (${required._owner.node.path}).`));
    if (foreign.length > 0) return foreign;
    try {
      wavesFromDependencies(this.dependencies());
      return [];
    } catch (error) {
      if (error instanceof CycleError) return [error.message];
      throw error;
    }
  }
}

function nameOf(endpoint: ProtectedEndpoint): string {
  return endpoint.name;
}

function waveConfig(endpoints: readonly string[], wave: Omit<Partial<RecoveryWave>, 'endpoints'>): WaveConfig {
  return {
    endpoints,
    before: (wave.before ?? []).map((hook) => hook._toConfig()),
    after: (wave.after ?? []).map((hook) => hook._toConfig()),
    checks: (wave.checks ?? [RecoveryCheck.instanceStatus()]).map((check) => check._toConfig()),
  };
}

function hookProblems(index: number, wave: RecoveryWave, owner: IConstruct): string[] {
  const problems: string[] = [];
  const phases: [string, RecoveryHook[]][] = [['before', wave.before ?? []], ['after', wave.after ?? []]];
  for (const [phase, hooks] of phases) {
    problems.push(...hooks.flatMap((hook) => hook._problems()));
    problems.push(...duplicates(hooks.map((hook) => hook._toConfig().name)).map((name) => `Wave ${index + 1} has two hooks '${name}' ${phase} it. Give one of them another name.`));
    for (const foreign of hooks.flatMap((hook) => hook._endpoints).filter((endpoint) => endpoint._owner !== owner)) {
      problems.push(`A hook of wave ${index + 1} names endpoint '${foreign.name}' of another project (${foreign._owner.node.path}).`);
    }
  }
  const checks = wave.checks ?? [];
  problems.push(...checks.flatMap((check) => check._problems()));
  problems.push(...duplicates(checks.map((check) => check._toConfig().name)).map((name) => `Wave ${index + 1} has two checks '${name}'. Give one of them another name.`));
  return problems;
}

function duplicates(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}
