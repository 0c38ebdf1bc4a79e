import {
  type AIMessage,
  AIMessageChunk,
  type BaseMessage,
  HumanMessage,
  ToolMessage,
} from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import type { Place } from './served-pool.ts';
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
import { describeClient } from './table.ts';

const TOOL = {
  type: 'function',
  function: { name: WEATHER.name, description: WEATHER.description, parameters: WEATHER.schema },
} as const;

function modelOf(
  { fetch, baseUrl }: Place,
  { model = 'auto', temperature, freelm, maxRetries }: Call,
): ChatOpenAI {
  return new ChatOpenAI({
    model,
    apiKey: 'none',
    configuration: { baseURL: baseUrl, fetch },
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxRetries === undefined ? {} : { maxRetries }),
    // Goes into the body as it is.
    ...(freelm === undefined ? {} : { modelKwargs: { freelm } }),
  });
}

function optionsOf({ signal, report }: Call): { signal?: AbortSignal; tools?: (typeof TOOL)[] } {
  return { ...(signal === undefined ? {} : { signal }), ...(report === undefined ? {} : { tools: [TOOL] }) };
}

function reports({ tool_calls: calls = [] }: AIMessage, report: (city: string) => string): BaseMessage[] {
  return calls.map(
    ({ id = '', args }) => new ToolMessage({ tool_call_id: id, content: report(cityOf(args)) }),
  );
}

async function whole(model: ChatOpenAI, call: Call): Promise<Answer> {
  const messages: BaseMessage[] = [new HumanMessage(call.text)];
  for (;;) {
    const message = await model.invoke(messages, optionsOf(call));
    if (call.report === undefined || message.tool_calls?.length === 0) {
      return {
        text: message.text,
        reasoning: textIn(message.additional_kwargs, 'reasoning_content'),
        finishReason: textIn(message.response_metadata, 'finish_reason'),
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

function langchainClient(place: Place): Client {
  return {
    whole: (call) => whole(modelOf(place, call), call),
    pieces: (call) => pieces(modelOf(place, call), call),
    object: (call) =>
      modelOf(place, call)
        .withStructuredOutput<Record<string, unknown>>(ANSWER_SCHEMA, {
          name: 'answer',
          method: 'jsonSchema',
        })
        .invoke(call.text, optionsOf(call)),
    models: noModels,
    failure: (error) => failureOf(error, 'status'),
  };
}

describeClient('LangChain', { make: langchainClient, has: [] });
