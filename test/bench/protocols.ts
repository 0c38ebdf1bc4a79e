/**
 * Measures the CPU time of a streamed answer of 500 chunks over `llm.fetch`, as Responses and as Messages against Chat
 * Completions. Nothing goes over a socket. Run `npx tsx test/bench/protocols.ts`.
 */

import { FreeLLM, OpenAICompatible } from '../../src/index.ts';
import { median, report } from './figures.ts';

const ROUNDS = 15;
const STREAMS = 40;

function chunk(delta: object, finish: string | null = null): string {
  const choices = [{ index: 0, delta, finish_reason: finish }];
  const data = { id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices };
  return `data: ${JSON.stringify(data)}\n\n`;
}

const PIECES = Array.from({ length: 100 }, (_piece, at) =>
  Array.from({ length: 5 }, (_chunk, index) => chunk({ content: ` word number ${at * 5 + index}` })).join(''),
);
const BYTES = [...PIECES, `${chunk({}, 'stop')}data: [DONE]\n\n`].map((piece) =>
  new TextEncoder().encode(piece),
);

/** Answers every request with the same stream. */
function fetchAnswer(): Promise<Response> {
  let next = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = BYTES[next];
      next += 1;
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
  });
  return Promise.resolve(new Response(body, { headers: { 'content-type': 'text/event-stream' } }));
}

const provider = new OpenAICompatible('key', {
  name: 'bench',
  baseUrl: 'https://bench.example/v1',
  models: ['m'],
});
const llm = new FreeLLM({ providers: [provider], persist: false, fetch: fetchAnswer });

const asked = 'Explain black holes.';
const messages = [{ role: 'user', content: asked }];
const BODIES = {
  'chat/completions': { model: 'm', messages, stream: true },
  responses: { model: 'm', input: asked, stream: true },
  messages: { model: 'm', messages, max_tokens: 1000, stream: true },
} as const;
type Protocol = keyof typeof BODIES;
const PROTOCOLS: readonly Protocol[] = ['chat/completions', 'responses', 'messages'];

async function streamed(protocol: Protocol): Promise<void> {
  const init = { method: 'POST', body: JSON.stringify(BODIES[protocol]) };
  const response = await llm.fetch(`/v1/${protocol}`, init);
  const text = await response.text();
  if (!text.includes('word number 499')) throw new Error(`${protocol}: ${text.slice(0, 300)}`);
}

async function cpuOf(protocol: Protocol): Promise<number> {
  const before = process.cpuUsage();
  for (let count = 0; count < STREAMS; count += 1) await streamed(protocol);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / STREAMS / 1000;
}

const costs = new Map<Protocol, number[]>(PROTOCOLS.map((protocol) => [protocol, []]));
for (let round = -3; round < ROUNDS; round += 1) {
  for (const protocol of PROTOCOLS) {
    const cost = await cpuOf(protocol);
    if (round >= 0) costs.get(protocol)?.push(cost);
  }
}
const chat = costs.get('chat/completions') ?? [];
for (const [protocol, own] of costs) {
  const ratio = median(own.map((cost, round) => cost / (chat[round] ?? Number.NaN)));
  report(
    { name: `a stream of ${protocol}`, value: ratio, unit: '× that of chat/completions' },
    `${median(own).toFixed(2)} ms of CPU for 500 chunks`,
  );
}
await llm.close();
