import type { Agent, fetch as undiciFetch, ProxyAgent } from 'undici';
import { describe, expectTypeOf, it } from 'vitest';
import {
  type AttemptReport,
  type CallLimits,
  type ChatInput,
  type ChatMessage,
  type ChatOptions,
  type ChatResponse,
  type ChatStream,
  type Environment,
  type FromEnvOptions,
  FreeLLM,
  type FreeLLMOptions,
  GoogleAIStudio,
  type KeyedOptions,
  type KeyInput,
  type KeylessOptions,
  type KeysInput,
  type ModelFields,
  type ModelSpec,
  NIM,
  OpenAICompatible,
  type OpenAICompatibleOptions,
  OpenRouter,
  OVHcloud,
  type Provider,
  type ProviderOptions,
  type ProviderScore,
  type StateStore,
  type Strategy,
  type StrategyName,
  type StreamOptions,
  type StreamPart,
  type TokenUsage,
  type AnsweredCall,
  type ToolCall,
} from '../src/index.ts';

/** Every optional field of `Options`, given as `undefined`. */
type Undefined<Options> = {
  readonly [Name in keyof Options as undefined extends Options[Name] ? Name : never]: undefined;
};

declare const llm: FreeLLM;

describe('making a pool', () => {
  it('takes a list of providers and every option of the documentation', () => {
    expectTypeOf(FreeLLM).constructorParameters.toExtend<
      [FreeLLMOptions | (() => FreeLLMOptions), unknown?]
    >();
    expectTypeOf<FreeLLMOptions['providers']>().toEqualTypeOf<readonly Provider[]>();
    const options: FreeLLMOptions = {
      providers: [
        new OpenRouter('sk-or-', { tier: 'credit' }),
        new GoogleAIStudio(['AIza', 'AIzb'], { tier: 'tier1' }),
        new NIM({ key: 'nvapi-', account: 'mine', tier: 'free' }, { tier: 'free' }),
        new OpenAICompatible('key', {
          name: 'mine',
          baseUrl: 'http://127.0.0.1:8080/v1',
          models: [{ id: 'm', tags: ['chat'] }, 'n'],
        }),
      ],
      strategy: 'quota_aware',
      model: ['chat:fast', 'chat'],
      timeoutMs: 60_000,
      attemptTimeoutMs: 30_000,
      firstPartTimeoutMs: 20_000,
      idleTimeoutMs: 20_000,
      maxAttempts: 12,
      wait: true,
      maxWaitMs: 20_000,
      persist: false,
      cacheDir: '/tmp',
      onEvent: () => undefined,
    };
    expectTypeOf(new FreeLLM(options)).toEqualTypeOf<FreeLLM>();
  });

  it('takes undefined for whatever is optional', () => {
    expectTypeOf<Undefined<FreeLLMOptions> & Pick<FreeLLMOptions, 'providers'>>().toExtend<FreeLLMOptions>();
    expectTypeOf<keyof Undefined<FreeLLMOptions>>().toEqualTypeOf<
      Exclude<keyof FreeLLMOptions, 'providers'>
    >();
    expectTypeOf<Undefined<CallLimits>>().toExtend<CallLimits>();
    expectTypeOf<Undefined<ProviderOptions>>().toExtend<ProviderOptions>();
    expectTypeOf<keyof Undefined<ProviderOptions>>().toEqualTypeOf<keyof ProviderOptions>();
    expectTypeOf<Undefined<KeyedOptions<'free'>>>().toExtend<KeyedOptions<'free'>>();
    expectTypeOf<Undefined<KeylessOptions>>().toExtend<KeylessOptions>();
    expectTypeOf<keyof Undefined<OpenAICompatibleOptions>>().toEqualTypeOf<
      Exclude<keyof OpenAICompatibleOptions, 'name' | 'baseUrl'>
    >();
    expectTypeOf<keyof Undefined<ChatOptions>>().toEqualTypeOf<keyof ChatOptions>();
    expectTypeOf<Undefined<ChatOptions>>().toExtend<ChatOptions>();
    expectTypeOf<keyof Undefined<ModelSpec>>().toEqualTypeOf<Exclude<keyof ModelSpec, 'id'>>();
    expectTypeOf<keyof Undefined<KeyInput>>().toEqualTypeOf<'account' | 'tier'>();
  });

  it('needs providers, and knows its options', () => {
    expectTypeOf<{ strategy: 'priority' }>().not.toExtend<FreeLLMOptions>();
    // @ts-expect-error -- no options
    void new FreeLLM();
    // @ts-expect-error -- no providers
    void new FreeLLM({ strategy: 'priority' });
    // @ts-expect-error -- a key is no provider
    void new FreeLLM({ providers: ['sk-or-'] });
    // @ts-expect-error -- misspelt
    void new FreeLLM({ providers: [], timeoutMS: 5 });
    // @ts-expect-error -- no such strategy
    void new FreeLLM({ providers: [], strategy: 'fastest' });
    // @ts-expect-error -- a time is a number
    void new FreeLLM({ providers: [], timeoutMs: '20s' });
    // @ts-expect-error -- half a store
    void new FreeLLM({ providers: [], store: { read: () => [] } });
    // @ts-expect-error -- no dispatcher
    void new FreeLLM({ providers: [], dispatcher: 'http://proxy' });
  });

  it('from the environment takes all but the providers', () => {
    expectTypeOf<(typeof FreeLLM)['fromEnv']>().parameter(0).toEqualTypeOf<FromEnvOptions | undefined>();
    expectTypeOf<FromEnvOptions>().toExtend<Omit<FreeLLMOptions, 'providers'>>();
    expectTypeOf<(typeof FreeLLM)['fromEnv']>().parameter(1).toEqualTypeOf<Environment | undefined>();
    expectTypeOf<(typeof FreeLLM)['fromEnv']>().returns.toEqualTypeOf<FreeLLM>();
    expectTypeOf<NodeJS.ProcessEnv>().toExtend<Environment>();
    // @ts-expect-error -- the providers come from the environment
    FreeLLM.fromEnv({ providers: [] });
  });

  it('takes the transports of others', () => {
    expectTypeOf<typeof fetch>().toExtend<NonNullable<FreeLLMOptions['fetch']>>();
    expectTypeOf<typeof undiciFetch>().toExtend<NonNullable<FreeLLMOptions['fetch']>>();
    expectTypeOf<Agent>().toExtend<NonNullable<FreeLLMOptions['dispatcher']>>();
    expectTypeOf<ProxyAgent>().toExtend<NonNullable<FreeLLMOptions['dispatcher']>>();
  });

  it('takes a store that answers at once or later', () => {
    const now = { read: () => [{ version: 0, value: undefined }], swap: () => true } satisfies StateStore;
    const later = { read: async () => [], swap: async () => false } satisfies StateStore;
    expectTypeOf(now).toExtend<NonNullable<FreeLLMOptions['store']>>();
    expectTypeOf(later).toExtend<NonNullable<FreeLLMOptions['store']>>();
  });
});

