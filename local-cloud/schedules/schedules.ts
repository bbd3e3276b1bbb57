import { randomUUID } from 'node:crypto';
import { sendToTarget } from '../events/send-to-target';
import type { Faults } from '../faults/faults';
import { list, record, text } from '../iam/requirement';
import type { Sessions } from '../iam/sessions';
import type { InnerClients } from '../process/clients';
import { parseExpression, type Expression } from './expression';

const TICK_MS = 1000;

/** A deployed EventBridge Scheduler schedule. */
export interface Schedule {
  readonly name: string;
  readonly group: string;
  readonly region: string;
  readonly expression: string;
  readonly timeZone: string;
  readonly enabled: boolean;
  readonly targetArn: string;
  readonly roleArn: string;
  /** JSON. */
  readonly input: string;
}

export interface SchedulesOptions {
  readonly account: string;
  readonly regions: readonly string[];
  readonly clients: InnerClients;
  readonly sessions: Sessions;
  readonly faults: Faults;
  readonly endpoint: string;
  readonly onProblem: (message: string) => void;
}

interface Clock { readonly schedule: Schedule; readonly expression: Expression; next: Date | undefined }

/** The deployed schedules: fired when they are due, and by hand. */
export class Schedules {
  private readonly clocks = new Map<string, Clock>();
  private timer?: NodeJS.Timeout;
  private stale = true;
  private ticking = false;

  public constructor(private readonly options: SchedulesOptions) {}

  /** The schedules as they are deployed now. */
  public async list(): Promise<Schedule[]> {
    return (await Promise.all(this.options.regions.map((region) => this.listRegion(region)))).flat();
  }

  /** Fires a schedule now, whatever its expression says; by its name, or by a part of it that only one name has. */
  public async fire(name: string): Promise<void> {
    const schedules = await this.list();
    const exact = schedules.filter((schedule) => schedule.name === name);
    const found = exact.length > 0 ? exact : schedules.filter((schedule) => schedule.name.includes(name));
    const [schedule] = found;
    if (!schedule || found.length > 1) {
      throw new Error(`${found.length === 0 ? 'No schedule' : 'More than one schedule'} is named ${name}. There are: ${schedules.map((one) => one.name).join(', ') || 'none'}.`);
    }
    await this.send(schedule, new Date());
  }

  /** Honours `rate`, `cron` and `at` from now on. */
  public start(): void {
    this.timer ??= setInterval(() => { void this.tick(); }, TICK_MS).unref();
  }

  public stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Schedules have been deployed or changed. */
  public invalidate(): void {
    this.stale = true;
  }

  private async tick(): Promise<void> {
    if (this.ticking) return;
    this.ticking = true;
    try {
      if (this.stale) await this.refresh();
      const now = new Date();
      for (const clock of this.clocks.values()) {
        if (!clock.next || clock.next > now) continue;
        const due = clock.next;
        clock.next = clock.expression.next(now);
        this.send(clock.schedule, due).catch((error: unknown) => { this.options.onProblem(`schedule ${clock.schedule.name}: ${String(error)}`); });
      }
    } catch (error) {
      this.options.onProblem(`schedules: ${String(error)}`);
    } finally {
      this.ticking = false;
    }
  }

  private async refresh(): Promise<void> {
    this.stale = false;
    const now = new Date();
    const wanted = new Map((await this.list()).filter(({ enabled }) => enabled).map((schedule) => [JSON.stringify(schedule), schedule]));
    for (const key of this.clocks.keys()) if (!wanted.has(key)) this.clocks.delete(key);
    for (const [key, schedule] of wanted) {
      if (this.clocks.has(key)) continue;
      const expression = parseExpression(schedule.expression, schedule.timeZone, now);
      this.clocks.set(key, { schedule, expression, next: expression.next(now) });
    }
  }

  private async send(schedule: Schedule, due: Date): Promise<void> {
    const { endpoint, sessions, faults, account } = this.options;
    if (faults.refusal(schedule.region)) return;
    const id = randomUUID();
    const prefix = `arn:aws:scheduler:${schedule.region}:${account}`;
    // Scheduler names the schedule's group to trust policies.
    const session = await sessions.share({ kind: 'schedule', roleArn: schedule.roleArn, name: schedule.name, sourceArn: `${prefix}:schedule-group/${schedule.group}` });
    const input = schedule.input
      .replaceAll('<aws.scheduler.scheduled-time>', due.toISOString().replace(/\.\d+Z$/, 'Z'))
      .replaceAll('<aws.scheduler.execution-id>', id)
      .replaceAll('<aws.scheduler.attempt-number>', '1')
      .replaceAll('<aws.scheduler.schedule-arn>', `${prefix}:schedule/${schedule.group}/${schedule.name}`);
    const answer = await sendToTarget(endpoint, session, { arn: schedule.targetArn, input, id });
    if (answer.status >= 300) throw new Error(`${schedule.targetArn} answered ${answer.status} ${answer.body}`);
  }

  private async listRegion(region: string): Promise<Schedule[]> {
    const { clients } = this.options;
    const summaries = list(record(await clients.call('scheduler', region, 'GET', '/schedules')).Schedules).map(record);
    return Promise.all(summaries.map(async (summary) => {
      const group = text(summary.GroupName) || 'default';
      const path = `/schedules/${encodeURIComponent(text(summary.Name))}?groupName=${encodeURIComponent(group)}`;
      const found = record(await clients.call('scheduler', region, 'GET', path));
      const target = record(found.Target);
      return {
        name: text(found.Name), group, region, expression: text(found.ScheduleExpression), timeZone: text(found.ScheduleExpressionTimezone) || 'UTC',
        enabled: text(found.State) !== 'DISABLED', targetArn: text(target.Arn), roleArn: text(target.RoleArn), input: text(target.Input) || '{}',
      };
    }));
  }
}
