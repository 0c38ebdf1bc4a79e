import { describe, expect, it, onTestFinished, vi } from 'vitest';
import OpenAI, { type ClientOptions } from '../../src/compat.ts';
import { Completions } from '../../src/compat/chat.ts';
import type { FreeLLMEvent } from '../../src/index.ts';
import { endpoint, temporaryFolder } from '../client/support.ts';
import { errorOf } from '../support/rejection.ts';
import { posted, says, serve } from '../support/server.ts';
import { compatClient, HELLO } from './support.ts';

/** A client whose pool is closed after the test. */
function client(options: ClientOptions): OpenAI {
  const made = new OpenAI(options);
  onTestFinished(() => made.freelm.close());
  return made;
}

async function textOf(openai: OpenAI, body: Partial<typeof HELLO> = {}): Promise<string | null | undefined> {
  const { choices } = await openai.chat.completions.create({ ...HELLO, ...body });
  return choices[0]?.message.content;
}

/** The body that a call sends to the pool. */
async function bodySent(
  body: Partial<OpenAI.ChatCompletionCreateParams> & { stream?: boolean },
  timeouts: { readonly client?: number; readonly request?: number } = {},
): Promise<unknown> {
  const bodies: unknown[] = [];
  const completions = new Completions(
    (_url, { body: text }) => {
      bodies.push(typeof text === 'string' ? JSON.parse(text) : text);
      return Promise.resolve(Response.json({ error: { message: 'seen' } }, { status: 418 }));
    },
    { timeout: timeouts.client },
  );
  const { stream, ...rest } = body;
  await errorOf(completions.create({ ...HELLO, ...rest, stream }, { timeout: timeouts.request }));
  return bodies[0];
}

describe('the pool of a client', () => {
  it('is the given FreeLLM', async () => {
    const { llm, client: over } = await compatClient();
    expect(over.freelm).toBe(llm);
    expect(await textOf(over)).toBe('You said: Hello');
  });

  it('is made from the given options', async () => {
    const server = await serve(says('Hello yourself'));
    const events: FreeLLMEvent[] = [];
    const providers = [endpoint(server)];
    const cacheDir = temporaryFolder();
    const freelm = {
      providers,
      cacheDir,
      model: 'm',
      strategy: 'priority',
      onEvent: (event: FreeLLMEvent) => events.push(event),
    } as const;
    const made = client({ freelm });
    const { choices } = await made.chat.completions.create({ messages: HELLO.messages });
    expect(choices[0]?.message.content).toBe('Hello yourself');
    expect(events.at(-1)).toMatchObject({ type: 'call-end', outcome: 'success' });
    expect(made.freelm.health()).toHaveLength(1);
  });

  it('has the keys of the environment by default', async () => {
    const server = await serve(says('From the environment'));
    vi.stubEnv('NVIDIA_API_KEY', 'nvapi-of-the-environment');
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const requests: string[] = [];
    const made = client({
      apiKey: 'sk-of-openai',
      baseURL: 'https://api.openai.com/v1',
      fetch: (url, init) => {
        requests.push(`${url} ${init.headers['authorization']}`);
        return fetch(server.url, init);
      },
      freelm: { cacheDir: temporaryFolder() },
    });
    expect(await textOf(made, { model: 'z-ai/glm-5.3' })).toBe('From the environment');
    expect(requests).toEqual([
      expect.stringMatching(/^https:\/\/integrate\.api\.nvidia\.com\/.* Bearer nvapi-of-the-environment$/),
    ]);
  });

  it('uses the dispatcher in fetchOptions', async () => {
    const { MockAgent } = await import('undici');
    const agent = new MockAgent();
    agent.disableNetConnect();
    const providers = [endpoint({ url: 'http://127.0.0.1:9' })];
    agent
      .get('http://127.0.0.1:9')
      .intercept({ path: '/v1/chat/completions', method: 'POST' })
      .reply(
        200,
        {
          object: 'chat.completion',
          choices: [
            { index: 0, message: { role: 'assistant', content: 'Dispatched' }, finish_reason: 'stop' },
          ],
        },
        { headers: { 'content-type': 'application/json' } },
      );
    const made = client({ freelm: { providers }, fetchOptions: { dispatcher: agent } });
    expect(await textOf(made)).toBe('Dispatched');
  });

  it('is shared with clients made by withOptions', async () => {
    const { client: over, world } = await compatClient({ client: { timeout: 60_000 } });
    world.custom.script({ kind: 'hang' });
    const hasty = over.withOptions({ timeout: 40, maxRetries: 9 });
    expect(hasty.freelm).toBe(over.freelm);
    expect(hasty.timeout).toBe(40);
    expect(over.withOptions({}).timeout).toBe(60_000);
    const error = await errorOf(hasty.chat.completions.create(HELLO));
    expect(error).toBeInstanceOf(OpenAI.APIConnectionTimeoutError);
    expect(error.message).toContain('timeoutMs = 40 ms');
  });
});

