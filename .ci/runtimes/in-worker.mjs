/** Runs a bundled Worker in miniflare: `node in-worker.mjs <node_modules of miniflare> <bundle>`. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { startWorld } from 'freelm/testing';

const [tools, bundle] = process.argv.slice(2);
const { Miniflare } = createRequire(path.join(tools, 'x.js'))('miniflare');
const world = await startWorld({ reply: ({ lastUserText }) => `You said: ${lastUserText}. ` });
const worker = new Miniflare({
  modules: true,
  script: readFileSync(bundle, 'utf8'),
  compatibilityDate: '2026-04-01',
  compatibilityFlags: ['nodejs_compat'],
  bindings: { BASE_URL: world.custom.baseUrl, KEY: world.custom.keys[0], MODEL: world.custom.models[0] },
});
try {
  const response = await worker.dispatchFetch('http://worker.test/');
  assert.equal(await response.text(), 'You said: hello. You said: streamed. ');
} finally {
  await worker.dispose();
  await world.close();
}
