import { describe, expect, it } from 'vitest';
import { type ChatOptions, ConfigError, type FreeLLM, NIM, OpenRouter } from '../../src/index.ts';
import { errorOf } from '../support/rejection.ts';
import { bodyOf, completion, json, posted, says, serve, type TestServer } from '../support/server.ts';
import { type AnyOptions, endpoint, open, providersOf, world } from './support.ts';

const KEY = 'sk-or-v1-0123456789abcdef9f2c';

function openrouter({ url }: TestServer, options: AnyOptions = {}): FreeLLM {
  return open({ providers: [new OpenRouter(KEY, { ...options, baseUrl: url })] });
}

/** The models that a server was asked for, in order. */
function asked(server: TestServer): readonly unknown[] {
  return posted(server).map(({ model }) => model);
}

describe('a model that costs money', () => {
  it.each(['openai/gpt-oss-20b', 'anthropic/claude-sonnet-5', ['openai/gpt-oss-20b']])(
    'is refused on OpenRouter before anything is sent: %j',
    async (model) => {
      const server = await serve(says('at a price'));
      const error = await errorOf(openrouter(server).text('Hello', { model }));
      expect(error).toBeInstanceOf(ConfigError);
      expect(error.message).toMatch(
        /^Model ".*" is not one of the free models of OpenRouter, and would cost money\./,
      );
      expect(error.message).toContain('freeOnly: false');
      expect(server.connections).toBe(0);
    },
  );

  it('is passed over in a chain, with one warning', async () => {
    const server = await serve(says('for free'));
    const warnings: string[] = [];
    const llm = openrouter(server, { discover: false });
    llm.subscribe((event) => {
      if (event.type === 'warning') warnings.push(event.message);
    });
    const model = ['openai/gpt-oss-20b', 'z-ai/glm-5.2:free'];
    expect(await llm.text('Hello', { model })).toBe('for free');
    expect(await llm.text('Hello', { model })).toBe('for free');
    expect(asked(server)).toEqual(['z-ai/glm-5.2:free', 'z-ai/glm-5.2:free']);
    expect(warnings.filter((message) => message.includes('would cost money'))).toHaveLength(1);
  });

  it('is one of the names that the error lists if no name of a chain is left', async () => {
    const server = await serve(says('at a price'));
    const llm = openrouter(server, { discover: false });
    const error = await errorOf(llm.text('Hello', { model: ['openai/gpt-oss-20b', 'nowhere'] }));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(/No model of the chain can be used:\n.*gpt-oss-20b[^\n]*\n.*nowhere/);
    expect(server.connections).toBe(0);
  });

  it('is used with freeOnly: false', async () => {
    const server = await serve(says('at a price'));
    const llm = openrouter(server, { freeOnly: false, discover: false });
    expect(await llm.text('Hello', { model: 'openai/gpt-oss-20b' })).toBe('at a price');
    expect(asked(server)).toEqual(['openai/gpt-oss-20b']);
  });

  it('is allowed if another provider has it for free', async () => {
    const server = await serve(says('for nothing'));
    const [first, second] = [await serve(says('at a price')), server];
    const llm = open({
      providers: [
        new OpenRouter(KEY, { baseUrl: first.url, discover: false }),
        new NIM(KEY, { baseUrl: second.url }),
      ],
    });
    expect(await llm.text('Hello', { model: 'openai/gpt-oss-20b' })).toBe('for nothing');
    expect(first.connections).toBe(0);
  });

  it.each(['auto', 'chat', 'chat:large', 'chat:fast', 'chat:small', 'tools', 'vision', 'reasoning'])(
    'is never what %s stands for',
    async (model) => {
      const simulated = await world({ google: { keys: [] }, nim: { keys: [] } });
      const { keys, baseUrl } = simulated.openrouter;
      const llm = open({ providers: [new OpenRouter([...keys], { baseUrl })] });
      await llm.refreshModels();
      const ids = llm.explain({ model }).map((row) => row.model);
      expect(ids.length).toBeGreaterThan(0);
      expect(ids.filter((id) => !/:free$|^openrouter\/free$/.test(id))).toEqual([]);
    },
  );
});

describe('a list of models', () => {
  it('is a fallback chain: each is tried before the next', async () => {
    const server = await serve((request, response) => {
      if (bodyOf(request)['model'] === 'c') json(response, completion('from c'));
      else json(response, { error: { message: 'overloaded' } }, 503);
    });
    const llm = open({ providers: [endpoint(server, { models: ['x', 'c', 'b', 'a'] })] });
    const response = await llm.chat('Hello', { model: ['a', 'b', 'c', 'x'] });
    expect(response.model).toBe('c');
    expect(asked(server)).toEqual(['a', 'b', 'c']);
  });

  it('may mix ids and aliases, and be the default of the pool', async () => {
    const server = await serve(says('fine'));
    const models = [
      { id: 'big', tags: ['chat', 'large'] },
      { id: 'quick', tags: ['chat', 'fast'] },
    ];
    const llm = open({ providers: [endpoint(server, { models })], model: ['chat:fast', 'big'] });
    expect(llm.explain().map(({ model }) => model)).toEqual(['quick', 'big']);
    expect((await llm.chat('Hello')).model).toBe('quick');
    expect((await llm.chat('Hello', { model: 'large' })).model).toBe('big');
    expect((await llm.chat('Hello', { model: undefined })).model).toBe('quick');
  });
});

