/** POST …/embeddings: what is read of a body, and how vectors are written. */

import * as z from 'zod/mini';
import { describe, expect, it } from 'vitest';
import { EMBEDDED, scripted, type Scripted } from './support.ts';

const base64List = z.object({ data: z.array(z.object({ embedding: z.string() })) });
const BODY = { model: 'acme/vectors', input: ['a', 'b'] };

function embed({ fetch }: Scripted, body: unknown): Promise<Response> {
  return fetch('/v1/embeddings', { method: 'POST', body: JSON.stringify(body) });
}

describe('an answer', () => {
  it('has the vectors in order, the model and the tokens, and says who served it', async () => {
    const response = await embed(scripted(), BODY);
    expect(await response.json()).toEqual({
      object: 'list',
      data: [
        { object: 'embedding', index: 0, embedding: [0.5, -1] },
        { object: 'embedding', index: 1, embedding: [0.25, 2] },
      ],
      model: 'acme/vectors',
      usage: { prompt_tokens: 4, total_tokens: 4 },
    });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'x-request-id': 'embd-1',
      'x-freelm-provider': 'nim, cloudflare',
      'x-freelm-model': 'acme/vectors',
      'x-freelm-attempts': '3',
    });
  });

  it('has them in Base64 on request: 32-bit numbers, little-endian', async () => {
    const response = await embed(scripted(), { ...BODY, encoding_format: 'base64' });
    const { data } = base64List.parse(await response.json());
    const decoded = data.map(({ embedding }) => {
      const bytes = Uint8Array.from(Buffer.from(embedding, 'base64'));
      return [...new Float32Array(bytes.buffer)];
    });
    expect(decoded).toEqual(EMBEDDED.vectors);
  });
});

describe('a body', () => {
  it.each<readonly [string, object, object]>([
    ['a text', { input: 'a' }, { input: 'a' }],
    ['a list of texts', BODY, { input: ['a', 'b'], model: 'acme/vectors' }],
    ['fewer dimensions', { ...BODY, dimensions: 8 }, { dimensions: 8 }],
    ['a query', { ...BODY, input_type: 'search_query' }, { inputType: 'query' }],
    ['a passage', { ...BODY, input_type: 'passage' }, { inputType: 'document' }],
    ['options of the call', { ...BODY, freelm: { wait: true } }, { callOptions: { wait: true } }],
    [
      'nulls, which stand for absent fields',
      { ...BODY, dimensions: null, user: null },
      { dimensions: undefined },
    ],
  ])('may have %s', async (_, body, call) => {
    const over = scripted();
    expect((await embed(over, body)).status).toBe(200);
    expect(over.embeds).toMatchObject([call]);
  });

  it.each<readonly [string, object, string]>([
    ['no input', { model: 'm' }, 'input: must be a text or a list of texts'],
    [
      'a list of tokens',
      { input: [1, 2] },
      'input: must be a text or a list of texts. Lists of tokens are not taken',
    ],
    [
      'lists of tokens',
      { input: [[1, 2]] },
      'input: must be a text or a list of texts. Lists of tokens are not taken',
    ],
    [
      'more texts than OpenAI takes',
      { input: Array.from({ length: 2049 }, () => 'a') },
      'input: must have at most 2048 texts',
    ],
    [
      'another encoding',
      { ...BODY, encoding_format: 'binary' },
      'encoding_format: must be "float" or "base64"',
    ],
    ['no whole number of dimensions', { ...BODY, dimensions: 1.5 }, 'dimensions: must be a whole number'],
    ['an unknown kind of input', { ...BODY, input_type: 'poem' }, 'input_type: must be one of query, '],
    ['a model that is no name', { ...BODY, model: '' }, 'model: must not be empty'],
  ])('is refused with %s, before anything is asked', async (_, body, message) => {
    const over = scripted();
    const response = await embed(over, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { message: expect.stringContaining(message) as unknown },
    });
    expect(over.embeds).toEqual([]);
  });
});

it('the list of models marks what each one does, and no alias stands for an embedding model', async () => {
  const offered = [{ id: 'vectors', kind: 'embedding', provider: 'nim' } as const];
  const { fetch } = scripted({ offered });
  const only = await (await fetch('/v1/models')).json();
  expect(only).toMatchObject({ data: [{ id: 'vectors', kind: 'embedding' }] });
  const both = await (
    await scripted({ offered: [{ id: 'm', provider: 'nim' }, ...offered] }).fetch('/v1/models')
  ).json();
  expect(both).toMatchObject({
    data: [
      { id: 'auto', kind: 'chat' },
      { id: 'chat' },
      { id: 'm', kind: 'chat' },
      { id: 'vectors', kind: 'embedding' },
    ],
  });
});
