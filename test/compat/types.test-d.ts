import type Real from 'openai';
import type { ClientOptions as RealClientOptions } from 'openai';
import { describe, expectTypeOf, it } from 'vitest';
import OpenAI, { type ClientOptions, type OpenAI as Named } from '../../src/compat.ts';
import type { FreeLLM } from '../../src/index.ts';

declare const client: OpenAI;
declare const real: Real;

describe('the parameters of the real SDK', () => {
  it('are taken', () => {
    expectTypeOf<Real.ChatCompletionMessageParam>().toExtend<OpenAI.ChatCompletionMessageParam>();
    expectTypeOf<Real.ChatCompletionTool>().toExtend<OpenAI.ChatCompletionTool>();
    expectTypeOf<Real.ChatCompletionToolChoiceOption>().toExtend<OpenAI.ChatCompletionToolChoiceOption>();
    expectTypeOf<Real.ResponseFormatJSONSchema>().toExtend<OpenAI.ResponseFormatJSONSchema>();
    expectTypeOf<Real.Chat.ChatCompletionCreateParamsNonStreaming>().toExtend<OpenAI.Chat.ChatCompletionCreateParamsNonStreaming>();
    expectTypeOf<Real.Chat.ChatCompletionCreateParamsStreaming>().toExtend<OpenAI.Chat.ChatCompletionCreateParamsStreaming>();
    expectTypeOf<Real.Chat.ChatCompletionCreateParams>().toExtend<OpenAI.Chat.Completions.ChatCompletionCreateParams>();
    expectTypeOf<Real.EmbeddingCreateParams>().toExtend<OpenAI.EmbeddingCreateParams>();
  });

  it('have no field more than ours, so that literals compile, too', () => {
    expectTypeOf<keyof Real.ChatCompletionCreateParams>().toExtend<keyof OpenAI.ChatCompletionCreateParams>();
    expectTypeOf<keyof Real.RequestOptions>()
      .exclude<`__${string}`>()
      .toExtend<keyof OpenAI.RequestOptions>();
    expectTypeOf<keyof RealClientOptions>().toExtend<keyof ClientOptions>();
  });

  it('go for the options of a client and of a request', () => {
    expectTypeOf<RealClientOptions>().toExtend<ClientOptions>();
    expectTypeOf<Real.RequestOptions>().toExtend<OpenAI.RequestOptions>();
  });
});

describe('the answers', () => {
  it('go where those of the real SDK go', () => {
    expectTypeOf<OpenAI.ChatCompletion>().toExtend<Real.ChatCompletion>();
    expectTypeOf<OpenAI.ChatCompletionChunk>().toExtend<Real.ChatCompletionChunk>();
    expectTypeOf<OpenAI.ChatCompletionMessage>().toExtend<Real.ChatCompletionMessage>();
    expectTypeOf<OpenAI.ChatCompletionMessageToolCall>().toExtend<Real.ChatCompletionMessageToolCall>();
    expectTypeOf<OpenAI.Model>().toExtend<Real.Model>();
    expectTypeOf<OpenAI.CreateEmbeddingResponse>().toExtend<Real.CreateEmbeddingResponse>();
    expectTypeOf<OpenAI.CompletionUsage>().toExtend<Real.CompletionUsage>();
  });

  it('can be sent back, by either', () => {
    expectTypeOf<OpenAI.ChatCompletionMessage>().toExtend<OpenAI.ChatCompletionMessageParam>();
    expectTypeOf<OpenAI.ChatCompletionMessage>().toExtend<Real.ChatCompletionMessageParam>();
  });

  it('come by the same methods', () => {
    const asked = { model: 'auto', messages: [] };
    const whole = client.chat.completions.create(asked);
    expectTypeOf(whole).resolves.toExtend<Awaited<ReturnType<() => Promise<Real.ChatCompletion>>>>();
    expectTypeOf(whole.asResponse()).resolves.toEqualTypeOf<Response>();
    expectTypeOf(whole.withResponse()).resolves.toExtend<{
      data: Real.ChatCompletion;
      response: Response;
      request_id: string | null;
    }>();
    const parts = client.chat.completions.create({ ...asked, stream: true });
    expectTypeOf(parts).resolves.toExtend<
      AsyncIterable<Real.ChatCompletionChunk> & { controller: AbortController }
    >();
    expectTypeOf(client.models.list()).toExtend<AsyncIterable<Real.Model>>();
    expectTypeOf(client.models.list()).resolves.toExtend<{ data: Real.Model[]; hasNextPage(): boolean }>();
  });

  it('are a stream or not, as far as the body says', () => {
    const stream: boolean = Math.PI > 3;
    const either = client.chat.completions.create({ model: 'auto', messages: [], stream });
    expectTypeOf(either).resolves.toExtend<
      OpenAI.ChatCompletion | AsyncIterable<OpenAI.ChatCompletionChunk>
    >();
  });
});

describe('what is ours', () => {
  it('is reachable with types', () => {
    expectTypeOf(OpenAI).toEqualTypeOf<typeof Named>();
    expectTypeOf(client.freelm).toEqualTypeOf<FreeLLM>();
    void new OpenAI({ freelm: { strategy: 'priority', unknownModels: 'auto', onEvent: () => undefined } });
    void client.chat.completions.create({
      messages: [],
      freelm: { wait: true, maxWaitMs: 9, onCut: 'fail' },
    });
    void client.chat.completions.create({ messages: [], top_k: 9, min_p: 0.1, reasoning: { effort: 'low' } });
    // @ts-expect-error -- no such option
    void client.chat.completions.create({ messages: [], freelm: { patience: 1 } });
    // @ts-expect-error -- no such field
    void client.chat.completions.create({ messages: [], temprature: 1 });
  });

  it('does not pretend to be more than it is', () => {
    expectTypeOf<OpenAI>().not.toHaveProperty('responses');
    expectTypeOf<OpenAI['chat']['completions']>().not.toHaveProperty('parse');
    expectTypeOf<OpenAI>().not.toExtend<Real>();
    void real;
  });
});

describe('errors', () => {
  it('have the fields of the real ones', () => {
    type Fields = Pick<
      InstanceType<typeof Real.APIError>,
      'status' | 'headers' | 'error' | 'code' | 'param' | 'type' | 'requestID' | 'message'
    >;
    expectTypeOf<InstanceType<typeof OpenAI.APIError>>().toExtend<Fields>();
    expectTypeOf<InstanceType<typeof OpenAI.RateLimitError>['status']>().toEqualTypeOf<429>();
    expectTypeOf<InstanceType<typeof OpenAI.RateLimitError>['headers']>().toEqualTypeOf<Headers>();
  });
});
