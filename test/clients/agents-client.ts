/** How OpenAI's Agents SDK is used. It speaks Responses, and sends with the `fetch` of the process. */

import {
  Agent,
  type JsonSchemaDefinition,
  type ModelSettings,
  Runner,
  setTracingDisabled,
  tool,
  Usage,
} from '@openai/agents-core';
import { OpenAIProvider } from '@openai/agents-openai';
import { onTestFinished, vi } from 'vitest';
import { z } from 'zod';
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
import type { Place } from './served-pool.ts';

setTracingDisabled(true);

const ANSWER: JsonSchemaDefinition = {
  type: 'json_schema',
  name: 'answer',
  strict: true,
  schema: { ...ANSWER_SCHEMA, required: [...ANSWER_SCHEMA.required] },
};

function settingsOf({ temperature, freelm, force = false }: Call): ModelSettings {
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(force ? { toolChoice: WEATHER.name } : {}),
    // Goes into the body as it is.
    ...(freelm === undefined ? {} : { providerData: { freelm } }),
  };
}

function agentFor(call: Call): Agent {
  const { model = 'auto', report } = call;
  const weather = tool({
    name: WEATHER.name,
    description: WEATHER.description,
    parameters: z.object({ city: z.string() }),
    execute: (input) => report?.(cityOf(input)) ?? '',
  });
  const modelSettings = settingsOf(call);
  return new Agent({ name: 'helper', model, modelSettings, tools: report === undefined ? [] : [weather] });
}

function optionsOf({ signal }: Call): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

async function whole(runner: Runner, call: Call): Promise<Answer> {
  const {
    finalOutput = '',
    newItems,
    rawResponses,
  } = await runner.run(agentFor(call), call.text, optionsOf(call));
  const reasoning = newItems.flatMap((item) =>
    item.type === 'reasoning_item' ? item.rawItem.content.map(({ text }) => text) : [],
  );
  return {
    text: finalOutput,
    reasoning: reasoning.length === 0 ? undefined : reasoning.join(''),
    // It goes on until there is an answer, or throws.
    finishReason: 'stop',
    tokens: (rawResponses.at(-1)?.usage ?? new Usage()).totalTokens,
  };
}

async function* pieces(runner: Runner, call: Call): AsyncGenerator<string> {
  const result = await runner.run(agentFor(call), call.text, { ...optionsOf(call), stream: true });
  yield* result.toTextStream();
  await result.completed;
}

async function object(runner: Runner, call: Call): Promise<unknown> {
  const agent = new Agent({ name: 'answer', model: 'auto', outputType: ANSWER });
  return (await runner.run(agent, call.text, optionsOf(call))).finalOutput;
}

/** Has nothing sent again: the SDK leaves that to OpenAI's client, which obeys this header. */
async function onceOnly(answer: Promise<Response>): Promise<Response> {
  const { body, status, headers } = await answer;
  return new Response(body, {
    status,
    headers: { ...Object.fromEntries(headers), 'x-should-retry': 'false' },
  });
}

/** A runner that sends with the `fetch` of a place, to the end of the test. */
export function runnerAt({ fetch, baseUrl }: Place): Runner {
  vi.stubGlobal('fetch', fetch);
  onTestFinished(() => {
    vi.unstubAllGlobals();
  });
  const modelProvider = new OpenAIProvider({ apiKey: 'none', baseURL: baseUrl });
  return new Runner({ modelProvider, tracingDisabled: true });
}

export function agentsClient({ fetch, baseUrl }: Place): Client {
  let retries = true;
  const send: Place['fetch'] = (input, init) => (retries ? fetch(input, init) : onceOnly(fetch(input, init)));
  const noting = (call: Call): Call => {
    retries = call.maxRetries !== 0;
    return call;
  };
  const runner = runnerAt({ fetch: send, baseUrl });
  return {
    whole: (call) => whole(runner, noting(call)),
    pieces: (call) => pieces(runner, noting(call)),
    object: (call) => object(runner, call),
    models: noModels,
    failure: (error) => failureOf(error, 'status'),
  };
}
