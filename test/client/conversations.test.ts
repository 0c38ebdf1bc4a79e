/** One table of conversations, over each provider alone and over all of them under faults, whole and streamed. */

import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type ChatMessage, type ChatResponse, tool } from '../../src/index.ts';
import type { Fault, LikeName, ReplyDetails, ReplyRequest } from '../../src/testing.ts';
import { PNG } from '../support/images.ts';
import {
  MODEL,
  type ProviderSetup,
  simulatedPool,
  type SimulatedPool,
  type SimulatedPoolOptions,
} from '../support/simulated-pool.ts';

const CITIES = ['Paris', 'Rome'];
const QUESTION = 'Is it warmer in Paris or in Rome?';
const TASK = 'Describe a colour.';
const LOOK = 'How many images are there?';

/** The images of a request, as the model gets them. */
function imagesOf(messages: ReplyRequest['messages']): readonly unknown[] {
  const parts = messages.flatMap(({ content }): readonly unknown[] =>
    Array.isArray(content) ? content : [],
  );
  return parts.filter((part) => typeof part === 'object' && part !== null && 'image_url' in part);
}

/** What a model answers, whichever it is. It calls the tool for both cities, and then compares what it got. */
function reply({ messages, lastUserText }: ReplyRequest): string | ReplyDetails {
  if (JSON.stringify(messages).includes(TASK)) return '{"name": "red", "shades": ["crimson", "scarlet"]}';
  if (lastUserText === LOOK) return `There are ${imagesOf(messages).length}.`;
  const asked = messages.findLastIndex(({ role, content }) => role === 'user' && content === lastUserText);
  const results = messages.slice(asked + 1);
  const reports = results.flatMap(({ role, content }) => (role === 'tool' ? [String(content)] : []));
  if (reports.length > 0) return `${lastUserText} ${reports.join(' and ')}`;
  const toolCalls = CITIES.map((city) => ({ name: 'weather', arguments: { city } }));
  return { reasoning: 'I need both.', toolCalls };
}

const weather = tool({
  name: 'weather',
  description: 'The weather of a city.',
  parameters: z.object({ city: z.string(), unit: z.enum(['C', 'F']).optional() }),
  execute: ({ city }) => ({ city, degrees: city.length * 5 }),
});

const PROVIDERS = ['openrouter', 'google', 'nim', 'custom'] as const;
type Name = (typeof PROVIDERS)[number];

/** What the models of each provider insist on. */
const LIKES: Readonly<Record<Name, readonly LikeName[]>> = {
  openrouter: ['unique-tool-ids', 'images-as-data'],
  google: ['thought-signatures', 'plain-schemas', 'images-as-data'],
  nim: ['short-tool-ids', 'one-system-message', 'alternating-roles', 'no-reasoning-fields', 'images-as-data'],
  custom: ['reasoning-content-back', 'lawful-tool-ids', 'plain-schemas'],
};

function setupOf(name: Name, faults: readonly Fault[] = []): ProviderSetup {
  const model = { id: MODEL[name], lacks: [], likes: LIKES[name] };
  return { models: [model], rpm: 1000, rpd: 100_000, limits: { rpm: 1000, rpd: 100_000 }, faults };
}

const FAULTS: readonly Fault[] = [
  { kind: 'reset', share: 0.1 },
  { kind: 'server-error', share: 0.1 },
  { kind: 'cut', share: 0.2 },
  { kind: 'malformed', share: 0.1 },
];

const POOLS: readonly [name: string, options: SimulatedPoolOptions][] = [
  ...PROVIDERS.map((name): [string, SimulatedPoolOptions] => [`${name} alone`, { [name]: setupOf(name) }]),
  [
    'all of them under faults',
    {
      strategy: 'round_robin',
      ...Object.fromEntries(PROVIDERS.map((name) => [name, setupOf(name, FAULTS)])),
    },
  ],
];

async function answerTo(
  { llm, run }: SimulatedPool,
  stream: boolean,
  messages: readonly ChatMessage[],
  options: object,
): Promise<ChatResponse> {
  return run(stream ? llm.stream(messages, options).response() : llm.chat(messages, options));
}