describe('a strategy', () => {
  it('is a name or a function over how the providers stand', () => {
    expectTypeOf<StrategyName>().toEqualTypeOf<'priority' | 'round_robin' | 'quota_aware' | 'latency'>();
    expectTypeOf<NonNullable<FreeLLMOptions['strategy']>>().toEqualTypeOf<StrategyName | Strategy>();
    const byName = ((standings) =>
      standings.toSorted((a, b) => a.name.localeCompare(b.name))) satisfies Strategy;
    expectTypeOf(byName).toExtend<Strategy>();
    expectTypeOf<Strategy>().parameters.toEqualTypeOf<[standings: readonly ProviderScore[], turn: number]>();
    // @ts-expect-error -- names are not standings
    void new FreeLLM({ providers: [], strategy: () => ['openrouter'] });
  });
});

describe('a provider', () => {
  it('takes a key, several, or keys with their accounts', () => {
    expectTypeOf<KeysInput>().toEqualTypeOf<string | KeyInput | readonly (string | KeyInput)[]>();
    expectTypeOf<['a', { key: 'b'; account: undefined }]>().toExtend<KeysInput>();
    expectTypeOf<OpenRouter | GoogleAIStudio | NIM | OpenAICompatible>().toExtend<Provider>();
    // @ts-expect-error -- no key
    void new OpenRouter();
    // @ts-expect-error -- a key has no such field
    void new OpenRouter({ key: 'a', acount: 'mine' });
  });

  it('knows its own tiers', () => {
    expectTypeOf(OpenRouter).constructorParameters.toEqualTypeOf<
      [keys: KeysInput, options?: KeyedOptions<'free' | 'credit'> | undefined]
    >();
    // @ts-expect-error -- OpenRouter's are free and credit
    void new OpenRouter('a', { tier: 'tier1' });
    // @ts-expect-error -- Google's are free and tier1
    void new GoogleAIStudio('a', { tier: 'credit' });
    // @ts-expect-error -- NIM's is free
    void new NIM('a', { tier: 'tier1' });
  });

  it('that needs no key takes options alone', () => {
    expectTypeOf(OVHcloud).constructorParameters.toEqualTypeOf<[options?: KeylessOptions | undefined]>();
    void new OVHcloud();
    // @ts-expect-error -- keys are one of the options
    void new OVHcloud('a');
  });

  it('of your own needs a name and a place', () => {
    expectTypeOf(OpenAICompatible).constructorParameters.toEqualTypeOf<
      [keys: KeysInput, options: OpenAICompatibleOptions]
    >();
    expectTypeOf<OpenAICompatibleOptions['models']>().toEqualTypeOf<
      readonly (string | ModelSpec)[] | undefined
    >();
    // @ts-expect-error -- no place
    void new OpenAICompatible('a', { name: 'mine' });
    // @ts-expect-error -- no tiers
    void new OpenAICompatible('a', { name: 'mine', baseUrl: 'https://x.test', tier: 'free' });
    // @ts-expect-error -- a model has an id
    void new OpenAICompatible('a', { name: 'mine', baseUrl: 'https://x.test', models: [{ tags: ['chat'] }] });
  });
});

