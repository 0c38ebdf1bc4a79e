/** How OpenAI's SDK is used for Responses. */

import type OpenAI from 'openai';
import {
  ANSWER_SCHEMA,
  type Answer,
  type Call,
  cityOf,
  type Client,
  failureOf,
  textIn,
  WEATHER,
} from './client.ts';

/** What is used of the client. */
export interface ResponsesSdk {
  readonly responses: Api;
  readonly models: { list(): AsyncIterable<OpenAI.Model> };
}

interface Api {
  create(body: Body, options: OpenAI.RequestOptions): PromiseLike<Whole>;
  create(
    body: OpenAI.Responses.ResponseCreateParamsStreaming,
    options: OpenAI.RequestOptions,
  ): PromiseLike<AsyncIterable<StreamEvent>>;
}

type Item = OpenAI.Responses.ResponseInputItem;
/** What is read of an answer. */
type Whole = Pick<
  OpenAI.Responses.Response,
  'output' | 'output_text' | 'status' | 'incomplete_details' | 'usage'
>;
interface StreamEvent {
  readonly type: string;
  readonly delta?: unknown;
  readonly response?: Pick<Whole, 'output'>;
}
type Body = OpenAI.Responses.ResponseCreateParamsNonStreaming;

const TOOL: OpenAI.Responses.FunctionTool = {
  type: 'function',
  name: WEATHER.name,
  description: WEATHER.description,
  parameters: WEATHER.schema,
  strict: false,
};

function bodyOf(call: Call, input: readonly Item[]): Body {
  const { model = 'auto', temperature, freelm, report, force = false } = call;
  const isFirst = input.length === 1;
  return {
    model,
    input: [...input],
    ...(temperature === undefined ? {} : { temperature }),
    ...(report === undefined ? {} : { tools: [TOOL] }),
    ...(force && isFirst ? { tool_choice: { type: 'function', name: WEATHER.name } } : {}),
    ...(freelm === undefined ? {} : { freelm }),
  };
}

function optionsOf({ signal, maxRetries }: Call): OpenAI.RequestOptions {
  return { signal, ...(maxRetries === undefined ? {} : { maxRetries }) };
}

/** The answer's items and the results of the tools that it calls; empty if it calls none. */
function turnOf({ output }: Pick<Whole, 'output'>, report: Call['report']): readonly Item[] {
  const kept = output.filter(
    (item) => item.type === 'message' || item.type === 'reasoning' || item.type === 'function_call',
  );
  const calls = kept.filter((item) => item.type === 'function_call');
  if (report === undefined || calls.length === 0) return [];
  const results = calls.map((call): Item => {
    const given = report(cityOf(JSON.parse(call.arguments)));
    return { type: 'function_call_output', call_id: call.call_id, output: given };
  });
  return [...kept, ...results];
}

function reasoningOf({ output }: Whole): string | undefined {
  const texts = output.flatMap((item) => (item.type === 'reasoning' ? item.summary : []));
  return texts.length === 0 ? undefined : texts.map(({ text }) => text).join('');
}

async function whole(api: Api, call: Call): Promise<Answer> {
  const input: Item[] = [{ role: 'user', content: call.text }];
  for (;;) {
    const response = await api.create(bodyOf(call, input), optionsOf(call));
    const turn = turnOf(response, call.report);
    if (turn.length === 0) {
      return {
        text: response.output_text,
        reasoning: reasoningOf(response),
        finishReason: response.status === 'completed' ? 'stop' : response.incomplete_details?.reason,
        tokens: response.usage?.total_tokens,
      };
    }
    input.push(...turn);
  }
}

async function* pieces(api: Api, call: Call): AsyncGenerator<string> {
  const input: Item[] = [{ role: 'user', content: call.text }];
  for (;;) {
    const stream = await api.create({ ...bodyOf(call, input), stream: true }, optionsOf(call));
    let response: StreamEvent['response'];
    for await (const event of stream) {
      if (event.type === 'response.output_text.delta') yield textIn(event, 'delta') ?? '';
      if (event.type === 'response.completed') ({ response } = event);
    }
    const turn = response === undefined ? [] : turnOf(response, call.report);
    if (turn.length === 0) return;
    input.push(...turn);
  }
}

async function object(api: Api, call: Call): Promise<unknown> {
  const body: Body = {
    ...bodyOf(call, [{ role: 'user', content: call.text }]),
    text: { format: { type: 'json_schema', name: 'answer', schema: ANSWER_SCHEMA, strict: true } },
  };
  return JSON.parse((await api.create(body, optionsOf(call))).output_text);
}

export function responsesClient(sdk: ResponsesSdk): Client {
  return {
    whole: (call) => whole(sdk.responses, call),
    pieces: (call) => pieces(sdk.responses, call),
    object: (call) => object(sdk.responses, call),
    models: async () => {
      const ids: string[] = [];
      for await (const { id } of sdk.models.list()) ids.push(id);
      return ids;
    },
    failure: (error) => failureOf(error, 'status'),
  };
}
