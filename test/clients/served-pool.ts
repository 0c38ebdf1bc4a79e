/** Two providers, a pool over them, and the pool's two faces for clients of OpenAI's protocol. */

import { onTestFinished } from 'vitest';
import { systemClock } from '../../src/adapters/system.ts';
import { startGateway } from '../../src/gateway/index.ts';
import { type Clock, type Fetch, FreeLLM, OpenAICompatible } from '../../src/index.ts';
import type { JsonObject, ReplyDetails, ReplyFunction, ReplyRequest, World } from '../../src/testing.ts';
import { temporaryFolder, world } from '../client/support.ts';

/** Where a client finds the pool. */
export interface Place {
  readonly fetch: Fetch;
  readonly baseUrl: string;
}

/** In this process by `llm.fetch`, or over HTTP by `freelm serve`. */
export const FACES = ['llm.fetch', 'the gateway'] as const;
export type Face = (typeof FACES)[number];

export interface ServedPool {
  readonly world: World;
  readonly llm: FreeLLM;
  readonly place: Place;
  /** Requests that the client has sent. */
  readonly asked: () => number;
  /** Bodies that models have answered. */
  readonly heard: readonly JsonObject[];
}

/** What the models know. */
export const SAYINGS = {
  weather: 'How is the weather?',
  json: 'Answer in JSON.',
  thinking: 'Think first.',
  long: 'Tell me a story.',
} as const;

/** Easily cut in the wrong place, or taken for something else. */
export const STRANGE = 'Ω🧑‍🚀 ﷽ 한국어 "\\u00e9" e\u0301 data: [DONE] </s> \u2028 end';

function replyTo({ lastUserText, messages }: ReplyRequest): string | ReplyDetails {
  const reports = messages.flatMap(({ role, content }) => (role === 'tool' ? [String(content)] : []));
  switch (lastUserText) {
    case SAYINGS.weather:
      if (reports.length > 0) return `It is ${reports.join(' and ')}.`;
      return {
        text: 'Let me look.',
        toolCalls: ['Oslo', 'Rome'].map((city, index) => ({
          id: `call_${index}`,
          name: 'weather',
          arguments: { city },
        })),
      };
    case SAYINGS.json:
      return '{"answer":"forty-two"}';
    case SAYINGS.thinking:
      return { reasoning: 'Hm, let me see.', text: 'Seen.' };
    case SAYINGS.long:
      return 'once upon a time '.repeat(2000);
    default:
      return `You said: ${lastUserText}`;
  }
}

/** Noon, whatever the time is: far from the moment at which a day's quota comes back. */
function noonClock(): Clock {
  const ahead = Date.UTC(2026, 9, 10, 12) - Date.now();
  return { ...systemClock, now: () => Date.now() + ahead };
}

/** Requests a day at each provider. */
export interface ServedPoolOptions {
  readonly rpd?: number | undefined;
}

function poolOver({ custom, nim }: World, { rpd }: ServedPoolOptions): FreeLLM {
  const tags = ['chat', 'tools', 'reasoning'];
  const common = { rpd, discover: false };
  const first = { name: 'first', baseUrl: custom.baseUrl, models: [{ id: 'custom-large', tags }] };
  const second = { name: 'second', baseUrl: nim.baseUrl, models: [{ id: 'z-ai/glm-5.3', tags }] };
  const providers = [
    new OpenAICompatible([...custom.keys], { ...common, ...first }),
    new OpenAICompatible([...nim.keys], { ...common, ...second }),
  ];
  const options = { providers, strategy: 'priority', cacheDir: temporaryFolder(), persist: false } as const;
  const llm = new FreeLLM(options, { clock: noonClock() });
  onTestFinished(() => llm.close());
  return llm;
}

export async function placeOf(face: Face, llm: FreeLLM): Promise<Place> {
  if (face === 'llm.fetch') return { fetch: llm.fetch, baseUrl: 'http://freelm.invalid/v1' };
  // A client may hold a connection open that it has not used yet: nobody waits for that.
  const gateway = await startGateway(llm, { port: 0, graceMs: 0 });
  onTestFinished(() => gateway.close());
  return { fetch, baseUrl: `${gateway.url}/v1` };
}

/** A custom endpoint and NIM, with one key and one model each, and what they were sent. */
export async function worldOfTwo(
  reply: ReplyFunction,
): Promise<{ readonly simulated: World; readonly heard: JsonObject[] }> {
  const heard: JsonObject[] = [];
  const simulated = await world({
    openrouter: { keys: [] },
    google: { keys: [] },
    custom: { keys: 1, models: [{ id: 'custom-large', lacks: [] }] },
    nim: { keys: 1, models: [{ id: 'z-ai/glm-5.3', lacks: [] }] },
    reply: (request) => {
      heard.push(request.body);
      return reply(request);
    },
  });
  return { simulated, heard };
}

export async function servedPool(face: Face, options: ServedPoolOptions = {}): Promise<ServedPool> {
  const { simulated, heard } = await worldOfTwo(replyTo);
  const llm = poolOver(simulated, options);
  const place = await placeOf(face, llm);
  let asked = 0;
  const counted: Fetch = (input, init) => {
    asked += 1;
    return place.fetch(input, init);
  };
  return { world: simulated, llm, place: { ...place, fetch: counted }, asked: () => asked, heard };
}
