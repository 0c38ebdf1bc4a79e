/**
 * Builds a Next.js app with a route that makes a call and a stream, without any key, and then serves it with one:
 * `node next.mjs <node_modules of Next.js>`. Next.js wants the app and all packages below one folder.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { startWorld } from 'freelm/testing';

const ROUTE = `import { FreeLLM } from 'freelm';

const llm = FreeLLM.fromEnv({ lazy: true, persist: false });

export async function POST(request) {
  const { question } = await request.json();
  let said = await llm.text(question);
  for await (const part of llm.stream('streamed')) said += part;
  return new Response(said);
}
`;

const [tools] = process.argv.slice(2);
const dir = path.dirname(tools);
const require = createRequire(path.join(tools, 'x.js'));
cpSync('node_modules', tools, { recursive: true, filter: (name) => !path.basename(name).startsWith('.') });
mkdirSync(path.join(dir, 'app', 'api'), { recursive: true });
writeFileSync(path.join(dir, 'app', 'api', 'route.js'), ROUTE);

const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' };
const build = spawnSync(process.execPath, [path.join(tools, 'next', 'dist', 'bin', 'next'), 'build'], {
  cwd: dir,
  env,
  encoding: 'utf8',
});
assert.equal(build.status, 0, `${build.stdout}${build.stderr}`);

const world = await startWorld({ reply: ({ lastUserText }) => `You said: ${lastUserText}. ` });
Object.assign(process.env, env, {
  OPENROUTER_API_KEY: world.openrouter.keys[0],
  FREELM_OPENROUTER_BASE_URL: world.openrouter.baseUrl,
});
const app = require('next')({ dir });
await app.prepare();
const server = createServer(app.getRequestHandler()).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const response = await fetch(`http://127.0.0.1:${server.address().port}/api`, {
  method: 'POST',
  body: JSON.stringify({ question: 'hello' }),
});
assert.equal(await response.text(), 'You said: hello. You said: streamed. ');
server.closeAllConnections();
server.close();
await app.close();
await world.close();
// Next.js keeps timers of its own.
process.exit(0);
