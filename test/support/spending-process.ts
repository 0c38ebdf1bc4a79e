/**
 * A process that makes calls on one key over a shared Redis, for tests with several of them. It prints how many calls were
 * served, and how long they took. Arguments: Redis port, prefix, calls, calls at once, limit of a day.
 */

import { Redis } from 'ioredis';
import { FreeLLM, OpenAICompatible } from '../../src/index.ts';
import { redisStore } from '../../src/redis.ts';

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
const warnings: string[] = [];
const llm = new FreeLLM({
  providers: [provider],
  store: redisStore(redis, { prefix }),
  fetch: () => Promise.resolve(new Response(answer, { headers })),
  onEvent: (event) => {
    if (event.type === 'warning') warnings.push(event.message);
  },
});

setInterval(() => console.error(process.pid, served, left, process.cpuUsage().user / 1e6), 5000).unref();
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
process.stdout.write(`${JSON.stringify({ served, tookMs, p50, p99, warnings })}\n`);
await llm.close();
redis.disconnect();
process.exit();
