/** The table of conversations by the SDK of OpenAI: `runTools`, `parse` and `stream`. */

import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import type { RunnableToolFunctionWithParse } from 'openai/lib/RunnableFunction';
import {
  type Ask,
  COLOUR,
  type DialogueSettings,
  IMAGE_URL,
  type SeenAnswer,
  TASK,
  WEATHER,
  WEATHER_SCHEMA,
} from '../support/conversations.ts';
import { PNG_URL } from '../support/images.ts';
import { describeClientConversations } from './conversations.ts';

type Message = OpenAI.ChatCompletionMessageParam;
type Chats = OpenAI['chat']['completions'];

const TOOL: RunnableToolFunctionWithParse<{ city: string }> = {
  type: 'function',
  function: {
    name: WEATHER.name,
    description: WEATHER.description,
    parameters: WEATHER_SCHEMA,
    parse: (input) => WEATHER.parameters.parse(JSON.parse(input)),
    function: WEATHER.execute,
  },
};

function userMessage(text: string, images: boolean): Message {
  if (!images) return { role: 'user', content: text };
  const urls = [PNG_URL, IMAGE_URL].map((url) => ({ type: 'image_url' as const, image_url: { url } }));
  return { role: 'user', content: [{ type: 'text', text }, ...urls] };
}

function seen(text: string | null, added: readonly Message[]): SeenAnswer {
  const calls = added.flatMap((message) => (message.role === 'assistant' ? (message.tool_calls ?? []) : []));
  return {
    text: text ?? '',
    calls: calls.flatMap((call) =>
      call.type === 'function'
        ? [{ id: call.id, name: call.function.name, input: JSON.parse(call.function.arguments) as unknown }]
        : [],
    ),
  };
}

function dialogue(chats: Chats, { stream, tools }: DialogueSettings): Ask {
  let messages: Message[] = [];
  const withTools = async (): Promise<SeenAnswer> => {
    const body = { model: 'auto', messages, tools: [TOOL] };
    const runner = stream ? chats.runTools({ ...body, stream }) : chats.runTools(body);
    const text = await runner.finalContent();
    const before = messages.length;
    messages = [...runner.messages];
    return seen(text, messages.slice(before));
  };
  const plainly = async (): Promise<SeenAnswer> => {
    const body = { model: 'auto', messages };
    const { choices } = await (stream ? chats.stream(body).finalChatCompletion() : chats.create(body));
    const text = choices[0]?.message.content ?? '';
    messages = [...messages, { role: 'assistant', content: text }];
    return seen(text, []);
  };
  return (question, images) => {
    messages = [...messages, userMessage(question, images)];
    return tools ? withTools() : plainly();
  };
}

describeClientConversations('openai', ({ fetch, baseUrl }) => {
  const chats = new OpenAI({ apiKey: 'none', baseURL: baseUrl, fetch, maxRetries: 0 }).chat.completions;
  return {
    dialogue: (settings) => dialogue(chats, settings),
    object: async (stream) => {
      const messages: Message[] = [{ role: 'user', content: TASK }];
      const body = { model: 'auto', messages, response_format: zodResponseFormat(COLOUR, 'colour') };
      const { choices } = await (stream ? chats.stream(body).finalChatCompletion() : chats.parse(body));
      return choices[0]?.message.parsed;
    },
  };
});
