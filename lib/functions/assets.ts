import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Code } from 'aws-cdk-lib/aws-lambda';

/** Beside the compiled constructs in the package; in `dist/` of a working copy that runs the sources. */
const PLACES = [join(__dirname, '..', '..', 'functions'), join(__dirname, '..', '..', 'dist', 'functions')];

/** The bundle of a handler. Bundled when the package is built, so that no user of it needs a bundler. */
export function bundledHandler(name: string): Code {
  const folder = PLACES.map((place) => join(place, name)).find((place) => existsSync(join(place, 'index.js')));
  if (folder === undefined) throw new Error(`The bundle of function '${name}' is missing (looked in ${PLACES.join(', ')}). In a working copy, run "npm run build" first.`);
  return Code.fromAsset(folder);
}
