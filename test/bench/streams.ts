/**
 * Measures the CPU time of a stream of 500 chunks against OpenAI's SDK and against parsing the same bytes by hand, and the
 * memory that 10,000 streams cancelled at different points leave behind. The server is another process. Run
 * `npm run build && npx tsx --expose-gc test/bench/streams.ts`.
 */

import OpenAI from 'openai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'undici';
import type { FreeLLM } from '../../src/index.ts';
import { builtLibrary, median, report } from './figures.ts';

const SERVER = `
  const chunk = (created, delta, finish_reason = null) => 'data: ' + JSON.stringify({ id: 'x', object: 'chat.completion.chunk',
    created, model: 'm', choices: [{ index: 0, delta, finish_reason }] }) + '\\n\\n';
  const end = chunk(1, {}, 'stop') + 'data: [DONE]\\n\\n';
  const piecesOf = (createdAt) => {
    const words = Array.from({ length: 500 }, (_, i) => chunk(createdAt(i), { content: ' word number ' + i }));
    return Array.from({ length: 100 }, (_, i) => words.slice(5 * i, 5 * i + 5).join(''));
  };
  const alike = piecesOf(() => 1);
  const changing = piecesOf((i) => i);
  const server = require('node:http').createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const piece of request.url.startsWith('/changing') ? changing : alike) response.write(piece);
      response.end(end);
    });
  });
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;

const { FreeLLM: Pool, OpenAICompatible } = await builtLibrary();

const ROUNDS = 9;
const STREAMS = 60;
const MESSAGES = [{ role: 'user', content: 'Explain black holes.' }] as const;

async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  for (let count = 0; count < STREAMS; count += 1) await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / STREAMS;
}

const server = spawn(process.execPath, ['-e', SERVER], { stdio: ['ignore', 'pipe', 'inherit'] });
const heard: readonly unknown[] = await once(server.stdout, 'data');
const origin = `http://127.0.0.1:${String(heard[0]).trim()}`;

function poolAt(baseUrl: string): FreeLLM {
  const provider = new OpenAICompatible('key', { name: 'bench', baseUrl, models: ['m'] });
  return new Pool({ providers: [provider], persist: false });
}

async function ours(llm: FreeLLM): Promise<number> {
  let length = 0;
  for await (const text of llm.stream(MESSAGES)) length += text.length;
  return length;
}

async function theirs(sdk: OpenAI): Promise<number> {
  let length = 0;
  const stream = await sdk.chat.completions.create({ model: 'm', messages: [...MESSAGES], stream: true });
  for await (const part of stream) length += part.choices[0]?.delta.content?.length ?? 0;
  return length;
}

async function byHand(baseUrl: string): Promise<number> {
  const asked = JSON.stringify({ model: 'm', messages: MESSAGES, stream: true });
  const headers = { 'content-type': 'application/json', authorization: 'Bearer key' };
  const response = await request(`${baseUrl}/chat/completions`, { method: 'POST', headers, body: asked });
  const decoder = new TextDecoder();
  let length = 0;
  let rest = '';
  const body: AsyncIterable<Uint8Array> = response.body;
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('data: {')) continue;
      // oxlint-disable-next-line typescript/no-unsafe-assignment -- the server is this benchmark's own
      const parsed: { choices: { delta: { content?: string } }[] } = JSON.parse(line.slice(6));
      length += parsed.choices[0]?.delta.content?.length ?? 0;
    }
  }
  return length;
}

/** Measures the streams that come from a path of the server. */
async function measure(path: string, name: string): Promise<void> {
  const baseUrl = origin + path;
  const llm = poolAt(baseUrl);
  const sdk = new OpenAI({ apiKey: 'key', baseURL: baseUrl });
  const costs = { ours: [] as number[], theirs: [] as number[], byHand: [] as number[] };
  for (let round = -2; round < ROUNDS; round += 1) {
    const own = await cpuOf(() => ours(llm));
    const [others, hand] = [await cpuOf(() => theirs(sdk)), await cpuOf(() => byHand(baseUrl))];
    if (round < 0) continue;
    costs.ours.push(own);
    costs.theirs.push(others);
    costs.byHand.push(hand);
  }
  const ratio = (others: readonly number[]): number =>
    median(costs.ours.map((own, index) => own / (others[index] ?? 1)));
  report(
    { name, value: ratio(costs.byHand), unit: '× by hand' },
    `${(median(costs.ours) / 1000).toFixed(2)} ms of CPU, ${ratio(costs.theirs).toFixed(2)} × the openai SDK`,
  );
  await llm.close();
}

await measure('/v1', 'a stream of 500 chunks');
await measure('/changing', 'a stream of 500 chunks that differ in more than their text');

const llm = poolAt(`${origin}/v1`);
async function leave(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    let left = (index * 37) % 500;
    for await (const text of llm.stream(MESSAGES)) {
      left -= 1;
      if (left < 0 && text !== '') break;
    }
  }
}
await leave(200);
globalThis.gc?.();
const before = { heap: process.memoryUsage().heapUsed, handles: process.getActiveResourcesInfo().length };
await leave(10_000);
await new Promise((resolve) => setTimeout(resolve, 100));
globalThis.gc?.();
const after = { heap: process.memoryUsage().heapUsed, handles: process.getActiveResourcesInfo().length };
console.log(
  `10,000 streams cancelled: heap ${((after.heap - before.heap) / 1024).toFixed(0)} kB more, handles ${before.handles} before, ${after.handles} after`,
);
await llm.close();
server.kill();
