/** What Anthropic's SDK has beyond the tables: forced tools, documents, counted tokens, thoughts, a key that is refused. */

import type Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import fc from '../support/fast-check.ts';
import { estimateTokens } from '../../src/wire/request/token-estimate.ts';
import { cautious } from '../../src/core/routing/cost.ts';
import { isJsonObject, type JsonObject } from '../../src/core/json.ts';
import { PNG_URL } from '../support/images.ts';
import { sdkAt } from './anthropic-client.ts';
import { WEATHER } from './client.ts';
import { FACES, SAYINGS, type ServedPool, servedPool } from './served-pool.ts';

const TOOL: Anthropic.Tool = {
  name: WEATHER.name,
  description: WEATHER.description,
  input_schema: { ...WEATHER.schema, required: [...WEATHER.schema.required] },
};

function asking(text: string): Anthropic.MessageCreateParamsNonStreaming {
  return { model: 'auto', max_tokens: 100, messages: [{ role: 'user', content: text }] };
}

/** The tokens that a route counts for a request as its provider got it. */
function countedBy({ heard }: ServedPool): number {
  const { messages, model: _model, ...fields } = heard.at(-1) ?? {};
  const list: readonly JsonObject[] = Array.isArray(messages) ? messages.filter(isJsonObject) : [];
  const sent = list.map((message) => ({ ...message, role: 'user' as const, content: contentOf(message) }));
  return cautious(estimateTokens({ messages: sent, fields }).prompt);
}

function contentOf({ content }: JsonObject): string | undefined {
  return typeof content === 'string' ? content : undefined;
}

describe.each(FACES)("Anthropic's SDK over %s", (face) => {
  it('forces a tool', async () => {
    const { place, heard } = await servedPool(face);
    await sdkAt(place).messages.create({
      ...asking(SAYINGS.weather),
      tools: [TOOL],
      tool_choice: { type: 'tool', name: 'weather', disable_parallel_tool_use: true },
    });
    expect(heard[0]).toMatchObject({
      tool_choice: { type: 'function', function: { name: 'weather' } },
      parallel_tool_calls: false,
    });
  });

  it('accumulates a stream with thoughts, whose signature survives a turn', async () => {
    const { place, heard } = await servedPool(face);
    const sdk = sdkAt(place);
    const stream = sdk.messages.stream(asking(SAYINGS.thinking));
    const thoughts: string[] = [];
    stream.on('thinking', (delta) => thoughts.push(delta));
    const message = await stream.finalMessage();
    expect(message.content.map(({ type }) => type)).toEqual(['thinking', 'text']);
    expect(thoughts.join('')).toBe('Hm, let me see.');
    expect(message.usage.input_tokens).toBeGreaterThan(0);
    await sdk.messages.create({
      ...asking('Hello'),
      messages: [
        { role: 'user', content: SAYINGS.thinking },
        { role: 'assistant', content: message.content },
        { role: 'user', content: 'Hello' },
      ],
    });
    expect(heard.at(-1)?.['messages']).toMatchObject([
      { role: 'user' },
      { role: 'assistant', content: 'Seen.', reasoning_content: 'Hm, let me see.' },
      { role: 'user' },
    ]);
  });

  it('is served although the first key is refused', async () => {
    const { place, world, asked } = await servedPool(face);
    world.custom.script({ kind: 'unauthorized' });
    const { content } = await sdkAt(place).messages.create(asking('Hello'));
    expect(content).toEqual([{ type: 'text', text: 'You said: Hello' }]);
    expect(world.counts.causes).toEqual({ unauthorized: 1 });
    expect(asked()).toBe(1);
  });

  it('counts what the route counts, and at most 15 % more', async () => {
    const pool = await servedPool(face);
    const sdk = sdkAt(pool.place);
    const texts = fc.oneof(fc.string({ maxLength: 200 }), fc.lorem({ maxCount: 200 }));
    const requests = fc.record({
      system: fc.option(texts, { nil: undefined }),
      messages: fc.array(texts, { minLength: 1, maxLength: 5 }),
      tools: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(requests, async ({ system, messages, tools }) => {
        const body = {
          model: 'auto',
          ...(system === undefined ? {} : { system }),
          ...(tools ? { tools: [TOOL] } : {}),
          messages: messages.map((content) => ({ role: 'user' as const, content })),
        };
        const { input_tokens: counted } = await sdk.messages.countTokens(body);
        await sdk.messages.create({ ...body, max_tokens: 10 });
        const byRoute = countedBy(pool);
        expect(counted).toBeGreaterThanOrEqual(byRoute);
        expect(counted).toBeLessThanOrEqual(byRoute * 1.15);
      }),
      { numRuns: 15 },
    );
  });

  it('counts images and tools, and asks no provider', async () => {
    const { place, world } = await servedPool(face);
    const { messages } = sdkAt(place);
    const count = async (body: Partial<Anthropic.MessageCountTokensParams>): Promise<number> => {
      const base = { model: 'auto', messages: [{ role: 'user' as const, content: 'Hi' }] };
      return (await messages.countTokens({ ...base, ...body })).input_tokens;
    };
    const data = PNG_URL.replace(/^data:image\/png;base64,/, '');
    const image: Anthropic.ImageBlockParam = {
      type: 'image',
      source: { type: 'base64', media_type: 'image/png', data },
    };
    const plain = await count({});
    expect(await count({ messages: [{ role: 'user', content: [image] }] })).toBeGreaterThan(plain + 1000);
    expect(await count({ tools: [TOOL] })).toBeGreaterThan(plain + 20);
    expect(await count({ system: 'Be brief and kind.' })).toBeGreaterThan(plain + 4);
    expect(world.counts.total).toBe(0);
  });
});
