/** The table of conversations by the library's own methods. */

import { type ChatMessage, type ChatResponse, tool } from '../../src/index.ts';
import {
  type Ask,
  COLOUR,
  describeConversations,
  type DialogueSettings,
  IMAGE_URL,
  type SeenAnswer,
  TASK,
  WEATHER,
} from '../support/conversations.ts';
import { PNG } from '../support/images.ts';
import type { SimulatedPool } from '../support/simulated-pool.ts';

const weather = tool(WEATHER);

function seen(text: string, responses: readonly ChatResponse[]): SeenAnswer {
  const calls = responses.flatMap(({ toolCalls }) => toolCalls);
  return {
    text,
    calls: calls.map((call) => ({ id: call.id, name: call.function.name, input: call.arguments })),
  };
}

function userMessage(text: string, images: boolean): ChatMessage {
  if (!images) return { role: 'user', content: text };
  const parts = [
    { type: 'text', text },
    { type: 'image', image: PNG },
    { type: 'image_url', image_url: { url: IMAGE_URL } },
  ];
  return { role: 'user', content: parts };
}

/** One turn after the other, each of which may go to a model of its own. */
function byTurns({ llm }: SimulatedPool, stream: boolean, nextModel: () => string): Ask {
  const messages: ChatMessage[] = [{ role: 'system', content: 'Answer briefly.' }];
  const turn = async (responses: readonly ChatResponse[]): Promise<SeenAnswer> => {
    const options = { model: nextModel(), tools: [weather] };
    const response = await (stream ? llm.stream(messages, options).response() : llm.chat(messages, options));
    const { text, toolCalls } = response;
    messages.push({
      role: 'assistant',
      content: text,
      ...(toolCalls.length > 0 && { tool_calls: toolCalls }),
    });
    if (toolCalls.length === 0) return seen(text, responses);
    for (const call of toolCalls) {
      const { city } = WEATHER.parameters.parse(call.arguments);
      messages.push({
        role: 'tool',
        tool_call_id: call.id,
        content: JSON.stringify(WEATHER.execute({ city })),
      });
    }
    return turn([...responses, response]);
  };
  return (question, images) => {
    messages.push(userMessage(question, images));
    return turn([]);
  };
}

function byRun({ llm }: SimulatedPool, { stream, tools: hasTools }: DialogueSettings): Ask {
  let messages: readonly ChatMessage[] = [];
  const tools = hasTools ? [weather] : [];
  return async (question, images) => {
    const given = [...messages, userMessage(question, images)];
    const result = await (stream ? llm.run(given, { tools, stream }).result() : llm.run(given, { tools }));
    messages = result.messages;
    return seen(
      result.text,
      result.turns.map(({ response }) => response),
    );
  };
}

describeConversations('the library', (pool, nextModel) => ({
  dialogue: (settings) =>
    nextModel === undefined ? byRun(pool, settings) : byTurns(pool, settings.stream, nextModel),
  object: async (stream) => {
    const options = { schema: COLOUR };
    const { data } = await (stream
      ? pool.llm.streamObject(TASK, options).result()
      : pool.llm.object(TASK, options));
    return data;
  },
  run: (promise) => pool.run(promise),
}));
