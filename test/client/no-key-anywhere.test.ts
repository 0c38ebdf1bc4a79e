import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  FreeLLMError,
  type FreeLLMOptions,
  GoogleAIStudio,
  NIM,
  OpenRouter,
  type Provider,
} from '../../src/index.ts';
import { errorOf } from '../support/rejection.ts';
import { type Handler, json, type Seen, serve } from '../support/server.ts';
import { CANARIES, filesOf, leaksIn, printed } from './canaries.ts';
import { endpoint, open, recorder, temporaryFolder } from './support.ts';

type Canary = keyof typeof CANARIES;
const NAMES: readonly Canary[] = ['openrouter', 'google', 'nim', 'patterns', 'short', 'without letters'];
const PROMPT = 'the-prompt-is-nobody-elses-business';

/** A provider whose key is a canary, and that looks for its models at `url` with that key. */
function providerWith(name: Canary, url: string): Provider {
  const key = CANARIES[name];
  const options = { baseUrl: url, discover: true, discoverFreeOnly: false, cacheTtlMs: 0 };
  if (name === 'openrouter') return new OpenRouter(key, options);
  if (name === 'google') return new GoogleAIStudio(key, options);
  if (name === 'nim') return new NIM(key, options);
  return endpoint({ url }, { keys: [key], baseUrl: url, models: undefined });
}

/** The key as the server was sent it; with the list, which some ask for without one, the canary itself. */
function keyOf({ headers }: Seen, canary: string): string {
  return headers.authorization?.replace('Bearer ', '') ?? canary;
}

/** What is done with a chat request; `key` is what was sent. */
type Answer = (key: string, ...handler: Parameters<Handler>) => void;

const says =
  (status: number, message: (key: string) => unknown): Answer =>
  (key, _request, response) => {
    json(response, { error: { message: message(key), code: 'x', metadata: { raw: `raw ${key}` } } }, status);
  };
const sends =
  (status: number, body: (key: string) => string, type = 'application/json'): Answer =>
  (key, _request, response) => {
    response.writeHead(status, { 'content-type': type, 'www-authenticate': `Bearer ${key}`, 'x-key': key });
    response.end(body(key));
  };