describe('a model that no provider lists', () => {
  it.each([
    [
      'nonsense',
      /No provider of this pool \(OpenRouter\) has a model "nonsense"\. Use a virtual model \(auto, /,
    ],
    ['chat:nonsense', /has a model "chat:nonsense"/],
    ['gemini-3.8-flash', /has a model "gemini-3\.8-flash"/],
  ])('%s is a ConfigError that says what there is', async (model, message) => {
    const server = await serve((_request, response) => json(response, { data: [] }));
    const error = await errorOf(openrouter(server).text('Hello', { model }));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(message);
    expect(asked(server)).toEqual([]);
  });

  it("may be requested by its exact id if the id has the provider's form", async () => {
    const server = await serve(says('a secret model'));
    const llm = openrouter(server, { discover: false });
    expect(await llm.text('Hello', { model: 'somebody/unlisted:free' })).toBe('a secret model');
    expect(asked(server)).toEqual(['somebody/unlisted:free']);
  });
});

/** The models of a call in the order in which it would try them. */
function order(options: AnyOptions, call: Pick<ChatOptions, 'model'> = {}): readonly string[] {
  const llm = open({ providers: [new NIM(KEY, options)], strategy: 'priority' });
  return llm.explain(call).map(({ model }) => model);
}

describe('options of a provider', () => {
  it('models: only these, in this order', () => {
    expect(order({ models: ['b', { id: 'a' }, { id: 'c', priority: -1 }] })).toEqual(['c', 'b', 'a']);
    const tagged = [
      { id: 'a', tags: ['chat', 'fast'] },
      { id: 'b', tags: ['chat'] },
    ];
    expect(order({ models: tagged }, { model: 'fast' })).toEqual(['a']);
  });

  it('models without tags are chat models of the size that their name suggests', () => {
    expect(order({ models: ['x-405b', 'x-8b'] }, { model: 'large' })).toEqual(['x-405b']);
    expect(order({ models: ['x-405b', 'x-8b'] }, { model: 'auto' })).toEqual(['x-405b', 'x-8b']);
  });

  it('prefer: these before the others', () => {
    const [first, second] = order({});
    expect(order({ prefer: ['z-ai/glm-5.3', 'unknown/model'] })[0]).toBe('z-ai/glm-5.3');
    expect(order({ prefer: [second ?? '', first ?? ''] }).slice(0, 2)).toEqual([second, first]);
  });

  it('priority: the lower number first', async () => {
    const [one, two] = [await serve(says('one')), await serve(says('two'))];
    const providers = [
      endpoint(one, { name: 'one', priority: 2 }),
      endpoint(two, { name: 'two', priority: 1 }),
    ];
    expect(await open({ providers, strategy: 'priority' }).text('Hello')).toBe('two');
  });

  it('rpm and rpd: no more requests than that are sent', async () => {
    const server = await serve(says('fine'));
    const llm = open({ providers: [endpoint(server, { rpm: 5, rpd: 2 })] });
    expect(llm.capacity()).toMatchObject({ requestsNow: 2, requestsToday: 2 });
    await llm.text('Hello');
    await llm.text('Hello');
    await expect(llm.text('Hello')).rejects.toMatchObject({ code: 'no_providers_available' });
    expect(server.requests).toHaveLength(2);
    expect(llm.health()).toMatchObject([{ rpm: 5, rpmUsed: 2, rpd: 2, rpdUsed: 2, ready: false }]);
  });

  it('headers: sent with every request, discovery included', async () => {
    const server = await serve((request, response) =>
      json(response, request.method === 'GET' ? { data: [{ id: 'a/b:free' }] } : completion('fine')),
    );
    const llm = openrouter(server, { headers: { 'X-Title': 'mine', 'User-Agent': 'my-app/1' } });
    await llm.text('Hello');
    expect(
      server.requests
        .map(({ url, headers }) => [url, headers['x-title'], headers['user-agent']].join(' '))
        .toSorted(),
    ).toEqual(['/chat/completions mine my-app/1', '/key mine my-app/1', '/models mine my-app/1']);
  });

  it('discoverFreeOnly: false keeps the whole list', async () => {
    const simulated = await world();
    const [limited, whole] = await Promise.all(
      [true, false].map(async (discoverFreeOnly) => {
        const [provider] = providersOf(simulated, { discoverFreeOnly });
        return (await open({ providers: [provider] }).refreshModels()).map(({ id }) => id);
      }),
    );
    expect(limited).not.toContain('openai/gpt-oss-20b');
    expect(whole).toContain('openai/gpt-oss-20b');
  });

  it('discover: false sends no discovery request', async () => {
    const server = await serve(says('fine'));
    const llm = openrouter(server, { discover: false });
    await llm.text('Hello');
    await llm.refreshModels();
    expect(server.requests.map(({ method }) => method)).toEqual(['POST']);
  });
});
