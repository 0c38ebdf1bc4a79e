/** The table of conversations by Ollama's client. Its images are bytes only, so both are. */

import type { ChatRequest, Message, Ollama, Tool } from 'ollama';
import { z } from 'zod';
import {
  type Ask,
  COLOUR,
  type DialogueSettings,
  TASK,
  WEATHER,
  WEATHER_SCHEMA,
} from '../support/conversations.ts';
import { PNG } from '../support/images.ts';
import { describeClientConversations } from './conversations.ts';
import { joined, ollamaAt } from './ollama-client.ts';

const TOOL: Tool = {
  type: 'function',
  function: {
    name: WEATHER.name,
    description: WEATHER.description,
    parameters: WEATHER_SCHEMA,
  },
};

async function answerTo(ollama: Ollama, body: ChatRequest, stream: boolean): Promise<Message> {
  if (!stream) return (await ollama.chat({ ...body, stream })).message;
  const pieces: Message[] = [];
  for await (const { message } of await ollama.chat({ ...body, stream })) pieces.push(message);
  return joined(pieces);
}

function resultOf({ name, arguments: input }: { name: string; arguments: unknown }): Message {
  const output = WEATHER.execute(WEATHER.parameters.parse(input));
  return { role: 'tool', tool_name: name, content: JSON.stringify(output) };
}

function dialogue(ollama: Ollama, { stream, tools: hasTools }: DialogueSettings): Ask {
  const messages: Message[] = [];
  return async (text, images) => {
    messages.push({ role: 'user', content: text, ...(images ? { images: [PNG, PNG] } : {}) });
    const calls: { readonly id: string; readonly name: string; readonly input: unknown }[] = [];
    for (;;) {
      const body = { model: 'auto', messages, ...(hasTools ? { tools: [TOOL] } : {}) };
      const answer = await answerTo(ollama, body, stream);
      messages.push(answer);
      const called = answer.tool_calls ?? [];
      if (called.length === 0) return { text: answer.content, calls };
      for (const call of called) {
        const { name, arguments: input } = call.function;
        calls.push({ id: String(Reflect.get(call, 'id')), name, input });
      }
      messages.push(...called.map((call) => resultOf(call.function)));
    }
  };
}

describeClientConversations("Ollama's client", (place) => {
  const ollama = ollamaAt(place);
  return {
    dialogue: (settings) => dialogue(ollama, settings),
    object: async (stream) => {
      const messages: Message[] = [{ role: 'user', content: TASK }];
      const body = { model: 'auto', messages, format: z.toJSONSchema(COLOUR) };
      const value: unknown = JSON.parse((await answerTo(ollama, body, stream)).content);
      return value;
    },
  };
});
