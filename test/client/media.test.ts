/** Audio, files and videos go to models that take them. If no model of the pool does, nothing is sent. */

import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { BadRequestError, type ChatMessage, type ModelSpec } from '../../src/index.ts';
import { errorOf } from '../support/rejection.ts';
import { bodyOf, completion, json, posted, says, serve } from '../support/server.ts';
import { endpoint, open } from './support.ts';

const PDF = 'data:application/pdf;base64,JVBERi0xLjQ=';

/** By the tag: a part that needs it, and what the error calls it. */
const MEDIA: readonly (readonly [tag: string, part: ChatPart, shown: string])[] = [
  ['audio', { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } }, 'audio'],
  ['audio', { type: 'audio_url', audio_url: { url: 'data:audio/wav;base64,UklGRg==' } }, 'audio'],
  ['file', { type: 'file', file: { filename: 'a.pdf', file_data: PDF } }, 'files'],
  ['video', { type: 'video_url', video_url: { url: 'https://videos.example/a.mp4' } }, 'videos'],
];

type ChatPart = { readonly type: string } & JsonObject;

function asks(part: ChatPart): ChatMessage {
  return { role: 'user', content: [{ type: 'text', text: 'What is it?' }, part] };
}

function modelsWith(tag: string): readonly ModelSpec[] {
  return [
    { id: 'plain', tags: ['chat', 'tools', 'vision', 'reasoning'] },
    { id: 'able', tags: ['chat', tag] },
  ];
}

describe.each(MEDIA)('a request that needs %s: %j', (tag, part, shown) => {
  it('goes to a model that takes it, although others come first', async () => {
    const server = await serve(says('Seen.'));
    const llm = open({ providers: [endpoint(server, { models: modelsWith(tag) })] });
    expect(await llm.text([asks(part)])).toBe('Seen.');
    expect(posted(server)).toMatchObject([{ model: 'able', messages: [asks(part)] }]);
  });

  it('is refused before anything is sent if no model takes it', async () => {
    const server = await serve(says('Seen.'));
    const llm = open({ providers: [endpoint(server, { models: modelsWith('large') })] });
    const error = await errorOf(llm.chat([asks(part)]));
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error).toMatchObject({ code: 'unsupported' });
    expect(error.message).toContain(`has ${shown}, and no model of this pool for "auto" takes ${shown}`);
    expect(error.message).toContain(`none has the tag "${tag}". Nothing was sent.`);
    expect(server.requests).toEqual([]);
  });

  it('goes to a model of which nothing is known, and no more once that has refused it', async () => {
    const server = await serve((request, response) =>
      bodyOf(request)['model'] === 'blind'
        ? json(response, { error: { message: `Unsupported content part type: ${part.type}` } }, 400)
        : json(response, completion('Seen.')),
    );
    const llm = open({ providers: [endpoint(server, { models: ['blind', 'other'] })] });
    for (const _ of [1, 2]) expect(await llm.text([asks(part)])).toBe('Seen.');
    expect(posted(server).map(({ model }) => model)).toEqual(['blind', 'other', 'other']);
  });
});

/** By protocol: a request with a document or with audio, and what the provider gets of it. */
const REQUESTS: readonly (readonly [path: string, tag: string, body: JsonObject, sent: ChatPart])[] = [
  [
    '/v1/chat/completions',
    'video',
    {
      messages: [
        { role: 'user', content: [{ type: 'video_url', video_url: { url: 'https://v.example/a' } }] },
      ],
    },
    { type: 'video_url', video_url: { url: 'https://v.example/a' } },
  ],
  [
    '/v1/responses',
    'file',
    { input: [{ role: 'user', content: [{ type: 'input_file', filename: 'a.pdf', file_data: PDF }] }] },
    { type: 'file', file: { filename: 'a.pdf', file_data: PDF } },
  ],
  [
    '/v1/responses',
    'audio',
    {
      input: [
        { role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'AA==', format: 'mp3' } }] },
      ],
    },
    { type: 'input_audio', input_audio: { data: 'AA==', format: 'mp3' } },
  ],
  [
    '/v1/messages',
    'file',
    {
      max_tokens: 100,
      messages: [
        {
          role: 'user',
          content: [
            {
              type: 'document',
              title: 'a.pdf',
              source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0xLjQ=' },
            },
          ],
        },
      ],
    },
    { type: 'file', file: { filename: 'a.pdf', file_data: PDF } },
  ],
];

describe.each(REQUESTS)('%s with %s', (path, tag, body, sent) => {
  it('goes to a model that takes it', async () => {
    const server = await serve(says('Seen.'));
    const llm = open({ providers: [endpoint(server, { models: modelsWith(tag) })] });
    const response = await llm.fetch(path, {
      method: 'POST',
      body: JSON.stringify({ model: 'auto', ...body }),
    });
    expect(response.status).toBe(200);
    expect(posted(server)).toMatchObject([{ model: 'able', messages: [{ content: [sent] }] }]);
  });

  it.each([false, true])('is refused in its own words if no model takes it; streamed: %s', async (stream) => {
    const server = await serve(says('Seen.'));
    const llm = open({ providers: [endpoint(server, { models: modelsWith('large') })] });
    const text = JSON.stringify({ model: 'auto', stream, ...body });
    const response = await llm.fetch(path, { method: 'POST', body: text });
    expect(response.status).toBe(400);
    expect(await response.text()).toMatch(
      /"type":"invalid_request_error".*none has the tag|none has the tag.*"type":"invalid_request_error"/,
    );
    expect(server.requests).toEqual([]);
  });
});