describe('options without effect', () => {
  it('are accepted and never sent', async () => {
    const server = await serve(says('Hello'));
    const options: ClientOptions = {
      apiKey: () => Promise.resolve('sk-of-the-caller'),
      adminAPIKey: 'sk-of-the-admin',
      organization: 'org-1',
      project: 'proj-1',
      webhookSecret: 'whsec',
      baseURL: 'http://127.0.0.1:1/v1',
      maxRetries: 7,
      defaultHeaders: { 'x-mine': 'header-of-mine' },
      defaultQuery: { mine: 'query-of-mine' },
      dangerouslyAllowBrowser: true,
      logLevel: 'debug',
      logger: console,
    };
    const made = client({ ...options, freelm: { providers: [endpoint(server)] } });
    await made.chat.completions.create(HELLO, {
      headers: { 'x-mine': 'header-of-mine' },
      query: { mine: 'query-of-mine' },
      idempotencyKey: 'once',
    });
    const [request] = server.requests;
    expect(JSON.stringify(request)).not.toMatch(/of-the-|org-1|proj-1|whsec|x-mine|header-of|query-of|once/);
    expect(request?.url).toBe('/v1/chat/completions');
  });
});

describe('the body', () => {
  it('goes to the model unchanged, without freelm', async () => {
    const server = await serve(says('Hello'));
    const made = client({ freelm: { providers: [endpoint(server)] } });
    await made.chat.completions.create({
      ...HELLO,
      temperature: 0,
      seed: 7,
      n: null,
      freelm: { wait: true },
    });
    expect(posted(server)).toEqual([
      { model: 'm', messages: HELLO.messages, temperature: 0, seed: 7, stream: false },
    ]);
  });

  const cases = [
    {
      of: 'the timeout of a client',
      timeouts: { client: 5 },
      plain: { timeoutMs: 5 },
      stream: { firstPartTimeoutMs: 5 },
    },
    {
      of: 'the timeout of a request',
      timeouts: { client: 5, request: 6 },
      plain: { timeoutMs: 6 },
      stream: { firstPartTimeoutMs: 6 },
    },
    { of: 'no timeout', timeouts: {}, plain: {}, stream: {} },
  ];
  it.each(cases.map((one) => [one.of, one] as const))(
    'carries %s as an option of freelm',
    async (_of, { timeouts, plain, stream }) => {
      expect(await bodySent({}, timeouts)).toMatchObject({ freelm: plain });
      expect(await bodySent({ stream: true }, timeouts)).toMatchObject({ freelm: stream });
    },
  );

  it('overrides the timeout with its own freelm options', async () => {
    const freelm = { timeoutMs: 7, firstPartTimeoutMs: 8, wait: true };
    expect(await bodySent({ freelm }, { request: 6 })).toMatchObject({ freelm });
    expect(await bodySent({ freelm, stream: true }, { request: 6 })).toMatchObject({ freelm });
  });
});

describe('unsupported names', () => {
  it('throw an error that names the supported ones', async () => {
    const { client: over } = await compatClient();
    const unsupported: readonly (readonly [object, string, RegExp])[] = [
      [over, 'images', /no images\./],
      [over.chat.completions, 'list', /no chat\.completions\.list\./],
      [over.responses, 'parse', /no responses\.parse\./],
    ];
    for (const [owner, name, message] of unsupported) {
      expect(() => void Reflect.get(owner, name)).toThrow(OpenAI.OpenAIError);
      expect(() => void Reflect.get(owner, name)).toThrow(message);
      expect(() => void Reflect.get(owner, name)).toThrow(/It has chat\.completions, responses/);
    }
  });

  it('cover every other resource of the real client', async () => {
    const { client: over } = await compatClient();
    const { default: Real } = await import('openai');
    const real = new Real({ apiKey: 'none' });
    const resources = Object.entries(real).filter(
      ([, value]) => typeof value === 'object' && value !== null && '_client' in value,
    );
    const unhandled = resources.filter(([name]) => !(name in over)).map(([name]) => name);
    expect(unhandled).toEqual([]);
  });

  it('include embeddings, which a pool without an embedding model refuses', async () => {
    const { client: over } = await compatClient();
    const error = await errorOf(over.embeddings.create({ model: 'auto', input: 'Hello' }));
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
    expect(error).toMatchObject({ status: 404, code: 'model_not_found' });
  });
});
