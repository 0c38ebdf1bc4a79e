/** How LangChain is used, whatever its model speaks. */

import {
  type AIMessage,
  AIMessageChunk,
  type BaseMessage,
  HumanMessage,
  ToolMessage,
} from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import {
  ANSWER_SCHEMA,
  type Answer,
  type Call,
  cityOf,
  type Client,
  failureOf,
  noModels,
  numberIn,
  textIn,
  WEATHER,
} from './client.ts';
import type { Place } from './served-pool.ts';

const TOOL = {
  type: 'function',
  function: { name: WEATHER.name, description: WEATHER.description, parameters: WEATHER.schema },
} as const;

function modelOf(
  { fetch, baseUrl }: Place,
  { model = 'auto', temperature, freelm, maxRetries }: Call,
  useResponsesApi = false,
): ChatOpenAI {
  return new ChatOpenAI({
    model,
    apiKey: 'none',
    useResponsesApi,
    configuration: { baseURL: baseUrl, fetch },
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxRetries === undefined ? {} : { maxRetries }),
    // Goes into the body as it is.
    ...(freelm === undefined ? {} : { modelKwargs: { freelm } }),
  });
}

interface Options {
  readonly signal?: AbortSignal;
  readonly tools?: (typeof TOOL)[];
  readonly tool_choice?: string;
}

function optionsOf({ signal, report, force = false }: Call, isFirst = true): Options {
  return {
    ...(signal === undefined ? {} : { signal }),
    ...(report === undefined ? {} : { tools: [TOOL] }),
    ...(force && isFirst ? { tool_choice: WEATHER.name } : {}),
  };
}

function reports({ tool_calls: calls = [] }: AIMessage, report: (city: string) => string): BaseMessage[] {
  return calls.map(
    ({ id = '', args }) => new ToolMessage({ tool_call_id: id, content: report(cityOf(args)) }),
  );
}

/** The reasoning of an answer by Responses, whose `reasoning` is the whole item. */
function summaryIn({ content }: AIMessage): string | undefined {
  if (typeof content === 'string') return undefined;
  const texts = content.map((block) => (block.type === 'reasoning' ? textIn(block, 'reasoning') : undefined));
  return texts.find((text) => text !== undefined);
}

function finishReasonOf({ response_metadata: metadata }: AIMessage): string | undefined {
  const status = textIn(metadata, 'status');
  return status === 'completed' ? 'stop' : textIn(metadata, 'finish_reason');
}

async function whole(model: ChatOpenAI, call: Call): Promise<Answer> {
  const messages: BaseMessage[] = [new HumanMessage(call.text)];
  for (;;) {
    const message = await model.invoke(messages, optionsOf(call, messages.length === 1));
    if (call.report === undefined || message.tool_calls?.length === 0) {
      return {
        text: message.text,
        reasoning: textIn(message.additional_kwargs, 'reasoning_content') ?? summaryIn(message),
        finishReason: finishReasonOf(message),
        tokens: numberIn(message.usage_metadata, 'total_tokens'),
      };
    }
    messages.push(message, ...reports(message, call.report));
  }
}

async function* pieces(model: ChatOpenAI, call: Call): AsyncGenerator<string> {
  const messages: BaseMessage[] = [new HumanMessage(call.text)];
  for (;;) {
    let message = new AIMessageChunk('');
    for await (const chunk of await model.stream(messages, optionsOf(call))) {
      message = message.concat(chunk);
      yield chunk.text;
    }
    if (call.report === undefined || message.tool_calls?.length === 0) return;
    messages.push(message, ...reports(message, call.report));
  }
}

export function langchainClient(place: Place, useResponsesApi = false): Client {
  const modelFor = (call: Call): ChatOpenAI => modelOf(place, call, useResponsesApi);
  return {
    whole: (call) => whole(modelFor(call), call),
    pieces: (call) => pieces(modelFor(call), call),
    object: (call) =>
      modelFor(call)
        .withStructuredOutput<Record<string, unknown>>(ANSWER_SCHEMA, {
          name: 'answer',
          method: 'jsonSchema',
        })
        .invoke(call.text, optionsOf(call)),
    models: noModels,
    failure: (error) => failureOf(error, 'status'),
  };
}
