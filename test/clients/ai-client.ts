/** How the AI SDK is used, whatever its provider speaks. */

import {
  generateText,
  jsonSchema,
  type LanguageModel,
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

// Its warnings are many, and of no concern here.
globalThis.AI_SDK_LOG_WARNINGS = false;

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

/** Adds freelm's options to the body, where a provider of the SDK takes no fields of others. */
function fetchWith(fetch: Place['fetch'], freelm: Call['freelm']): Place['fetch'] {
  if (freelm === undefined) return fetch;
  return (input, init) => {
    const body: unknown = JSON.parse(typeof init?.body === 'string' ? init.body : '');
    return fetch(input, { ...init, body: JSON.stringify({ ...Object(body), freelm }) });
  };
}

/** Makes a model of the SDK at a place. */
export type MakeModel = (place: Place, name: string) => LanguageModel;

function settingsOf(make: MakeModel, place: Place): (call: Call) => Settings {
  return (call) => {
    const { text, model = 'auto', temperature, freelm, signal, maxRetries, force = false } = call;
    return {
      model: make({ ...place, fetch: fetchWith(place.fetch, freelm) }, model),
      prompt: text,
      tools: toolsOf(call),
      stopWhen: stepCountIs(force ? 1 : 5),
      ...(force ? { toolChoice: { type: 'tool', toolName: WEATHER.name } } : {}),
      maxOutputTokens: 4096,
      // Of models that it does not know, the Anthropic provider asks for a forced call in place of a schema.
      providerOptions: { anthropic: { structuredOutputMode: 'outputFormat' } },
      ...(temperature === undefined ? {} : { temperature }),
      ...(signal === undefined ? {} : { abortSignal: signal }),
      ...(maxRetries === undefined ? {} : { maxRetries }),
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

export function aiClient(make: MakeModel): (place: Place) => Client {
  return (place) => {
    const settings = settingsOf(make, place);
    return {
      whole: (call) => whole(settings(call)),
      pieces: (call) => pieces(settings(call)),
      object: (call) => object(settings(call)),
      models: noModels,
      failure: (error) => failureOf(error, 'statusCode'),
    };
  };
}
