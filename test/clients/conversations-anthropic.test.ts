/** The table of conversations by Anthropic's SDK: `create` and `stream` in a loop of tools, `output_config` for the schema. */

import Anthropic from '@anthropic-ai/sdk';
import { z } from 'zod';
import {
  type Ask,
  COLOUR,
  type DialogueSettings,
  IMAGE_URL,
  TASK,
  WEATHER,
  WEATHER_SCHEMA,
} from '../support/conversations.ts';
import { PNG_URL } from '../support/images.ts';
import { describeClientConversations } from './conversations.ts';

type Messages = Anthropic['messages'];
type Content = Anthropic.ContentBlockParam[];
type Body = Anthropic.MessageCreateParamsNonStreaming;

const TOOL: Anthropic.Tool = {
  name: WEATHER.name,
  description: WEATHER.description,
  input_schema: WEATHER_SCHEMA,
};

function question(text: string, images: boolean): Content {
  if (!images) return [{ type: 'text', text }];
  const data = PNG_URL.replace(/^data:image\/png;base64,/, '');
  return [
    { type: 'text', text },
    { type: 'image', source: { type: 'base64', media_type: 'image/png', data } },
    { type: 'image', source: { type: 'url', url: IMAGE_URL } },
  ];
}

function answerTo(messages: Messages, body: Body, stream: boolean): Promise<Anthropic.Message> {
  return stream ? messages.stream(body).finalMessage() : messages.create(body);
}

function textIn({ content }: Anthropic.Message): string {
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}

function resultOf({ id, input }: Anthropic.ToolUseBlock): Anthropic.ToolResultBlockParam {
  const output = WEATHER.execute(WEATHER.parameters.parse(input));
  return { type: 'tool_result', tool_use_id: id, content: JSON.stringify(output) };
}

function dialogue(api: Messages, { stream, tools: hasTools }: DialogueSettings): Ask {
  const messages: Anthropic.MessageParam[] = [];
  const tools = hasTools ? { tools: [TOOL] } : {};
  return async (text, images) => {
    const calls: Anthropic.ToolUseBlock[] = [];
    let next: Content = question(text, images);
    for (;;) {
      messages.push({ role: 'user', content: next });
      const answer = await answerTo(api, { model: 'auto', max_tokens: 1000, messages, ...tools }, stream);
      messages.push({ role: 'assistant', content: answer.content });
      const called = answer.content.filter((block) => block.type === 'tool_use');
      if (called.length === 0) {
        return {
          text: textIn(answer),
          calls: calls.map(({ id, name, input }) => ({ id, name, input })),
        };
      }
      calls.push(...called);
      next = called.map(resultOf);
    }
  };
}

describeClientConversations("Anthropic's SDK", ({ fetch, baseUrl }) => {
  const options = { apiKey: 'any', baseURL: baseUrl.replace(/\/v1$/, ''), fetch, maxRetries: 0 };
  const api = new Anthropic(options).messages;
  return {
    dialogue: (settings) => dialogue(api, settings),
    object: async (stream) => {
      const format = { type: 'json_schema' as const, schema: z.toJSONSchema(COLOUR) };
      const messages: Anthropic.MessageParam[] = [{ role: 'user', content: TASK }];
      const body: Body = { model: 'auto', max_tokens: 1000, messages, output_config: { format } };
      const value: unknown = JSON.parse(textIn(await answerTo(api, body, stream)));
      return value;
    },
  };
});
