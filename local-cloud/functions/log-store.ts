import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Enough for any test or demo; a function that writes more loses its oldest lines here, not in its file. */
const KEPT_LINES = 20_000;

/** What the functions wrote, by function; also in `logs/<function>.log` of the state folder. */
export class LogStore {
  private readonly lines = new Map<string, string[]>();
  private readonly folder: string;

  public constructor(stateDir: string, private readonly onLine?: (functionName: string, line: string) => void) {
    this.folder = join(stateDir, 'logs');
    mkdirSync(this.folder, { recursive: true });
  }

  public add(functionName: string, line: string): void {
    const kept = this.lines.get(functionName) ?? [];
    kept.push(line);
    if (kept.length > KEPT_LINES) kept.splice(0, kept.length - KEPT_LINES);
    this.lines.set(functionName, kept);
    appendFileSync(join(this.folder, `${functionName}.log`), `${line}\n`);
    this.onLine?.(functionName, line);
  }

  /** The lines of a function whose name is, or begins with, the given one; without a name, of all, each after its function's name. */
  public get(functionName?: string): string[] {
    if (functionName === undefined) return [...this.lines].flatMap(([name, lines]) => lines.map((line) => `${name}: ${line}`));
    return [...this.lines].filter(([name]) => name === functionName || name.startsWith(functionName)).flatMap(([, lines]) => lines);
  }
}
