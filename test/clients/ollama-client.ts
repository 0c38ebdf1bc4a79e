/** How Ollama's client is used. It takes no signal, so its `fetch` carries one. */

import { type ChatRequest, type ChatResponse, type Message, Ollama, type Tool } from 'ollama';
import { ANSWER_SCHEMA, type Answer, type Call, cityOf, type Client, failureOf, WEATHER } from './client.ts';
import type { Place } from './served-pool.ts';

const TOOL: Tool = {
  type: 'function',
  function: {
    name: WEATHER.name,
    description: WEATHER.description,
    parameters: { ...WEATHER.schema, required: [...WEATHER.schema.required] },
  },
};

/** The client adds `/api` itself. */
export function ollamaAt({ fetch, baseUrl }: Place, signal?: AbortSignal): Ollama {
  const signalled: typeof fetch = (input, init) =>
    fetch(input, signal === undefined ? init : { ...init, signal });
  return new Ollama({ host: baseUrl.replace(/\/v1$/, ''), fetch: signalled });
}

function bodyOf({ model = 'auto', temperature, freelm, report }: Call, messages: Message[]): ChatRequest {
  return {
    model,
    messages,
    ...(report === undefined ? {} : { tools: [TOOL] }),
    ...(temperature === undefined ? {} : { options: { temperature } }),
    ...(freelm === undefined ? {} : { freelm }),
  };
}

/** The answer as the client gives it back, and the results of the tools. */
function nextMessages(message: Message, report: Call['report']): Message[] {
  const calls = report === undefined ? [] : (message.tool_calls ?? []);
  const results = calls.map((call) => ({
    role: 'tool',
    tool_name: call.function.name,
    content: report?.(cityOf(call.function.arguments)) ?? '',
  }));
  return results.length === 0 ? [] : [message, ...results];
}

/** The message that pieces add up to. */
export function joined(parts: readonly Message[]): Message {
  const message: Message = { role: 'assistant', content: '' };
  for (const { content, thinking, tool_calls: calls, ...rest } of parts) {
    message.content += content;
    if (thinking !== undefined) message.thinking = (message.thinking ?? '') + thinking;
    if (calls !== undefined) message.tool_calls = [...(message.tool_calls ?? []), ...calls];
    Object.assign(message, rest);
  }
  return message;
}

function answerOf({ message, done_reason, prompt_eval_count, eval_count }: ChatResponse): Answer {
  return {
    text: message.content,
    reasoning: message.thinking,
    finishReason: done_reason,
    tokens: prompt_eval_count + eval_count,
  };
}

async function whole(place: Place, call: Call): Promise<Answer> {
  const ollama = ollamaAt(place, call.signal);
  const messages: Message[] = [{ role: 'user', content: call.text }];
  for (;;) {
    const answer = await ollama.chat({ ...bodyOf(call, messages), stream: false });
    const next = nextMessages(answer.message, call.report);
    if (next.length === 0) return answerOf(answer);
    messages.push(...next);
  }
}

async function* pieces(place: Place, call: Call): AsyncGenerator<string> {
  const ollama = ollamaAt(place, call.signal);
  const messages: Message[] = [{ role: 'user', content: call.text }];
  for (;;) {
    const seen: Message[] = [];
    for await (const { message } of await ollama.chat({ ...bodyOf(call, messages), stream: true })) {
      seen.push(message);
      yield message.content;
    }
    const next = nextMessages(joined(seen), call.report);
    if (next.length === 0) return;
    messages.push(...next);
  }
}

async function object(place: Place, call: Call): Promise<unknown> {
  const body = bodyOf(call, [{ role: 'user', content: call.text }]);
  const { message } = await ollamaAt(place).chat({ ...body, stream: false, format: ANSWER_SCHEMA });
  return JSON.parse(message.content);
}

export function ollamaClient(place: Place): Client {
  return {
    whole: (call) => whole(place, call),
    pieces: (call) => pieces(place, call),
    object: (call) => object(place, call),
    models: async () => (await ollamaAt(place).list()).models.map(({ name }) => name),
    failure: (error) => failureOf(error, 'status_code'),
  };
}
