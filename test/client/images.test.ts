import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import * as z from 'zod';
import {
  BadRequestError,
  type ChatMessage,
  FreeLLM,
  type FreeLLMOptions,
  GoogleAIStudio,
  type ImagePart,
  OpenAICompatible,
  tool,
} from '../../src/index.ts';
import { BEGINNINGS, PNG, PNG_URL, recordedImages } from '../support/images.ts';
import { errorOf } from '../support/rejection.ts';
import { bodyOf, completion, json, posted, says, serve, type TestServer } from '../support/server.ts';
import { endpoint, open, temporaryFolder, textLike } from './support.ts';

const URL_OF_IMAGE = 'https://images.example/cat.png?token=secret';
const MODEL = [{ id: 'm', tags: ['chat', 'vision', 'tools'] }];

function ask(image: unknown, detail?: string): ChatMessage {
  const part = { type: 'image', image, ...(detail === undefined ? {} : { detail }) };
  return { role: 'user', content: [{ type: 'text', text: 'What is it?' }, part] };
}

/** A message as OpenAI has it. */
function byUrl(url: string): ChatMessage {
  return { role: 'user', content: [{ type: 'image_url', image_url: { url } }] };
}

const sentBody = z.object({ messages: z.array(z.object({ content: z.unknown() })) });
const sentParts = z.array(z.object({ type: z.string(), image_url: z.optional(z.unknown()) }));

/** The images of each request that arrived. */
function imagesIn(server: TestServer): readonly (readonly unknown[])[] {
  return posted(server).map((body) =>
    sentBody.parse(body).messages.flatMap(({ content }) => {
      const parts = sentParts.safeParse(content);
      return (parts.data ?? []).filter(({ type }) => type === 'image_url').map((part) => part.image_url);
    }),
  );
}

/** A provider that fetches no images, at a server of a test. */
function google({ url }: TestServer, keys = ['key-1']): GoogleAIStudio {
  return new GoogleAIStudio(keys, { baseUrl: `${url}/v1`, models: MODEL, discover: false });
}

/** A pool with a source of images of its own. */
function withSource(options: FreeLLMOptions, images = recordedImages()): FreeLLM {
  const llm = new FreeLLM({ persist: false, ...options }, { images });
  onTestFinished(() => llm.close());
  return llm;
}

function file(name: string, bytes: Uint8Array): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, bytes);
  return path;
}

