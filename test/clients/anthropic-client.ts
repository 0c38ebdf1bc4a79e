/** How Anthropic's SDK is used. */

import Anthropic from '@anthropic-ai/sdk';
import {
  ANSWER_SCHEMA,
  type Answer,
  type Call,
  cityOf,
  type Client,
  failureOf,
  idsOf,
  WEATHER,
} from './client.ts';
import type { Place } from './served-pool.ts';

/** The version of the API that still takes a temperature. */
const OLDER = { 'anthropic-version': '2023-06-01' };

const TOOL: Anthropic.Tool = {
  name: WEATHER.name,
  description: WEATHER.description,
  input_schema: { ...WEATHER.schema, required: [...WEATHER.schema.required] },
};

/** The SDK adds `/v1` itself. */
export function sdkAt({ fetch, baseUrl }: Place): Anthropic {
  return new Anthropic({ baseURL: baseUrl.replace(/\/v1$/, ''), apiKey: 'any', fetch });
}

function bodyOf(
  call: Call,
  messages: readonly Anthropic.MessageParam[],
): Anthropic.MessageCreateParamsNonStreaming {
  const { model = 'auto', temperature, freelm, report, force = false } = call;
  return {
    model,
    max_tokens: 4096,
    messages: [...messages],
    ...(report === undefined ? {} : { tools: [TOOL] }),
    ...(force && messages.length === 1 ? { tool_choice: { type: 'tool', name: WEATHER.name } } : {}),
    ...(temperature === undefined ? {} : { temperature }),
    ...(freelm === undefined ? {} : { freelm }),
  };
}

function optionsOf({ signal, maxRetries, temperature }: Call): Anthropic.RequestOptions {
  return {
    signal,
    ...(maxRetries === undefined ? {} : { maxRetries }),
    ...(temperature === undefined ? {} : { headers: OLDER }),
  };
}

/** The answer as the client gives it back, and the results of the tools. */
function nextMessages(
  { content }: Anthropic.Message,
  report: (city: string) => string,
): Anthropic.MessageParam[] {
  const results = content.flatMap((block) =>
    block.type === 'tool_use'
      ? [{ type: 'tool_result' as const, tool_use_id: block.id, content: report(cityOf(block.input)) }]
      : [],
  );
  if (results.length === 0) return [];
  return [
    { role: 'assistant', content },
    { role: 'user', content: results },
  ];
}

function answerOf({ content, stop_reason, usage }: Anthropic.Message): Answer {
  const texts = content.flatMap((block) => (block.type === 'text' ? [block.text] : []));
  const thoughts = content.flatMap((block) => (block.type === 'thinking' ? [block.thinking] : []));
  return {
    text: texts.join(''),
    reasoning: thoughts.length === 0 ? undefined : thoughts.join(''),
    finishReason: stop_reason === 'end_turn' ? 'stop' : (stop_reason ?? undefined),
    tokens: usage.input_tokens + usage.output_tokens,
  };
}

async function whole(sdk: Anthropic, call: Call): Promise<Answer> {
  const messages: Anthropic.MessageParam[] = [{ role: 'user', content: call.text }];
  for (;;) {
    const message = await sdk.messages.create(bodyOf(call, messages), optionsOf(call));
    const next = call.report === undefined ? [] : nextMessages(message, call.report);
    if (next.length === 0) return answerOf(message);
    messages.push(...next);
  }
}

async function* pieces(sdk: Anthropic, call: Call): AsyncGenerator<string> {
  const messages: Anthropic.MessageParam[] = [{ role: 'user', content: call.text }];
  for (;;) {
    const stream = sdk.messages.stream(bodyOf(call, messages), optionsOf(call));
    for await (const event of stream) {
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') yield event.delta.text;
    }
    const next = call.report === undefined ? [] : nextMessages(await stream.finalMessage(), call.report);
    if (next.length === 0) return;
    messages.push(...next);
  }
}

async function object(sdk: Anthropic, call: Call): Promise<unknown> {
  const body = bodyOf(call, [{ role: 'user', content: call.text }]);
  const schema = { ...ANSWER_SCHEMA };
  const message = await sdk.messages.create({
    ...body,
    output_config: { format: { type: 'json_schema', schema } },
  });
  return JSON.parse(answerOf(message).text);
}

export function anthropicClient(place: Place): Client {
  const sdk = sdkAt(place);
  return {
    whole: (call) => whole(sdk, call),
    pieces: (call) => pieces(sdk, call),
    object: (call) => object(sdk, call),
    models: () => idsOf(sdk.models.list()),
    failure: (error) => failureOf(error, 'status'),
  };
}
