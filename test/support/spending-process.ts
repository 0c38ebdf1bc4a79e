/**
 * A process that makes calls on one key over a shared Redis, for tests with several of them. It prints how many calls were
 * served, how long they took, and how many requests it reserved in advance. Arguments: Redis port, prefix, calls, calls at
 * once, limit of a day.
 */

import { Redis } from 'ioredis';
import { FreeLLM, OpenAICompatible, type StateStore } from '../../src/index.ts';
import { redisStore } from '../../src/redis.ts';
import { SpareCounter } from './open-store.ts';

const [port = '', prefix = '', calls = '', atOnce = '', limit = ''] = process.argv.slice(2);

const redis = new Redis(Number(port), '127.0.0.1');
const answer = JSON.stringify({
  choices: [{ index: 0, message: { role: 'assistant', content: 'Yes.' }, finish_reason: 'stop' }],
});
const headers = { 'content-type': 'application/json' };
const provider = new OpenAICompatible('the-key', {
  name: 'mine',
  baseUrl: 'http://127.0.0.1:9/v1',
  models: [{ id: 'm', tags: ['chat'] }],
  rpd: Number(limit),
});
const shared = redisStore(redis, { prefix });
const spares = new SpareCounter();
const store: StateStore = {
  pollMs: shared.pollMs,
  read: async (ids) => {
    const records = await shared.read(ids);
    spares.noteRead(ids, records);
    return records;
  },
  swap: async (id, version, next) => {
    const done = await shared.swap(id, version, next);
    if (done) spares.noteSwap(id, version, next);
    return done;
  },
};
const warnings: string[] = [];
const llm = new FreeLLM({
  providers: [provider],
  store,
  fetch: () => Promise.resolve(new Response(answer, { headers })),
  onEvent: (event) => {
    if (event.type === 'warning') warnings.push(event.message);
  },
});

const latencies: number[] = [];
let served = 0;
let left = Number(calls);
async function spend(): Promise<void> {
  while (left > 0) {
    left -= 1;
    const startedAt = performance.now();
    try {
      await llm.text('Hello');
      served += 1;
    } catch {
      // The limit is reached.
    }
    latencies.push(performance.now() - startedAt);
  }
}

await redis.ping();
// All processes begin together.
process.stdout.write('ready\n');
await new Promise((resolve) => void process.stdin.once('data', resolve));
const startedAt = performance.now();
await Promise.all(Array.from({ length: Number(atOnce) }, spend));
latencies.sort((a, b) => a - b);
const tookMs = performance.now() - startedAt;
const [p50 = 0, p99 = 0] = [0.5, 0.99].map((share) => latencies[Math.floor(share * latencies.length)]);
process.stdout.write(`${JSON.stringify({ served, tookMs, p50, p99, spares: spares.count, warnings })}\n`);
await llm.close();
redis.disconnect();
process.exit();