describe('an image that a program passes', () => {
  const inFile = file.bind(undefined, 'no-extension');
  it.each<[string, () => ImagePart['image'], string]>([
    ['a Uint8Array', () => PNG, PNG_URL],
    ['a view of a larger buffer', () => new Uint8Array([0, ...PNG, 0]).subarray(1, PNG.length + 1), PNG_URL],
    ['a Buffer', () => Buffer.from(PNG), PNG_URL],
    ['an ArrayBuffer', () => new Uint8Array(PNG).buffer, PNG_URL],
    ['a Blob of another type', () => new Blob([new Uint8Array(PNG)], { type: 'text/html' }), PNG_URL],
    ['a path', () => inFile(PNG), PNG_URL],
    ['a file: URL', () => pathToFileURL(inFile(PNG)), PNG_URL],
    ['a file: URL as a text', () => pathToFileURL(inFile(PNG)).href, PNG_URL],
    ['a data: URL', () => PNG_URL, PNG_URL],
    ['a data: URL with a wrong type', () => PNG_URL.replace('image/png', 'image/gif'), PNG_URL],
    ['an https: URL', () => URL_OF_IMAGE, URL_OF_IMAGE],
    ['an https: URL as an object', () => new URL(URL_OF_IMAGE), URL_OF_IMAGE],
  ])('may be %s', async (_, make, url) => {
    const server = await serve(says('A cat.'));
    const llm = open({ providers: [endpoint(server, { models: MODEL })] });
    const { text } = await llm.chat(ask(make(), 'low'));
    expect(text).toBe('A cat.');
    expect(imagesIn(server)).toEqual([[{ url, detail: 'low' }]]);
  });

  it.each(Object.entries(BEGINNINGS))('is sent as %s by its bytes', async (type, bytes) => {
    const server = await serve(says('A cat.'));
    const llm = open({ providers: [endpoint(server, { models: MODEL })] });
    await llm.chat(ask(file('image.png', bytes)));
    const url = `data:${type};base64,${Buffer.from(bytes).toString('base64')}`;
    expect(imagesIn(server)).toEqual([[{ url }]]);
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      'a text that is no image',
      () => new TextEncoder().encode('Hello'),
      /image: is not a PNG, JPEG, GIF or WebP/,
    ],
    [
      'a file that is no image',
      () => file('cat.png', new TextEncoder().encode('<svg/>')),
      /image: is not a PNG/,
    ],
    ['a missing file', () => join(temporaryFolder(), 'cat.png'), /cat\.png cannot be read \(ENOENT\)/],
    ['a folder', () => temporaryFolder(), /is not a regular file/],
    ['a device', () => '/dev/zero', /is not a regular file/],
    ['a path with NUL', () => 'a\0b.png', /cannot be read/],
    [
      'a large file',
      () => file('cat.png', new Uint8Array(10_485_761)),
      /10485761 bytes; the limit is 10485760/,
    ],
    ['many bytes', () => new Uint8Array(10_485_761), /10485761 bytes; the limit is 10485760/],
    ['a large Blob', () => new Blob([new Uint8Array(10_485_761)]), /10485761 bytes; the limit is 10485760/],
    ['a data: URL of no image', () => 'data:image/png;base64,AAAA', /image: is not a PNG/],
    [
      'a data: URL that is not in Base64',
      () => 'data:image/png,abc',
      /image: is not an https:, file: or Base64/,
    ],
    ['a broken URL', () => 'https://', /image: is not an https:/],
    ['an empty text', () => '', /image: must be a Uint8Array/],
    ['a number', () => 7, /image: must be a Uint8Array/],
    ['nothing', () => undefined, /image: must be a Uint8Array/],
  ])('is refused if it is %s, before anything is sent', async (_, make, message) => {
    const server = await serve(says('A cat.'));
    const llm = open({ providers: [endpoint(server, { models: MODEL })] });
    const error = await errorOf(llm.chat([{ role: 'system', content: 'Look.' }, ask(make())]));
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^messages\[1\]\.content\[1\]/);
    expect(server.requests).toEqual([]);
  });

  it('works in streams, objects and runs, whose conversation keeps it', async () => {
    const server = await serve((seen, response) => {
      if (bodyOf(seen)['stream'] !== true) return json(response, completion('{"kind":"cat"}'));
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const choices = [{ index: 0, delta: { content: '{"kind":"cat"}' }, finish_reason: 'stop' }];
      response.end(`data: ${JSON.stringify({ choices })}\n\ndata: [DONE]\n\n`);
    });
    const llm = open({ providers: [endpoint(server, { models: MODEL })] });
    const schema = z.object({ kind: z.string() });
    const path = file('cat', PNG);
    const look = tool({ name: 'look', parameters: z.object({}), execute: () => 'seen' });
    expect((await llm.stream(ask(path)).response()).text).toBe('{"kind":"cat"}');
    expect((await llm.object(ask(path), { schema })).data).toEqual({ kind: 'cat' });
    expect((await llm.streamObject(ask(path), { schema }).result()).data).toEqual({ kind: 'cat' });
    const { messages } = await llm.run(ask(path), { tools: [look] });
    const { messages: streamed } = await llm.run(ask(path), { tools: [look], stream: true }).result();
    expect(imagesIn(server)).toEqual(Array.from({ length: 5 }, () => [{ url: PNG_URL }]));
    expect(streamed).toEqual(messages);
    expect(messages[0]?.content).toContainEqual({ type: 'image_url', image_url: { url: PNG_URL } });
  });

  it('is an error of reading a stream, and no unhandled rejection', async () => {
    const server = await serve(says('A cat.'));
    const llm = open({ providers: [endpoint(server, { models: MODEL })] });
    const stream = llm.stream(ask('/no/such/file'));
    expect((await errorOf(stream.response())).message).toMatch(/ENOENT/);
    // One that is never read opens no file.
    llm.stream(ask('/no/such/file'));
  });
});

