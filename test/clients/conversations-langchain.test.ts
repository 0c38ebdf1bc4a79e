/** The table of conversations by LangChain: `createAgent` and `withStructuredOutput`. */

import { AIMessage, type BaseMessage, HumanMessage } from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import { createAgent, tool } from 'langchain';
import {
  type Ask,
  COLOUR,
  type DialogueSettings,
  IMAGE_URL,
  type SeenAnswer,
  TASK,
  WEATHER,
} from '../support/conversations.ts';
import { PNG_URL } from '../support/images.ts';
import { describeClientConversations } from './conversations.ts';
import type { Place } from './served-pool.ts';

const { name, description, parameters, execute } = WEATHER;
const TOOL = tool((input) => JSON.stringify(execute(input)), { name, description, schema: parameters });

function userMessage(text: string, images: boolean): HumanMessage {
  if (!images) return new HumanMessage(text);
  const parts = [PNG_URL, IMAGE_URL].map((url) => ({ type: 'image_url', image_url: { url } }));
  return new HumanMessage({ content: [{ type: 'text', text }, ...parts] });
}

function modelAt({ fetch, baseUrl }: Place, useResponsesApi: boolean): ChatOpenAI {
  const configuration = { baseURL: baseUrl, fetch };
  return new ChatOpenAI({ model: 'auto', apiKey: 'none', configuration, maxRetries: 0, useResponsesApi });
}

function seen(added: readonly BaseMessage[]): SeenAnswer {
  const calls = added.flatMap((message) => (AIMessage.isInstance(message) ? (message.tool_calls ?? []) : []));
  return {
    text: added.at(-1)?.text ?? '',
    calls: calls.map(({ id = '', name: called, args }) => ({ id, name: called, input: args })),
  };
}

function dialogue(model: ChatOpenAI, { stream, tools }: DialogueSettings): Ask {
  const agent = createAgent({ model, tools: tools ? [TOOL] : [] });
  let messages: BaseMessage[] = [];
  return async (question, images) => {
    const asked = [...messages, userMessage(question, images)];
    if (stream) {
      // The mode "messages" lets the model stream, "values" has the conversation.
      const parts = await agent.stream({ messages: asked }, { streamMode: ['messages', 'values'] });
      for await (const [mode, value] of parts) if (mode === 'values') ({ messages } = value);
    } else ({ messages } = await agent.invoke({ messages: asked }));
    return seen(messages.slice(asked.length));
  };
}

function describeLangChain(what: string, useResponsesApi: boolean): void {
  describeClientConversations(what, (place) => {
    const model = modelAt(place, useResponsesApi);
    return {
      dialogue: (settings) => dialogue(model, settings),
      object: async (stream) => {
        const asking = model.withStructuredOutput(COLOUR, { name: 'colour', method: 'jsonSchema' });
        if (!stream) return asking.invoke(TASK);
        let value: unknown;
        for await (const partial of await asking.stream(TASK)) value = partial;
        return value;
      },
    };
  });
}

describeLangChain('LangChain', false);
describeLangChain('LangChain with useResponsesApi', true);