describe.each(POOLS)('over %s', (_name, options) => {
  const pool = (): SimulatedPool => simulatedPool({ ...options, reply, timeoutMs: 600_000, maxAttempts: 30 });

  it.each([false, true])('two tool calls at once, then the answer; streamed: %s', async (stream) => {
    const { llm, run } = pool();
    const result = await run(
      stream
        ? llm.run(QUESTION, { tools: [weather], stream }).result()
        : llm.run(QUESTION, { tools: [weather] }),
    );
    expect(result.text).toBe(`${QUESTION} {"city":"Paris","degrees":25} and {"city":"Rome","degrees":20}`);
    const calls = result.turns[0]?.response.toolCalls ?? [];
    expect(calls.map((call) => [call.function.name, call.arguments])).toEqual(
      CITIES.map((city) => ['weather', { city }]),
    );
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2);
  });

  it.each([false, true])(
    'an image as bytes and one by URL, and more talk about them; streamed: %s',
    async (stream) => {
      const looking = pool();
      const images: ChatMessage[] = [
        {
          role: 'user',
          content: [
            { type: 'text', text: LOOK },
            { type: 'image', image: PNG },
            { type: 'image_url', image_url: { url: 'https://images.example/two.png' } },
          ],
        },
      ];
      const first = await answerTo(looking, stream, images, {});
      expect(first.text).toBe('There are 2.');
      const again: ChatMessage[] = [
        ...images,
        { role: 'assistant', content: first.text },
        { role: 'user', content: LOOK },
      ];
      expect((await answerTo(looking, stream, again, {})).text).toBe('There are 2.');
    },
  );

  it.each([false, true])('a value of a schema; streamed: %s', async (stream) => {
    const { llm, run } = pool();
    const schema = z.object({ name: z.string(), shades: z.array(z.string()).max(5) });
    const { data } = await run(
      stream ? llm.streamObject(TASK, { schema }).result() : llm.object(TASK, { schema }),
    );
    expect(data).toEqual({ name: 'red', shades: ['crimson', 'scarlet'] });
  });
});

describe('a dialogue of which each turn is forced onto another provider', () => {
  const TOOLS = [
    {
      type: 'function',
      function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
    },
  ];
  const orders = [PROVIDERS, PROVIDERS.toReversed(), ['nim', 'google', 'custom', 'openrouter'] as const];

  it.each([
    [false, 0],
    [false, 1],
    [false, 2],
    [true, 0],
    [true, 1],
    [true, 2],
  ])('keeps every call and its results; streamed: %s, order %i', async (stream, order) => {
    const options = Object.fromEntries(PROVIDERS.map((name) => [name, setupOf(name)]));
    const pool = simulatedPool({ ...options, reply, timeoutMs: 600_000 });
    const messages: ChatMessage[] = [{ role: 'system', content: 'Answer briefly.' }];
    for (let turn = 0; turn < 12; turn += 1) {
      const model = MODEL[orders[order]?.[turn % PROVIDERS.length] ?? 'nim'];
      if (turn % 2 === 0) messages.push({ role: 'user', content: `${QUESTION} (${turn})` });
      const response = await answerTo(pool, stream, messages, { model, tools: TOOLS });
      expect(response.model).toBe(model);
      if (turn % 2 === 0) {
        expect(response.toolCalls.map((call) => call.arguments)).toEqual(CITIES.map((city) => ({ city })));
        messages.push({ role: 'assistant', content: response.text, tool_calls: response.toolCalls });
        for (const call of response.toolCalls)
          messages.push({ role: 'tool', tool_call_id: call.id, content: `warm (${turn})` });
      } else {
        expect(response.text).toBe(`${QUESTION} (${turn - 1}) warm (${turn - 1}) and warm (${turn - 1})`);
        messages.push({ role: 'assistant', content: response.text });
      }
    }
    // What a provider gave for itself goes to it, and to the endpoint that nothing is known of.
    for (const { model, body } of pool.transport.sent) {
      if (model !== MODEL.google && model !== MODEL.custom)
        expect(JSON.stringify(body)).not.toContain('thought_signature');
    }
    const refused = pool.transport.sent.length - 12;
    expect(refused).toBeLessThanOrEqual(PROVIDERS.flatMap((name) => LIKES[name]).length);
  });
});