describe('an image in a request that llm.fetch receives', () => {
  it.each(['/etc/passwd', 'file:///etc/passwd', PNG_URL, URL_OF_IMAGE, { length: 3 }])(
    'is not read as a program could pass it: %j',
    async (image) => {
      const server = await serve(says('A cat.'));
      const llm = open({ providers: [endpoint(server, { models: MODEL })] });
      const body = JSON.stringify({ model: 'auto', messages: [ask(image)] });
      const response = await llm.fetch('http://x/v1/chat/completions', { method: 'POST', body });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({
        error: {
          message: textLike(/^messages\[0\]\.content\[1\]/),
          param: 'messages[0].content[1]',
        },
      });
      expect(server.requests).toEqual([]);
    },
  );

  it('may be an image_url, of which no file is read', async () => {
    const server = await serve(says('A cat.'));
    const llm = open({ providers: [endpoint(server, { models: MODEL })] });
    for (const url of [PNG_URL, 'file:///etc/passwd']) {
      const body = JSON.stringify({ model: 'auto', messages: [byUrl(url)] });
      await llm.fetch('http://x/v1/chat/completions', { method: 'POST', body });
    }
    expect(imagesIn(server)).toEqual([[{ url: PNG_URL }], [{ url: 'file:///etc/passwd' }]]);
  });
});

describe('an image by URL', () => {
  it('is passed on to a provider that fetches it', async () => {
    const server = await serve(says('A cat.'));
    const images = recordedImages();
    await withSource({ providers: [endpoint(server, { models: MODEL })] }, images).chat(byUrl(URL_OF_IMAGE));
    expect(imagesIn(server)).toEqual([[{ url: URL_OF_IMAGE }]]);
    expect(images.fetched).toEqual([]);
  });

  it('is sent itself to a provider that does not, and read once for all attempts', async () => {
    let asked = 0;
    const server = await serve((_request, response) => {
      asked += 1;
      if (asked < 3) json(response, { error: { message: 'API key not valid. Please pass one.' } }, 401);
      else json(response, completion('A cat.'));
    });
    const images = recordedImages();
    const llm = withSource({ providers: [google(server, ['key-1', 'key-2', 'key-3'])] }, images);
    const part = { type: 'image_url', image_url: { url: URL_OF_IMAGE } };
    const { text, attempts } = await llm.chat({ role: 'user', content: [part, part] });
    expect(text).toBe('A cat.');
    expect(attempts).toHaveLength(3);
    expect(imagesIn(server)).toEqual(Array.from({ length: 3 }, () => [{ url: PNG_URL }, { url: PNG_URL }]));
    expect(images.fetched).toEqual([[URL_OF_IMAGE]]);
  });

  it('is sent itself to a model that refuses URLs, from the next call on at once', async () => {
    const server = await serve((seen, response) => {
      if (seen.body.includes('https://images.example'))
        json(response, { error: { message: 'image_url must be a base64 data URL' } }, 400);
      else json(response, completion('A cat.'));
    });
    const llm = withSource({ providers: [endpoint(server, { models: MODEL })] });
    for (const requests of [2, 3]) {
      expect(await llm.text(byUrl(URL_OF_IMAGE))).toBe('A cat.');
      expect(server.requests).toHaveLength(requests);
    }
  });

  it('that cannot be read leads to a provider that fetches it', async () => {
    const [first, second] = [await serve(says('no')), await serve(says('A cat.'))];
    const providers = [google(first), endpoint(second, { models: MODEL })];
    const images = recordedImages('the image at https://images.example cannot be read: HTTP 403');
    const llm = withSource({ providers, strategy: 'priority' }, images);
    const { text, attempts } = await llm.chat(byUrl(URL_OF_IMAGE));
    expect(text).toBe('A cat.');
    expect(attempts).toHaveLength(1);
    expect(first.requests).toEqual([]);
    expect(images.fetched).toHaveLength(1);
  });

  it('that nothing can read ends the call before anything is sent, and costs no quota', async () => {
    const server = await serve(says('no'));
    const images = recordedImages(
      'the image at https://images.example cannot be read: its server answered with HTTP 404',
    );
    const llm = withSource({ providers: [google(server)] }, images);
    const before = llm.capacity().requestsNow;
    const error = await errorOf(llm.chat(byUrl(URL_OF_IMAGE)));
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error).toMatchObject({ code: 'unsupported', attempts: [] });
    expect(error.message).toMatch(/HTTP 404.*Check the URL, or pass the image itself/s);
    expect(server.requests).toEqual([]);
    expect(llm.capacity().requestsNow).toBe(before);
    // Nothing was learnt from it.
    expect(await llm.text(byUrl(PNG_URL))).toBe('no');
  });

  it('never leads to this machine, as nothing but public addresses is asked', async () => {
    const inside = await serve(says('secret'));
    const server = await serve(says('no'));
    const llm = open({ providers: [google(server)] });
    for (const url of [
      `http://127.0.0.1:${inside.port}/a`,
      `https://127.0.0.1:${inside.port}/a`,
      `https://localhost:${inside.port}/a`,
    ]) {
      const body = JSON.stringify({ model: 'auto', messages: [byUrl(url)] });
      const response = await llm.fetch('http://x/v1/chat/completions', { method: 'POST', body });
      expect(response.status).toBe(400);
      expect(await response.text()).toMatch(/https only|not a public address/);
    }
    expect(inside.connections).toBe(0);
    expect(server.requests).toEqual([]);
  });

  it('that hangs ends with the call when the caller aborts', async () => {
    const server = await serve(says('no'));
    const stop = new AbortController();
    const llm = withSource(
      { providers: [google(server)] },
      {
        ...recordedImages(),
        fetch: (_urls, signal) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason));
            stop.abort(new Error('enough'));
          }),
      },
    );
    expect((await errorOf(llm.chat(byUrl(URL_OF_IMAGE), { signal: stop.signal }))).message).toBe('enough');
    expect(server.requests).toEqual([]);
  });
});

