import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { HttpProbeConfig } from '../core/detection-config';
import { noAnswer, tooSlow } from './network';
import { healthy, unhealthy, unknown, type Reading } from './reading';

/** Health pages are small; nobody must be able to fill the detector's memory. */
const BODY_MAX = 256 * 1024;
const USER_AGENT = 'cdk-disaster-recovery-probe';

/** One request over a connection of its own, as a new user would make it: a kept one would hide that no new ones are taken. */
export function probeHttp(config: Omit<HttpProbeConfig, 'name'>): Promise<Reading> {
  const { url, timeoutMs } = config;
  return new Promise((resolve) => {
    const began = performance.now();
    const end = (reading: Reading): void => {
      clearTimeout(timer);
      sent?.destroy();
      resolve(reading);
    };
    const timer = setTimeout(() => { end(unhealthy(`no answer in ${timeoutMs} ms`)); }, timeoutMs);
    const sent = send(url, end, (response) => {
      bodyOf(response).then((body) => {
        end(judge(config, response.statusCode ?? 0, body, Math.round(performance.now() - began)));
      }, (error: unknown) => { end(noAnswer(error)); });
    });
  });
}

function send(url: string, end: (reading: Reading) => void, onResponse: (response: IncomingMessage) => void): ReturnType<typeof requestHttp> | undefined {
  try {
    const request = new URL(url).protocol === 'https:' ? requestHttps : requestHttp;
    const sent = request(url, { agent: false, headers: { 'user-agent': USER_AGENT, 'cache-control': 'no-cache' } }, onResponse);
    sent.on('error', (error) => { end(noAnswer(error)); });
    sent.end();
    return sent;
  } catch (error) {
    // The request could not even be made, e.g. of a URL that is none.
    queueMicrotask(() => { end(unknown(error instanceof Error ? error.message : String(error))); });
    return undefined;
  }
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= BODY_MAX) break;
  }
  return Buffer.concat(chunks).toString('utf8').slice(0, BODY_MAX);
}

function judge(config: Omit<HttpProbeConfig, 'name'>, status: number, body: string, milliseconds: number): Reading {
  const expected = config.statuses === undefined ? status >= 200 && status <= 299 : config.statuses.includes(status);
  if (!expected) return unhealthy(`status ${status}, expected ${config.statuses?.join(', ') ?? '200 to 299'}`);
  const { bodyMatch } = config;
  if (bodyMatch !== undefined && !new RegExp(bodyMatch.source, bodyMatch.flags).test(body)) return unhealthy(`status ${status}, and the body does not match /${bodyMatch.source}/${bodyMatch.flags}`);
  return tooSlow(milliseconds, config) ?? healthy(`status ${status} in ${milliseconds} ms`);
}
