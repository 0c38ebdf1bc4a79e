import { ChunkReader } from '../../../src/wire/response/chat-chunk.ts';
import type { StreamEnd } from '../../../src/wire/response/stream-end.ts';
import type { StreamPart } from '../../../src/wire/response/stream-part.ts';

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The text of a stream. An event that is no text is sent as its JSON. */
export function streamOf(events: readonly unknown[], lineEnd = '\n'): string {
  return events
    .map((event) => (typeof event === 'string' ? event : `data: ${JSON.stringify(event)}`))
    .map((lines) => `${lines.replaceAll('\n', lineEnd)}${lineEnd}${lineEnd}`)
    .join('');
}

const openrouter = (delta: object, finish: string | null = null): object => ({
  id: 'gen-1',
  object: 'chat.completion.chunk',
  model: 'some/model:free',
  provider: 'Somebody',
  choices: [{ index: 0, delta: { role: 'assistant', content: '', ...delta }, finish_reason: finish }],
});

const google = (delta: object, completionTokens: number, finish?: string): object => ({
  choices: [{ delta, index: 0, ...(finish === undefined ? {} : { finish_reason: finish }) }],
  model: 'gemini-some-flash',
  object: 'chat.completion.chunk',
  usage: { prompt_tokens: 7, completion_tokens: completionTokens, total_tokens: 30 },
});

const nim = (delta: object, finish: string | null = null): object => ({
  id: 'chat-1',
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta, finish_reason: finish }],
});

const signed = { google: { thought_signature: 'c2lnbmVk+/==' } };

/** Recorded streams: their events and the expected parts. */
export const SAMPLES: Readonly<
  Record<string, { readonly events: readonly unknown[]; readonly parts: readonly StreamPart[] }>
> = {
  'OpenRouter, with comments, and the finish reason sent twice': {
    events: [
      ': OPENROUTER PROCESSING',
      ': OPENROUTER PROCESSING',
      openrouter({
        reasoning: 'Ein Gruß…',
        reasoning_details: [{ type: 'reasoning.text', text: 'Ein Gruß…' }],
      }),
      openrouter({ content: 'Grüße 👋🏽, ' }),
      ': OPENROUTER PROCESSING',
      openrouter({ content: '世界！\n' }),
      openrouter({}, 'stop'),
      ': OPENROUTER PROCESSING',
      {
        ...openrouter({}, 'stop'),
        usage: { prompt_tokens: 4, completion_tokens: 9, total_tokens: 13, cost: 0 },
      },
      'data: [DONE]',
    ],
    parts: [
      { type: 'reasoning', text: 'Ein Gruß…' },
      { type: 'extra', fields: { reasoning_details: [{ type: 'reasoning.text', text: 'Ein Gruß…' }] } },
      { type: 'text', text: 'Grüße 👋🏽, ' },
      { type: 'text', text: '世界！\n' },
      { type: 'usage', usage: { promptTokens: 4, completionTokens: 9, totalTokens: 13, cost: 0 } },
      { type: 'finish', reason: 'stop' },
    ],
  },
  "Google's calls, without an index, and a sum of usage in every chunk": {
    events: [
      google({ role: 'assistant', content: '調べます 🔎' }, 3),
      google(
        {
          role: 'assistant',
          tool_calls: [
            {
              extra_content: signed,
              function: { arguments: '{"city":"東京"}', name: 'weather' },
              id: 'call_297140',
              type: 'function',
            },
          ],
        },
        8,
      ),
      google(
        {
          tool_calls: [
            { function: { arguments: '{"city":"Zürich"}', name: 'weather' }, id: '', type: 'function' },
          ],
        },
        12,
      ),
      google({ role: 'assistant' }, 12, 'stop'),
      'data: [DONE]',
    ],
    parts: [
      { type: 'text', text: '調べます 🔎' },
      {
        type: 'tool-call',
        index: 0,
        id: 'call_297140',
        name: 'weather',
        argumentsDelta: '{"city":"東京"}',
        extra: { extra_content: signed },
      },
      { type: 'tool-call', index: 1, id: 'call_1', name: 'weather', argumentsDelta: '{"city":"Zürich"}' },
      { type: 'usage', usage: { promptTokens: 7, completionTokens: 12, totalTokens: 30 } },
      { type: 'finish', reason: 'tool_calls' },
    ],
  },
  'NIM, with a last chunk that holds nothing but usage': {
    events: [
      nim({ role: 'assistant', content: null }),
      nim({ reasoning_content: '考え' }),
      nim({ reasoning_content: '中', content: 'A — “' }),
      nim({ content: '😀😀' }),
      nim({ content: '”' }, 'length'),
      { ...nim({}), choices: [], usage: { prompt_tokens: 2, completion_tokens: 6, total_tokens: 8 } },
      'data: [DONE]',
    ],
    parts: [
      { type: 'reasoning', text: '考え' },
      { type: 'reasoning', text: '中' },
      { type: 'text', text: 'A — “' },
      { type: 'text', text: '😀😀' },
      { type: 'text', text: '”' },
      { type: 'usage', usage: { promptTokens: 2, completionTokens: 6, totalTokens: 8 } },
      { type: 'finish', reason: 'length' },
    ],
  },
  'odd chunks, and [DONE] without a finish reason': {
    events: [
      'data: null',
      nim({ role: 'assistant', content: null }),
      { choices: [null] },
      'data: ping',
      `data: ${JSON.stringify(nim({ content: 'Ça' }))}\ndata: ${JSON.stringify(nim({ content: ' va 🙂' }))}`,
      nim({ tool_calls: [null, { index: '0', id: 'a', type: 'function', function: { name: 'get_' } }] }),
      nim({ tool_calls: [{ index: 0, function: { name: 'weather' } }] }),
      nim({ tool_calls: [{ index: 4, id: 'a', function: { arguments: '{"city":' } }] }),
      nim({ tool_calls: [{ index: 5, function: { arguments: '"Zürich"}' } }] }),
      nim({ tool_calls: [{ id: 'a', function: { name: 'get_weather', arguments: { city: 'Zürich' } } }] }),
      { choices: [], usage: { prompt_tokens: '2', completion_tokens: '6', total_tokens: '8' } },
      'data: [DONE]',
    ],
    parts: [
      { type: 'text', text: 'Ça' },
      { type: 'text', text: ' va 🙂' },
      { type: 'tool-call', index: 0, id: 'a', name: 'get_weather', argumentsDelta: '{"city":' },
      { type: 'tool-call', index: 0, id: 'a', name: 'get_weather', argumentsDelta: '"Zürich"}' },
      { type: 'usage', usage: { promptTokens: 2, completionTokens: 6, totalTokens: 8 } },
      { type: 'finish', reason: 'tool_calls' },
    ],
  },
  'an error in the middle': {
    events: [
      nim({ role: 'assistant', content: 'Ⅰ. ' }),
      'event: error\ndata: {"error":{"message":"Überlastet",\ndata: "code":503}}',
      'data: [DONE]',
    ],
    parts: [{ type: 'text', text: 'Ⅰ. ' }],
  },
};

/** Reads a body in the given chunks. */
export function readChunks(chunks: Iterable<Uint8Array>): { parts: readonly StreamPart[]; end: StreamEnd } {
  const reader = new ChunkReader();
  const parts: StreamPart[] = [];
  for (const chunk of chunks) parts.push(...reader.read(chunk));
  const end = reader.end();
  parts.push(...end.parts);
  return { parts, end: { ...end, parts: [] } };
}
