import type Real from 'openai';
import type { ClientOptions as RealClientOptions } from 'openai';
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod';
import { describe, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import OpenAI, { type ClientOptions, type OpenAI as Named } from '../../src/compat.ts';
import type { FreeLLM } from '../../src/index.ts';

declare const client: OpenAI;
declare const real: Real;

describe('the parameters', () => {
  it('accept those of the real SDK', () => {
    expectTypeOf<Real.ChatCompletionMessageParam>().toExtend<OpenAI.ChatCompletionMessageParam>();
    expectTypeOf<Real.ChatCompletionTool>().toExtend<OpenAI.ChatCompletionTool>();
    expectTypeOf<Real.ChatCompletionToolChoiceOption>().toExtend<OpenAI.ChatCompletionToolChoiceOption>();
    expectTypeOf<Real.ResponseFormatJSONSchema>().toExtend<OpenAI.ResponseFormatJSONSchema>();
    expectTypeOf<Real.Chat.ChatCompletionCreateParamsNonStreaming>().toExtend<OpenAI.Chat.ChatCompletionCreateParamsNonStreaming>();
    expectTypeOf<Real.Chat.ChatCompletionCreateParamsStreaming>().toExtend<OpenAI.Chat.ChatCompletionCreateParamsStreaming>();
    expectTypeOf<Real.Chat.ChatCompletionCreateParams>().toExtend<OpenAI.Chat.Completions.ChatCompletionCreateParams>();
    expectTypeOf<Real.EmbeddingCreateParams>().toExtend<OpenAI.EmbeddingCreateParams>();
  });

  it('have every field of the real SDK, so that literals compile', () => {
    expectTypeOf<keyof Real.ChatCompletionCreateParams>().toExtend<keyof OpenAI.ChatCompletionCreateParams>();
    expectTypeOf<keyof Real.RequestOptions>()
      .exclude<`__${string}`>()
      .toExtend<keyof OpenAI.RequestOptions>();
    expectTypeOf<keyof RealClientOptions>().toExtend<keyof ClientOptions>();
  });

  it('accept the real options of a client and of a request', () => {
    expectTypeOf<RealClientOptions>().toExtend<ClientOptions>();
    expectTypeOf<Real.RequestOptions>().toExtend<OpenAI.RequestOptions>();
  });
});

describe('the results', () => {
  it('are assignable to those of the real SDK', () => {
    expectTypeOf<OpenAI.ChatCompletion>().toExtend<Real.ChatCompletion>();
    expectTypeOf<OpenAI.ChatCompletionChunk>().toExtend<Real.ChatCompletionChunk>();
    expectTypeOf<OpenAI.ChatCompletionMessage>().toExtend<Real.ChatCompletionMessage>();
    expectTypeOf<OpenAI.ChatCompletionMessageToolCall>().toExtend<Real.ChatCompletionMessageToolCall>();
    expectTypeOf<OpenAI.Model>().toExtend<Real.Model>();
    expectTypeOf<OpenAI.CreateEmbeddingResponse>().toExtend<Real.CreateEmbeddingResponse>();
    expectTypeOf<OpenAI.CompletionUsage>().toExtend<Real.CompletionUsage>();
  });

  it('can be sent back, by this client and by the real one', () => {
    expectTypeOf<OpenAI.ChatCompletionMessage>().toExtend<OpenAI.ChatCompletionMessageParam>();
    expectTypeOf<OpenAI.ChatCompletionMessage>().toExtend<Real.ChatCompletionMessageParam>();
  });

  it('come from the same methods', () => {
    const params = { model: 'auto', messages: [] };
    const plain = client.chat.completions.create(params);
    expectTypeOf(plain).resolves.toExtend<Awaited<ReturnType<() => Promise<Real.ChatCompletion>>>>();
    expectTypeOf(plain.asResponse()).resolves.toEqualTypeOf<Response>();
    expectTypeOf(plain.withResponse()).resolves.toExtend<{
      data: Real.ChatCompletion;
      response: Response;
      request_id: string | null;
    }>();
    const stream = client.chat.completions.create({ ...params, stream: true });
    expectTypeOf(stream).resolves.toExtend<
      AsyncIterable<Real.ChatCompletionChunk> & { controller: AbortController }
    >();
    expectTypeOf(client.models.list()).toExtend<AsyncIterable<Real.Model>>();
    expectTypeOf(client.models.list()).resolves.toExtend<{ data: Real.Model[]; hasNextPage(): boolean }>();
  });

  it('may be a stream if the type of `stream` is boolean', () => {
    const stream: boolean = Math.PI > 3;
    const either = client.chat.completions.create({ model: 'auto', messages: [], stream });
    expectTypeOf(either).resolves.toExtend<
      OpenAI.ChatCompletion | AsyncIterable<OpenAI.ChatCompletionChunk>
    >();
  });
});

describe('the helpers', () => {
  const schema = z.object({ answer: z.string() });
  const body = { model: 'auto', messages: [], response_format: zodResponseFormat(schema, 'answer') };

  it('know the type of the schema', () => {
    type Parsed = { answer: string } | null | undefined;
    const parsed = client.chat.completions.parse(body).then(({ choices }) => choices[0]?.message.parsed);
    expectTypeOf(parsed).resolves.toEqualTypeOf<Parsed>();
    const theirs = real.chat.completions.parse(body).then(({ choices }) => choices[0]?.message.parsed);
    expectTypeOf(theirs).resolves.toEqualTypeOf<Parsed>();
    const streamed = client.chat.completions.stream(body).finalMessage();
    expectTypeOf(streamed).resolves.toHaveProperty('parsed').toEqualTypeOf<{ answer: string } | null>();
    const plain = client.chat.completions.parse({ messages: [] });
    expectTypeOf(plain.then(({ choices }) => choices[0]?.message.parsed)).resolves.toEqualTypeOf<
      null | undefined
    >();
  });

  it('take and give what those of the real SDK do', () => {
    expectTypeOf(client.chat.completions.parse(body)).resolves.toExtend<
      Awaited<ReturnType<typeof real.chat.completions.parse<typeof body>>>
    >();
    const tools = [zodFunction({ name: 'look', parameters: schema, function: ({ answer }) => answer })];
    expectTypeOf(
      client.chat.completions.runTools({ messages: [], tools }).finalContent(),
    ).resolves.toEqualTypeOf<string | null>();
    const look = {
      type: 'function' as const,
      function: {
        function: ({ answer }: { answer: string }) => answer,
        parse: (input: string) => schema.parse(JSON.parse(input)),
        parameters: { type: 'object' as const },
        description: 'Looks.',
      },
    };
    void client.chat.completions.runTools({ model: 'auto', messages: [], tools: [look] });
    void real.chat.completions.runTools({ model: 'auto', messages: [], tools: [look] });
    // @ts-expect-error -- runTools() needs a function
    void client.chat.completions.runTools({ messages: [], tools: [{ type: 'function' }] });
  });
});

describe('responses', () => {
  it('take what the real SDK takes', () => {
    expectTypeOf<Real.Responses.ResponseCreateParamsNonStreaming>().toExtend<OpenAI.Responses.ResponseCreateParamsNonStreaming>();
    expectTypeOf<Real.Responses.ResponseCreateParamsStreaming>().toExtend<OpenAI.Responses.ResponseCreateParamsStreaming>();
    expectTypeOf<keyof Real.Responses.ResponseCreateParams>().toExtend<
      keyof OpenAI.Responses.ResponseCreateParamsBase
    >();
  });

  it('give what the real SDK gives', () => {
    type Loose = 'error' | 'tools' | 'tool_choice' | '_request_id';
    expectTypeOf<Omit<OpenAI.Responses.Response, Loose>>().toExtend<Omit<Real.Responses.Response, Loose>>();
    expectTypeOf<OpenAI.Responses.ResponseOutputItem>().toExtend<Real.Responses.ResponseOutputItem>();
    expectTypeOf<OpenAI.Responses.ResponseOutputItem>().toExtend<Real.Responses.ResponseInputItem>();
    expectTypeOf<OpenAI.Responses.ResponseStreamEvent['type']>().toExtend<
      Real.Responses.ResponseStreamEvent['type']
    >();
    type Delta = { type: 'response.output_text.delta' };
    expectTypeOf<Extract<OpenAI.Responses.ResponseStreamEvent, Delta>>().toExtend<
      Extract<Real.Responses.ResponseStreamEvent, Delta>
    >();
    const params = { model: 'auto', input: 'x' };
    expectTypeOf(client.responses.create(params))
      .resolves.toHaveProperty('output_text')
      .toEqualTypeOf<string>();
    expectTypeOf(client.responses.create({ ...params, stream: true })).resolves.toExtend<
      AsyncIterable<OpenAI.Responses.ResponseStreamEvent>
    >();
  });
});

describe('the extensions of freelm', () => {
  it('are typed', () => {
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

  it('do not include unsupported resources and methods', () => {
    expectTypeOf<OpenAI>().not.toHaveProperty('files');
    expectTypeOf<OpenAI['chat']['completions']>().not.toHaveProperty('list');
    expectTypeOf<OpenAI['responses']>().not.toHaveProperty('parse');
    expectTypeOf<OpenAI>().not.toExtend<Real>();
    void real;
  });
});

describe('the namespaces', () => {
  it('have the resources as types and the types of each resource as members', () => {
    expectTypeOf<OpenAI['chat']>().toEqualTypeOf<OpenAI.Chat>();
    expectTypeOf<OpenAI['chat']['completions']>().toEqualTypeOf<OpenAI.Chat.Completions>();
    expectTypeOf<OpenAI.Chat.ChatCompletion>().toEqualTypeOf<OpenAI.ChatCompletion>();
    expectTypeOf<OpenAI.Chat.Completions.ChatCompletion.Choice>().toEqualTypeOf<OpenAI.ChatCompletion.Choice>();
    expectTypeOf<OpenAI.Models.Model>().toEqualTypeOf<OpenAI.Model>();
    expectTypeOf<OpenAI.Embeddings.Embedding>().toEqualTypeOf<OpenAI.Embedding>();
  });
});

describe('errors', () => {
  it('have the fields of the real errors', () => {
    type Fields = Pick<
      InstanceType<typeof Real.APIError>,
      'status' | 'headers' | 'error' | 'code' | 'param' | 'type' | 'requestID' | 'message'
    >;
    expectTypeOf<InstanceType<typeof OpenAI.APIError>>().toExtend<Fields>();
    expectTypeOf<InstanceType<typeof OpenAI.RateLimitError>['status']>().toEqualTypeOf<429>();
    expectTypeOf<InstanceType<typeof OpenAI.RateLimitError>['headers']>().toEqualTypeOf<Headers>();
  });
});
