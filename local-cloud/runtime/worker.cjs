// The execution environment of one function: a process that loads the deployed code once and then answers invocations, one
// at a time, as https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html and nodejs-exceptions.html describe.
'use strict';
const { existsSync } = require('node:fs');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');

const [codeDir, handlerName] = process.argv.slice(2);
const END_OF_LOGS = '\u0000end-of-logs';

// One ordered stream of log lines; the marker after each invocation tells the parent that it has them all.
process.stderr.write = process.stdout.write.bind(process.stdout);
process.on('disconnect', () => process.exit(0));

const failure = (errorType, errorMessage, trace = []) => ({ errorType, errorMessage, trace });

function describe(error) {
  if (error instanceof Error) return failure(error.name, error.message, (error.stack ?? '').split('\n'));
  return failure(typeof error, String(error));
}

async function load() {
  const dot = handlerName.lastIndexOf('.');
  const file = join(codeDir, handlerName.slice(0, dot));
  const name = handlerName.slice(dot + 1);
  const path = [`${file}.js`, `${file}.cjs`, `${file}.mjs`].find(existsSync);
  if (!path) throw failure('Runtime.ImportModuleError', `Error: Cannot find module '${handlerName.slice(0, dot)}'`);
  let module;
  try {
    module = path.endsWith('.mjs') ? await import(pathToFileURL(path).href) : require(path);
  } catch (error) {
    if (error instanceof SyntaxError) throw failure('Runtime.UserCodeSyntaxError', `SyntaxError: ${error.message}`, (error.stack ?? '').split('\n'));
    throw error;
  }
  if (typeof module[name] !== 'function') throw failure('Runtime.HandlerNotFound', `${handlerName} is undefined or not exported`);
  return module[name];
}

function contextOf({ requestId, functionName, functionArn, memorySize, deadline }) {
  return {
    awsRequestId: requestId,
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: functionArn,
    memoryLimitInMB: String(memorySize),
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

function answer(requestId, message) {
  process.stdout.write(`${END_OF_LOGS} ${requestId}\n`);
  process.send({ requestId, ...message });
}

// Starts at once, so that the code is loaded when the first event comes.
const handler = load();
handler.catch(() => undefined);
let current;

process.on('unhandledRejection', (reason) => {
  if (current === undefined) return;
  const { errorMessage, trace } = describe(reason);
  answer(current, { error: failure('Runtime.UnhandledPromiseRejection', errorMessage, trace) });
  setImmediate(() => process.exit(128));
});

process.on('message', async (invocation) => {
  const { requestId } = invocation;
  current = requestId;
  try {
    const run = await handler;
    const result = await run(JSON.parse(invocation.payload), contextOf(invocation));
    answer(requestId, { payload: JSON.stringify(result) ?? 'null' });
  } catch (error) {
    answer(requestId, { error: error && error.errorType && !(error instanceof Error) ? error : describe(error) });
  } finally {
    current = undefined;
  }
});