describe('a call', () => {
  it('takes a text, a message or messages', () => {
    expectTypeOf<ChatInput>().toEqualTypeOf<string | ChatMessage | readonly ChatMessage[]>();
    expectTypeOf<ChatMessage['role']>().toEqualTypeOf<
      'system' | 'developer' | 'user' | 'assistant' | 'tool'
    >();
    expectTypeOf<FreeLLM['chat']>().parameter(0).toEqualTypeOf<ChatInput>();
    expectTypeOf<FreeLLM['chat']>().parameter(1).toEqualTypeOf<ChatOptions | undefined>();
    void (() => llm.chat([{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:' } }] }]));
    // @ts-expect-error -- no such role
    void (() => llm.chat({ role: 'robot', content: 'Hello' }));
    // @ts-expect-error -- nothing to say
    void (() => llm.text());
  });

  it("takes the model's fields under the wire's names", () => {
    expectTypeOf<ChatOptions>().toExtend<ModelFields & CallLimits>();
    expectTypeOf<ChatOptions['temperature']>().toEqualTypeOf<number | undefined>();
    expectTypeOf<ChatOptions['max_tokens']>().toEqualTypeOf<number | undefined>();
    expectTypeOf<ChatOptions['tools']>().toEqualTypeOf<readonly unknown[] | undefined>();
    expectTypeOf<ChatOptions['model']>().toEqualTypeOf<string | readonly string[] | undefined>();
    expectTypeOf<ChatOptions['signal']>().toEqualTypeOf<AbortSignal | undefined>();
    expectTypeOf<ChatOptions>().toHaveProperty('tool_choice');
    expectTypeOf<ChatOptions>().toHaveProperty('response_format');
    // @ts-expect-error -- the wire's name is max_tokens
    void (() => llm.chat('Hello', { maxTokens: 5 }));
    // @ts-expect-error -- the method decides
    void (() => llm.chat('Hello', { stream: true }));
    // @ts-expect-error -- an option of the pool
    void (() => llm.chat('Hello', { strategy: 'priority' }));
  });

  it('answers with a response, or its text', () => {
    expectTypeOf<FreeLLM['text']>().returns.resolves.toEqualTypeOf<string>();
    expectTypeOf<FreeLLM['chat']>().returns.resolves.toEqualTypeOf<ChatResponse>();
    expectTypeOf<ChatResponse>().toEqualTypeOf<{
      readonly text: string;
      readonly provider: string;
      readonly model: string;
      readonly toolCalls: readonly AnsweredCall[];
      readonly usage: TokenUsage | undefined;
      readonly finishReason: string | undefined;
      readonly reasoning: string | undefined;
      readonly attempts: readonly AttemptReport[];
      readonly latencyMs: number;
      readonly raw: unknown;
      toString(): string;
    }>();
    expectTypeOf<FreeLLM['stream']>().parameter(1).toEqualTypeOf<StreamOptions | undefined>();
    expectTypeOf<FreeLLM['stream']>().returns.toEqualTypeOf<ChatStream>();
    expectTypeOf<ChatStream>().toExtend<AsyncIterable<string>>();
    expectTypeOf<ChatStream['parts']>().returns.toExtend<AsyncIterable<StreamPart>>();
    expectTypeOf<ChatStream['response']>().returns.resolves.toEqualTypeOf<ChatResponse>();
    expectTypeOf<ToolCall['function']['arguments']>().toEqualTypeOf<string>();
  });
});
