/**
 * Measures the CPU time of a `chat()` against a bare `undici.request` with the same body on loopback, and the time that
 * `import 'freelm'` takes. The server is another process, so that only the client is measured. Run
 * `npm run build && npm run bench`.
 */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { builtLibrary, median, report } from './figures.ts';

const SERVER = `
  const answer = JSON.stringify({ id: 'x', object: 'chat.completion', model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'A place that keeps whatever comes too near.' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 9, completion_tokens: 9, total_tokens: 18 } });
  const server = require('node:http').createServer((request, response) => {
    request.resume();
    const reply = () => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length });
      response.end(answer);
    };
    const isLate = request.url.startsWith('/late');
    request.on('end', () => (isLate ? setTimeout(reply, 5 + 20 * Math.random()) : reply()));
  });
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;

const { FreeLLM, OpenAICompatible } = await builtLibrary();

/** Short rounds in pairs, so that other work of the machine disturbs single rounds, and not the median. */
const ROUNDS = 61;
const CALLS = 500;
const WARM_UP_ROUNDS = 8;
const MESSAGES = [
  { role: 'system', content: 'Answer in one sentence.' },
  { role: 'user', content: 'Explain black holes.' },
] as const;

async function microsecondsOfCpu(work: () => Promise<unknown>, concurrency: number): Promise<number> {
  let left = CALLS;
  const before = process.cpuUsage();
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await work();
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / CALLS;
}

async function compare(base: string, concurrency: number, name: string): Promise<void> {
  const llm = new FreeLLM({
    providers: [new OpenAICompatible('key', { name: 'bench', baseUrl: base, models: ['m'] })],
    persist: false,
  });
  const url = `${base}/chat/completions`;
  const headers = { 'content-type': 'application/json', authorization: 'Bearer key' };
  const body = JSON.stringify({ model: 'm', messages: MESSAGES, temperature: 0 });
  const ours = (): Promise<unknown> => llm.chat(MESSAGES, { temperature: 0 });
  const bare = async (): Promise<unknown> => {
    const response = await request(url, { method: 'POST', headers, body });
    return response.body.json();
  };
  const ratios: number[] = [];
  const costs: number[] = [];
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
    const [a, b] = [await microsecondsOfCpu(ours, concurrency), await microsecondsOfCpu(bare, concurrency)];
    if (round < 0) continue;
    ratios.push(a / b);
    costs.push(a);
  }
  report(
    { name, value: median(ratios), unit: '× a bare undici.request' },
    `${median(costs).toFixed(0)} µs of CPU, over ${ROUNDS} rounds of ${CALLS}`,
  );
  await llm.close();
}

/** The ms that importing takes in a new process. */
function importTime(what: string): number {
  const script = `const t = performance.now(); await import('${what}'); console.log(performance.now() - t)`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  return Number(stdout);
}

function compareImports(): void {
  const entry = new URL('../../dist/index.js', import.meta.url).href;
  const times = Array.from({ length: 9 }, () => [importTime(entry), importTime('undici')] as const);
  const ratio = median(times.map(([own, undici]) => own / undici));
  const own = median(times.map(([ms]) => ms));
  report({ name: "import 'freelm'", value: ratio, unit: "× import 'undici'" }, `${own.toFixed(0)} ms`);
}

const server = spawn(process.execPath, ['-e', SERVER], {
  cwd: fileURLToPath(new URL('.', import.meta.url)),
  stdio: ['ignore', 'pipe', 'inherit'],
});
const heard: readonly unknown[] = await once(server.stdout, 'data');
const base = `http://127.0.0.1:${String(heard[0]).trim()}`;
for (const concurrency of [1, 16]) await compare(base, concurrency, `chat(), ${concurrency} at a time`);
await compare(`${base}/late`, 128, 'chat(), 128 at a time, each answered after 5 to 25 ms');
compareImports();
server.kill();
