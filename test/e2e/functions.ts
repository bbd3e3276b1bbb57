import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { PROJECT, RECOVERY_REGION } from '../../demo/scenario';
import type { LocalCloud } from '../../local-cloud';

/** Calls one of the project's functions as an operator would, and gives back what it answers. */
export async function invoke<T>(cloud: LocalCloud, handler: string, payload: object): Promise<T> {
  const lambda = new LambdaClient(cloud.clientConfig(RECOVERY_REGION));
  try {
    const answer = await lambda.send(new InvokeCommand({ FunctionName: `disaster-recovery-${PROJECT}-${handler}`, Payload: JSON.stringify(payload) }));
    const text = Buffer.from(answer.Payload ?? []).toString();
    if (answer.FunctionError) throw new Error(`${handler}: ${text}`);
    return JSON.parse(text) as T;
  } finally {
    lambda.destroy();
  }
}

/** The input that a deployed schedule gives to its target. */
export async function scheduledInput<T>(cloud: LocalCloud, part: string): Promise<T> {
  const schedule = (await cloud.schedules.list()).find(({ name }) => name === `disaster-recovery-${PROJECT}-${part}`);
  if (!schedule) throw new Error(`There is no schedule for ${part}.`);
  return JSON.parse(schedule.input) as T;
}

/** Polls until `holds`, for what happens after an answer. */
export async function eventually(what: string, holds: () => Promise<boolean>, seconds = 20): Promise<void> {
  const limit = Date.now() + seconds * 1000;
  while (!(await holds())) {
    if (Date.now() > limit) throw new Error(`After ${seconds} s it does not hold that ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}
