/** How the SDK of OpenAI is used, and whatever stands in for it. */

import type OpenAI from 'openai';
import {
  ANSWER_SCHEMA,
  type Answer,
  type Call,
  cityOf,
  type Client,
  failureOf,
  idsOf,
  textIn,
  WEATHER,
} from './client.ts';

type Message = OpenAI.ChatCompletionMessageParam;
type Plain = OpenAI.Chat.ChatCompletionCreateParamsNonStreaming;
type Streamed = OpenAI.Chat.ChatCompletionCreateParamsStreaming;

/** What is used of the client. */
export interface Sdk {
  readonly chat: {
    readonly completions: {
      create(body: Plain, options: OpenAI.RequestOptions): PromiseLike<OpenAI.ChatCompletion>;
      create(
        body: Streamed,
        options: OpenAI.RequestOptions,
      ): PromiseLike<AsyncIterable<OpenAI.ChatCompletionChunk>>;
    };
  };
  readonly models: { list(): AsyncIterable<OpenAI.Model> };
}

const TOOL: OpenAI.ChatCompletionTool = {
  type: 'function',
  function: { name: WEATHER.name, description: WEATHER.description, parameters: WEATHER.schema },
};

const CHOICE: OpenAI.ChatCompletionNamedToolChoice = { type: 'function', function: { name: WEATHER.name } };

interface FunctionCall {
  readonly id: string;
  readonly name: string;
  readonly input: string;
}

function bodyOf(call: Call, messages: readonly Message[]): Plain {
  const { model = 'auto', temperature, freelm, report, force = false } = call;
  return {
    model,
    messages: [...messages],
    ...(temperature === undefined ? {} : { temperature }),
    ...(report === undefined ? {} : { tools: [TOOL] }),
    ...(force && messages.length === 1 ? { tool_choice: CHOICE } : {}),
    ...(freelm === undefined ? {} : { freelm }),
  };
}

function optionsOf({ signal, maxRetries }: Call): OpenAI.RequestOptions {
  return { signal, ...(maxRetries === undefined ? {} : { maxRetries }) };
}

/** The message with tool calls and the results of the tools. */
function toolMessages(
  text: string | null,
  calls: readonly FunctionCall[],
  report: (city: string) => string,
): Message[] {
  const tool_calls = calls.map(({ id, name, input }) => ({
    id,
    type: 'function' as const,
    function: { name, arguments: input },
  }));
  const results = calls.map(({ id, input }): Message => ({
    role: 'tool',
    tool_call_id: id,
    content: report(cityOf(JSON.parse(input))),
  }));
  return [{ role: 'assistant', content: text, tool_calls }, ...results];
}

async function whole(sdk: Sdk, call: Call): Promise<Answer> {
  const messages: Message[] = [{ role: 'user', content: call.text }];
  for (;;) {
    const completion = await sdk.chat.completions.create(bodyOf(call, messages), optionsOf(call));
    const [choice] = completion.choices;
    if (choice === undefined) throw new Error('no choice');
    const { message, finish_reason: finishReason } = choice;
    const calls = (message.tool_calls ?? []).flatMap((one) =>
      one.type === 'function' ? [{ id: one.id, name: one.function.name, input: one.function.arguments }] : [],
    );
    if (call.report === undefined || calls.length === 0) {
      const tokens = completion.usage?.total_tokens;
      return {
        text: message.content ?? '',
        reasoning: textIn(message, 'reasoning_content'),
        finishReason,
        tokens,
      };
    }
    messages.push(...toolMessages(message.content, calls, call.report));
  }
}

/** Puts the pieces of tool calls together. */
class CallPieces {
  readonly #calls = new Map<number, { id: string; name: string; input: string }>();

  add(deltas: readonly OpenAI.ChatCompletionChunk.Choice.Delta.ToolCall[]): void {
    for (const { index, id, function: called } of deltas) {
      const known = this.#calls.get(index) ?? { id: '', name: '', input: '' };
      this.#calls.set(index, {
        id: known.id + (id ?? ''),
        name: known.name + (called?.name ?? ''),
        input: known.input + (called?.arguments ?? ''),
      });
    }
  }

  get all(): readonly FunctionCall[] {
    return [...this.#calls.values()];
  }
}

async function* pieces(sdk: Sdk, call: Call): AsyncGenerator<string> {
  const messages: Message[] = [{ role: 'user', content: call.text }];
  for (;;) {
    const body: Streamed = { ...bodyOf(call, messages), stream: true };
    const calls = new CallPieces();
    let text = '';
    for await (const { choices } of await sdk.chat.completions.create(body, optionsOf(call))) {
      const delta = choices[0]?.delta;
      calls.add(delta?.tool_calls ?? []);
      text += delta?.content ?? '';
      yield delta?.content ?? '';
    }
    if (call.report === undefined || calls.all.length === 0) return;
    messages.push(...toolMessages(text, calls.all, call.report));
  }
}

async function object(sdk: Sdk, call: Call): Promise<unknown> {
  const body: Plain = {
    ...bodyOf(call, [{ role: 'user', content: call.text }]),
    response_format: {
      type: 'json_schema',
      json_schema: { name: 'answer', schema: ANSWER_SCHEMA, strict: true },
    },
  };
  const { choices } = await sdk.chat.completions.create(body, optionsOf(call));
  return JSON.parse(choices[0]?.message.content ?? '');
}

export function sdkClient(sdk: Sdk): Client {
  return {
    whole: (call) => whole(sdk, call),
    pieces: (call) => pieces(sdk, call),
    object: (call) => object(sdk, call),
    models: () => idsOf(sdk.models.list()),
    failure: (error) => failureOf(error, 'status'),
  };
}