const ANSWERS: Record<string, Answer> = {
  'a 401 that repeats it': says(401, (key) => `Incorrect API key provided: ${key}.`),
  'a 401 of text': sends(401, (key) => `Bearer ${key} is unknown`, 'text/plain'),
  'a 400 that repeats all headers': (_key, request, response) =>
    json(response, { error: { message: JSON.stringify(request.headers), details: [request.headers] } }, 400),
  'a 402': says(402, (key) => `No credits for ${key}`),
  'a 403 page': sends(403, (key) => `<html><title>${key}</title><h1>${key}</h1></html>`, 'text/html'),
  'a 404': says(404, (key) => `No model for ${key}`),
  'a 429': says(429, (key) => `Rate limit exceeded for key ${key}, limit: 5`),
  'a 500 in a list': says(500, (key) => [{ msg: key, loc: [key] }]),
  'a 503 with escapes in its JSON': sends(503, (key) => {
    const escaped = Array.from(
      key,
      (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
    );
    return `{"error":{"message":"busy: ${escaped.join('')}"}}`;
  }),
  'a redirect': (key, _request, response) =>
    void response
      .writeHead(307, { location: `https://elsewhere.test/?key=${encodeURIComponent(key)}` })
      .end(key),
  'a 200 with an error': sends(200, (key) => JSON.stringify({ error: { message: `bad ${key}`, code: 500 } })),
  'a 200 that is cut': sends(200, (key) => `{"choices":[{"message":{"content":"${key}`),
  'a 200 page': sends(200, (key) => `<!doctype html><title>Hello ${key}</title>`),
  'a 200 without choices': sends(200, (key) => JSON.stringify({ detail: key })),
  'a 200 stopped by a filter': sends(200, (key) =>
    JSON.stringify({ choices: [{ finish_reason: `content_filter: ${key}`, message: { content: key } }] }),
  ),
  'a reset': (_key, _request, response) => void response.socket?.resetAndDestroy(),
  'a broken body': (key, _request, response) => {
    response.writeHead(200, { 'content-length': 1000 });
    response.write(key, () => response.destroy());
  },
  'a header that is none': (key, _request, response) =>
    void response.socket?.end(`HTTP/1.1 200 OK\r\nbad header ${key}\r\n\r\n`),
  silence: () => undefined,
};
// A long message is shortened: the cut must not go through the key before it is recognised.
for (let before = 240; before <= 300; before += 12)
  ANSWERS[`a 500 whose message is cut near ${before}`] = says(
    500,
    (key) => `${'x '.repeat(before / 2)}${key} and more`,
  );

/** Lists of models that give the key away. */
const LISTS: Readonly<Record<string, Answer>> = {
  'a list with it in ids and names': sends(200, (key) =>
    JSON.stringify({
      data: [
        { id: `a/${key}:free` },
        { id: `models/gemini-${key}-flash` },
        { id: 'gemini-3.8-flash', name: key },
      ],
    }),
  ),
  'a list that is refused with it': says(401, (key) => `Who is ${key}?`),
  'a list that is none': sends(200, (key) => `not JSON: ${key}`),
  'a broken list': (_key, _request, response) => void response.destroy(),
};

const good = sends(200, () =>
  JSON.stringify({ data: [{ id: 'a/b:free' }, { id: 'models/gemini-3.8-flash' }] }),
);
const no = says(500, () => 'no');

async function consumed(stream: AsyncIterable<string>): Promise<string> {
  let whole = '';
  for await (const text of stream) whole += text;
  return whole;
}

/** Calls a pool with everything against it, and collects all that could be printed of it. */
async function traces(
  name: Canary,
  answers: { readonly chat: Answer; readonly list: Answer },
  options: Partial<FreeLLMOptions>,
): Promise<readonly string[]> {
  const server = await serve((request, response) => {
    const answer = request.method === 'POST' ? answers.chat : answers.list;
    answer(keyOf(request, CANARIES[name]), request, response);
  });
  const cacheDir = temporaryFolder();
  const { events, onEvent } = recorder();
  const provider = providerWith(name, server.url);
  const llm = open({ providers: [provider], cacheDir, onEvent, ...options });
  await llm.refreshModels();
  const models = llm.models();
  const model = models[0]?.id ?? 'auto';
  const errors = [
    await errorOf(llm.chat(PROMPT, { timeoutMs: 150, maxAttempts: 3 })),
    await errorOf(llm.text([{ role: 'user', content: PROMPT }], { model, timeoutMs: 150 })),
  ];
  errors.push(await errorOf(consumed(llm.stream(PROMPT, { timeoutMs: 150, firstPartTimeoutMs: 80 }))));
  for (const error of errors) expect(FreeLLMError.is(error)).toBe(true);
  await setImmediate();
  const explained = models.length === 0 ? [] : llm.explain();
  const shown = [...errors, events, llm.health(), llm.capacity(), explained, models, llm, provider];
  return [...shown.map(printed), filesOf(cacheDir)];
}

type Fetch = NonNullable<FreeLLMOptions['fetch']>;

const throwsAll: Fetch = (url, init) => {
  const told = { request: { url, ...init }, config: init, code: 'E_CUSTOM' };
  const cause = Object.assign(new Error(`cause: ${JSON.stringify(init.headers)}`), told);
  throw Object.assign(new Error(`failed: ${JSON.stringify(init.headers)}`, { cause }), told);
};

const throwsText: Fetch = (url, init) => {
  if (init.method === 'GET') return fetch(url, init);
  // oxlint-disable-next-line prefer-promise-reject-errors, typescript/prefer-promise-reject-errors -- what is tested
  return Promise.reject(`Bearer ${init.headers['authorization']}`);
};

const said: string[] = [];

/** What is to be seen of any canary, or of the prompt, after some trouble. */
async function search(
  answers: { readonly chat: Answer; readonly list: Answer },
  options: Partial<FreeLLMOptions> = {},
): Promise<readonly string[]> {
  const each = await Promise.all(NAMES.map((name) => traces(name, answers, options)));
  const texts = [...each.flat(), ...said];
  return [...texts.flatMap(leaksIn), ...texts.filter((text) => text.includes(PROMPT))];
}

describe('no key, no part of a key and no prompt appears anywhere', () => {
  beforeEach(() => {
    said.length = 0;
    const listen = (...words: unknown[]): boolean => {
      said.push(words.map((word) => (typeof word === 'string' ? word : printed(word))).join(' '));
      return true;
    };
    for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const)
      vi.spyOn(console, method).mockImplementation(listen);
    vi.spyOn(process.stdout, 'write').mockImplementation(listen);
    vi.spyOn(process.stderr, 'write').mockImplementation(listen);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each(Object.entries(ANSWERS))('after %s', async (_what, chat) => {
    expect(await search({ chat, list: good })).toEqual([]);
  });

  it.each(Object.entries(LISTS))('after %s', async (_what, list) => {
    expect(await search({ chat: no, list })).toEqual([]);
  });

  it('after a fetch threw everything that it was given', async () => {
    expect(await search({ chat: no, list: no }, { fetch: throwsAll })).toEqual([]);
  });

  it('after a fetch threw a value that is no error', async () => {
    expect(await search({ chat: no, list: good }, { fetch: throwsText })).toEqual([]);
  });
});

it('the search finds a key that is there', () => {
  for (const name of NAMES) {
    const key = CANARIES[name];
    for (const text of [key, `Bearer ${key}`, JSON.stringify({ key }), key.slice(0, 12), key.slice(-12)])
      expect(leaksIn(text)).not.toEqual([]);
    expect(
      leaksIn(printed(new Error('outer', { cause: Object.assign(new Error('inner'), { key }) }))),
    ).not.toEqual([]);
  }
  expect(leaksIn('sk-or-…d0e9 AIzaSy…es99 nothing else')).toEqual([]);
});
