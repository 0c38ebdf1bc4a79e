import { describe, expect, it } from 'vitest';
import {
  type CheckKeysOptions,
  ConfigError,
  FreeLLM,
  GoogleAIStudio,
  type HttpRequest,
  type HttpResponse,
  type KeyCheck,
  NIM,
  Ollama,
  OpenAICompatible,
  OpenRouter,
  type Provider,
  type Transport,
} from '../../src/index.ts';
import { VirtualClock } from '../../src/testing.ts';
import { memoryCache } from '../support/memory-cache.ts';
import { partly, textLike } from './support.ts';

/** An answer with a status and a body, a network error, or none at all. */
type Answer = { readonly status?: number; readonly body?: unknown } | Error | 'hangs';

async function* bytes(body: unknown): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body));
}

/** Answers every request as scripted and records it. */
class Answering implements Transport {
  readonly asked: HttpRequest[] = [];
  readonly #answer: (request: HttpRequest) => Answer;

  constructor(answer: (request: HttpRequest) => Answer) {
    this.#answer = answer;
  }

  send(request: HttpRequest, stop: Parameters<Transport['send']>[1]): Promise<HttpResponse> {
    this.asked.push(request);
    const answer = this.#answer(request);
    if (answer instanceof Error) return Promise.reject(answer);
    if (answer === 'hangs') {
      return new Promise((_resolve, reject) => {
        stop.addEventListener('abort', () => reject(stop.reason));
      });
    }
    const { status = 200, body = {} } = answer;
    return Promise.resolve({ status, headers: {}, body: bytes(body) });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

interface Checked {
  readonly checks: readonly KeyCheck[];
  readonly asked: readonly HttpRequest[];
  readonly llm: FreeLLM;
}

async function checking(
  provider: Provider,
  answer: (request: HttpRequest) => Answer,
  options?: CheckKeysOptions,
): Promise<Checked> {
  const transport = new Answering(answer);
  const clock = new VirtualClock(Date.UTC(2026, 10, 22, 12));
  const llm = new FreeLLM({ providers: [provider] }, { transport, clock, cache: memoryCache(), env: {} });
  const checks = await clock.run(llm.checkKeys(options));
  return { checks, asked: transport.asked, llm };
}

/** The check of a single key. */
async function checkOf(
  provider: Provider,
  answer: Answer,
  options?: CheckKeysOptions,
): Promise<KeyCheck | undefined> {
  const { checks } = await checking(provider, () => answer, options);
  return checks[0];
}

const KEY = `sk-or-v1-${'a'.repeat(60)}9f2c`;
const openrouter = (): Provider => new OpenRouter(KEY);
const google = (): Provider => new GoogleAIStudio(`AIza${'b'.repeat(35)}`);
const nim = (): Provider => new NIM(`nvapi-${'c'.repeat(60)}`);
const mine = (): Provider =>
  new OpenAICompatible('d'.repeat(30), { name: 'mine', baseUrl: 'http://127.0.0.1:1/v1', models: ['m'] });

const COMPLETION = { choices: [{ message: { role: 'assistant', content: 'Hi' }, finish_reason: 'length' }] };
const EMPTY = { choices: [{ message: { role: 'assistant', content: '' }, finish_reason: 'length' }] };
const MODELS = { object: 'list', data: [{ id: 'm' }] };
const CREDIT = { data: { free_model_daily_requests: { used: 12, limit: 1000, remaining: 988 } } };
const refusal = (message: string): object => ({ error: { message, code: 'x' } });
const PAGE = '<html><head><title>Sign in</title></head><body>Welcome to the airport</body></html>';

describe('the request', () => {
  it.each([
    { what: "OpenRouter: the account's status", make: openrouter, path: '/api/v1/key', method: 'GET' },
    { what: 'Google: the list of models', make: google, path: '/v1beta/openai/models', method: 'GET' },
    {
      what: 'NIM: a chat, because its list is public',
      make: nim,
      path: '/v1/chat/completions',
      method: 'POST',
    },
    { what: 'a custom endpoint: its list', make: mine, path: '/v1/models', method: 'GET' },
  ])('$what', async ({ make, path, method }) => {
    const { asked } = await checking(make(), () => ({ body: MODELS }));
    expect(asked.map(({ url }) => new URL(url).pathname)).toEqual([path]);
    expect(asked[0]?.method).toBe(method);
    expect(asked[0]?.headers['authorization']).toMatch(/^Bearer \S+$/);
  });

  it('for a chat asks the model with the largest daily limit for one token', async () => {
    const { asked } = await checking(google(), () => ({ body: MODELS }), { chat: true });
    const body: unknown = JSON.parse(asked[1]?.body ?? '');
    expect(body).toMatchObject({ max_tokens: 1, model: 'gemma-4-31b-it' });
  });

  it('carries no key if none is needed', async () => {
    const { checks, asked } = await checking(new Ollama(), () => ({ body: { models: [] } }));
    expect(asked[0]?.headers['authorization']).toBeUndefined();
    expect(checks).toEqual([partly({ provider: 'ollama', key: '(no key)', works: true })]);
  });
});

/** The account's status does not show a missing balance, but a chat does. */
function withoutCredit({ method }: HttpRequest): Answer {
  if (method === 'GET') return { body: CREDIT };
  return { status: 402, body: refusal('Insufficient credits') };
}

describe('the verdict', () => {
  it.each<{ what: string; make: () => Provider; answer: Answer; works: boolean | undefined; kind?: string }>([
    { what: 'a list', make: google, answer: { body: MODELS }, works: true },
    { what: 'an empty list', make: mine, answer: { body: [] }, works: true },
    { what: 'an answer', make: nim, answer: { body: COMPLETION }, works: true },
    { what: 'an answer that is empty after one token', make: nim, answer: { body: EMPTY }, works: true },
    {
      what: 'an unknown key',
      make: openrouter,
      answer: { status: 401, body: refusal('User not found.') },
      works: false,
      kind: 'unauthorized',
    },
    {
      what: 'a key that NIM reports as forbidden',
      make: nim,
      answer: { status: 403, body: { status: 403, title: 'Forbidden', detail: 'Authorization failed' } },
      works: false,
      kind: 'unauthorized',
    },
    {
      what: 'a 401 with an unknown message',
      make: mine,
      answer: { status: 401, body: refusal('No.') },
      works: false,
      kind: 'forbidden',
    },
    {
      what: 'no credit',
      make: nim,
      answer: { status: 402, body: refusal('Payment required') },
      works: false,
      kind: 'out_of_credits',
    },
    {
      what: 'a spent minute quota',
      make: nim,
      answer: { status: 429, body: { status: 429, title: 'Too Many Requests' } },
      works: true,
      kind: 'rate_limited',
    },
    {
      what: 'a model that is gone',
      make: nim,
      answer: { status: 410, body: refusal('Gone') },
      works: true,
      kind: 'model_gone',
    },
    {
      what: 'a request that the model refuses',
      make: nim,
      answer: { status: 400, body: refusal('Bad') },
      works: undefined,
      kind: 'rejected',
    },
    {
      what: 'an unknown path',
      make: mine,
      answer: { status: 404, body: refusal('Not found') },
      works: undefined,
      kind: 'forbidden',
    },
    {
      what: 'an outage',
      make: google,
      answer: { status: 503, body: 'busy' },
      works: undefined,
      kind: 'model_busy',
    },
    {
      what: 'a page with status 200',
      make: google,
      answer: { body: PAGE },
      works: undefined,
      kind: 'server_error',
    },
    {
      what: 'a page in place of a chat',
      make: nim,
      answer: { body: PAGE },
      works: undefined,
      kind: 'server_error',
    },
    {
      what: 'an error with status 200',
      make: google,
      answer: { body: refusal('Internal') },
      works: undefined,
      kind: 'server_error',
    },
    {
      what: 'a page of the edge network',
      make: google,
      answer: { status: 403, body: PAGE },
      works: undefined,
      kind: 'forbidden',
    },
    {
      what: 'a redirect',
      make: google,
      answer: { status: 302, body: '' },
      works: undefined,
      kind: 'forbidden',
    },
    {
      what: 'a refused connection',
      make: google,
      answer: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
      works: undefined,
      kind: 'network',
    },
    { what: 'no answer', make: google, answer: 'hangs', works: undefined, kind: 'timeout' },
  ])('$what: works $works', async ({ make, answer, works, kind }) => {
    const check = await checkOf(make(), answer);
    expect(check).toMatchObject({ kind });
    expect(check?.works).toBe(works);
    if (works !== true) expect(check?.advice).toMatch(/\.$/);
  });

  it('without an answer comes after timeoutMs, by default ten seconds', async () => {
    expect(await checkOf(google(), 'hangs')).toMatchObject({ latencyMs: 10_000, status: undefined });
    expect(await checkOf(google(), 'hangs', { timeoutMs: 700 })).toMatchObject({ latencyMs: 700 });
  });

  it('is open for a public list', async () => {
    const { spec } = new OpenRouter(KEY);
    const { check: _check, account: _account, ...rest } = spec;
    class Public extends OpenRouter {
      static override readonly spec = rest;
    }
    expect(await checkOf(new Public(KEY), { body: MODELS })).toMatchObject({
      works: undefined,
      request: 'models',
    });
  });

  it('with chat: true shows an account without credit', async () => {
    const { checks } = await checking(new OpenRouter(KEY), withoutCredit, { chat: true });
    expect(checks).toEqual([partly({ works: false, kind: 'out_of_credits', request: 'chat' })]);
  });

  it('with chat: true sends no chat for a refused key', async () => {
    const { asked } = await checking(
      openrouter(),
      () => ({ status: 401, body: refusal('User not found.') }),
      {
        chat: true,
      },
    );
    expect(asked).toHaveLength(1);
  });
});

describe('tier and quotas', () => {
  it("are the documented ones, replaced by the provider's report", async () => {
    expect(await checkOf(openrouter(), { body: CREDIT })).toMatchObject({
      works: true,
      tier: 'free',
      reportedTier: 'credit',
      advice: textLike('FREELM_OPENROUTER_TIER=credit'),
      quotas: [
        { unit: 'requests', window: 'minute', limit: 20, perModel: false, reported: false },
        { unit: 'requests', window: 'day', limit: 1000, remaining: 988, reported: true },
      ],
    });
  });

  it('span the models with limits of their own', async () => {
    const check = await checkOf(google(), { body: MODELS });
    expect(check?.quotas).toEqual([
      partly({ window: 'minute', limit: 5, highest: 30, perModel: true }),
      partly({ window: 'day', limit: 20, highest: 14_400, perModel: true }),
      partly({ unit: 'tokens', window: 'minute', limit: 16_000, highest: 250_000, perModel: true }),
    ]);
  });
});

describe('checkKeys', () => {
  it('returns a row for every key, in order', async () => {
    const keys = Array.from(
      { length: 9 },
      (_, index) => `${index}${'e'.repeat(40)}${index}${index}${index}${index}`,
    );
    const provider = new OpenAICompatible(keys, {
      name: 'mine',
      baseUrl: 'http://127.0.0.1:1/v1',
      models: ['m'],
    });
    const dead = `Bearer ${keys[4]}`;
    const { checks } = await checking(provider, ({ headers }) =>
      headers['authorization'] === dead
        ? { status: 401, body: { error: { message: 'No', code: 'invalid_api_key' } } }
        : { body: MODELS },
    );
    expect(checks.map(({ key }) => key.at(-1))).toEqual('012345678'.split(''));
    expect(checks.map(({ works }) => works)).toEqual([true, true, true, true, false, true, true, true, true]);
  });

  it('shows no key, even if the provider repeats it', async () => {
    const check = await checkOf(openrouter(), { status: 401, body: refusal(`No such key: ${KEY}`) });
    expect(check?.message).toContain('sk-or-…9f2c');
    expect(JSON.stringify(check)).not.toContain(KEY);
  });

  it('changes no record', async () => {
    const { llm } = await checking(openrouter(), () => ({ status: 401, body: refusal('User not found.') }));
    expect(llm.health()).toEqual([partly({ ready: true, disabled: false, lastError: undefined })]);
  });

  it('rejects with the reason of its signal', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const answer = (): Answer => {
      queueMicrotask(() => controller.abort(reason));
      return 'hangs';
    };
    await expect(checking(openrouter(), answer, { signal: controller.signal })).rejects.toBe(reason);
    await expect(checking(openrouter(), answer, { signal: controller.signal })).rejects.toBe(reason);
  });

  it.each([{ timeoutMs: 0 }, { timeoutMs: Number.NaN }, { chat: 'yes' }, { unknown: 1 }])(
    'rejects options such as %j',
    async (options) => {
      // @ts-expect-error -- possible in plain JavaScript
      await expect(checking(openrouter(), () => ({}), options)).rejects.toBeInstanceOf(ConfigError);
    },
  );

  it('rejects once the pool is closed', async () => {
    const { llm } = await checking(openrouter(), () => ({ body: CREDIT }));
    await llm.close();
    await expect(llm.checkKeys()).rejects.toMatchObject({ code: 'closed' });
  });
});