describe('a pool without a model that sees', () => {
  it.each<[string, readonly ({ id: string; tags?: string[] } | string)[], 'error' | 'sent']>([
    [
      'with tags and none of them vision',
      [
        { id: 'a', tags: ['chat'] },
        { id: 'b', tags: ['chat', 'tools'] },
      ],
      'error',
    ],
    [
      'with a model that sees',
      [
        { id: 'a', tags: ['chat'] },
        { id: 'b', tags: ['chat', 'vision'] },
      ],
      'sent',
    ],
    ['with a model of which nothing is known', [{ id: 'a', tags: ['chat'] }, 'b'], 'sent'],
  ])('%s', async (_, models, expected) => {
    const server = await serve(says('A cat.'));
    const llm = open({
      providers: [new OpenAICompatible('key', { name: 'mine', baseUrl: `${server.url}/v1`, models })],
    });
    if (expected === 'sent') {
      await llm.chat(byUrl(PNG_URL));
      expect(posted(server).map(({ model }) => model)).toEqual(['b']);
      return;
    }
    const error = await errorOf(llm.chat(byUrl(PNG_URL)));
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error).toMatchObject({ code: 'unsupported' });
    expect(error.message).toMatch(
      /has images, and no model of this pool for "auto" takes images.*Nothing was sent/,
    );
    expect(server.requests).toEqual([]);
    // Its other calls are served.
    expect(await llm.text('Hello')).toBe('A cat.');
  });

  it('passes over a name of a chain whose models do not see', async () => {
    const server = await serve(says('A cat.'));
    const models = [
      { id: 'a', tags: ['chat', 'large'] },
      { id: 'b', tags: ['chat', 'vision'] },
    ];
    const llm = open({ providers: [endpoint(server, { models })] });
    await llm.chat(byUrl(PNG_URL), { model: ['large', 'auto'] });
    expect(posted(server).map(({ model }) => model)).toEqual(['b']);
  });

  it('is asked for a model that is named, whatever its tags say', async () => {
    const server = await serve(says('A cat.'));
    const llm = open({ providers: [endpoint(server, { models: [{ id: 'a', tags: ['chat'] }] })] });
    expect(await llm.text(byUrl(PNG_URL), { model: 'a' })).toBe('A cat.');
  });
});
