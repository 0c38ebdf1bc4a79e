/** Checks the installed package. Run `node smoke.mjs` in a folder that has it. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BadRequestError, ConfigError, FreeLLM, GoogleAIStudio, NIM, OpenRouter, VERSION } from 'freelm';
import Client from 'freelm/compat';
import { redisStore } from 'freelm/redis';
import openrouter from 'freelm/spec/providers/openrouter.json' with { type: 'json' };
import { startWorld } from 'freelm/testing';

const cacheDir = mkdtempSync(path.join(tmpdir(), 'freelm-smoke-'));
const world = await startWorld({ reply: ({ lastUserText }) => `You said: ${lastUserText}` });
const llm = new FreeLLM({
  cacheDir,
  providers: [
    new OpenRouter(world.openrouter.keys, { baseUrl: world.openrouter.baseUrl }),
    new GoogleAIStudio(world.google.keys, { baseUrl: world.google.baseUrl }),
    new NIM(world.nim.keys, { baseUrl: world.nim.baseUrl }),
  ],
});
try {
  assert.equal(await llm.text('hello'), 'You said: hello');

  world.nim.script({ kind: 'outage' });
  world.google.script({ kind: 'congested' });
  const answer = await llm.chat([{ role: 'user', content: 'still there?' }]);
  assert.equal(answer.text, 'You said: still there?');
  assert.equal(answer.provider, 'openrouter');
  assert.deepEqual(
    answer.attempts.map(({ outcome }) => outcome === 'success'),
    [...answer.attempts.slice(1).map(() => false), true],
  );

  const client = new Client({ freelm: llm });
  const messages = [{ role: 'user', content: 'through the compat client' }];
  let said = '';
  const stream = await client.chat.completions.create({ model: 'auto', messages, stream: true });
  for await (const { choices } of stream) said += choices[0]?.delta.content ?? '';
  assert.equal(said, 'You said: through the compat client');
  await assert.rejects(
    client.chat.completions.create({ model: 'auto', messages: [] }),
    Client.BadRequestError,
  );

  assert.equal(llm.health().length, 6);
  assert.ok(llm.capacity().requestsToday > 0);
  assert.ok(llm.explain({ model: 'chat:fast' }).length > 0);
  assert.ok((await llm.refreshModels()).some(({ provider }) => provider === 'openrouter'));
  assert.ok(readdirSync(cacheDir).includes('state'));
  assert.equal(readdirSync(cacheDir).length, 2);
  await assert.rejects(llm.text('hi', { model: 'openai/gpt-5:nitro' }), ConfigError);
  await assert.rejects(llm.chat([{ role: 'robot', content: 'hi' }]), BadRequestError);
  assert.throws(() => FreeLLM.fromEnv({}, {}), /OPENROUTER_API_KEY/);
  assert.equal(openrouter.name, 'openrouter');
  assert.throws(() => redisStore({}), ConfigError);
} finally {
  await llm.close();
  await world.close();
  rmSync(cacheDir, { recursive: true });
}

const bin = path.join('node_modules', 'freelm', 'dist', 'cli', 'main.js');
assert.equal(FreeLLM.name, 'FreeLLM');
assert.equal(execFileSync(process.execPath, [bin, '--version'], { encoding: 'utf8' }).trim(), VERSION);
console.log(`smoke: freelm ${VERSION} works on Node ${process.versions.node}`);
