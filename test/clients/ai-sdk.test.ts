import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import {
  generateText,
  jsonSchema,
  Output,
  type Schema,
  stepCountIs,
  streamText,
  tool,
  type ToolSet,
} from 'ai';
import type { Place } from './served-pool.ts';
import {
  ANSWER_SCHEMA,
  type Answer,
  type Call,
  cityOf,
  type Client,
  failureOf,
  noModels,
  WEATHER,
} from './client.ts';
import { describeClient } from './table.ts';

type Settings = Omit<Parameters<typeof generateText>[0], 'prompt' | 'messages'> & { readonly prompt: string };

/** The SDK's types take no read-only list. */
function schemaOf({ required, ...rest }: typeof ANSWER_SCHEMA | typeof WEATHER.schema): Schema {
  return jsonSchema({ ...rest, required: [...required] });
}

function toolsOf({ report }: Call): ToolSet {
  if (report === undefined) return {};
  const { name, description, schema } = WEATHER;
  const execute = (input: unknown): string => report(cityOf(input));
  return { [name]: tool({ description, inputSchema: schemaOf(schema), execute }) };
}

function settingsOf({ fetch, baseUrl }: Place): (call: Call) => Settings {
  const provider = createOpenAICompatible({
    name: 'freelm',
    baseURL: baseUrl,
    fetch,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });
  return (call) => {
    const { text, model = 'auto', temperature, freelm, signal, maxRetries } = call;
    return {
      model: provider(model),
      prompt: text,
      tools: toolsOf(call),
      stopWhen: stepCountIs(5),
      ...(temperature === undefined ? {} : { temperature }),
      ...(signal === undefined ? {} : { abortSignal: signal }),
      ...(maxRetries === undefined ? {} : { maxRetries }),
      // Goes into the body as it is.
      ...(freelm === undefined ? {} : { providerOptions: { freelm: { freelm: { ...freelm } } } }),
    };
  };
}

async function whole(settings: Settings): Promise<Answer> {
  const { text, reasoningText: reasoning, finishReason, usage } = await generateText(settings);
  return { text, reasoning, finishReason, tokens: usage.totalTokens };
}

async function* pieces(settings: Settings): AsyncGenerator<string> {
  const { fullStream } = streamText({ ...settings, onError: () => undefined });
  for await (const part of fullStream) {
    if (part.type === 'error') throw part.error;
    if (part.type === 'text-delta') yield part.text;
  }
}

async function object(settings: Settings): Promise<unknown> {
  const output = Output.object({ schema: schemaOf(ANSWER_SCHEMA), name: 'answer' });
  return (await generateText({ ...settings, output })).output;
}

function aiClient(place: Place): Client {
  const settings = settingsOf(place);
  return {
    whole: (call) => whole(settings(call)),
    pieces: (call) => pieces(settings(call)),
    object: (call) => object(settings(call)),
    models: noModels,
    failure: (error) => failureOf(error, 'statusCode'),
  };
}

describeClient('the AI SDK', { make: aiClient, has: ['retries'], retriesInVain: true });
