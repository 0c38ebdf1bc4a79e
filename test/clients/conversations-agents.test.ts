/** The table of conversations by OpenAI's Agents SDK, with its default of Responses. */

import { Agent, type AgentInputItem, type Runner, tool, user } from '@openai/agents-core';
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
import { runnerAt } from './agents-client.ts';
import { describeClientConversations } from './conversations.ts';

const { name, description, parameters, execute } = WEATHER;

/** Not strict: a strict schema has no field that can be left out. */
const TOOL = tool({
  name,
  description,
  parameters: { ...WEATHER_SCHEMA, additionalProperties: true },
  strict: false,
  execute: (input) => execute(parameters.parse(input)),
});

function userItem(text: string, images: boolean): AgentInputItem {
  if (!images) return user(text);
  const parts = [PNG_URL, IMAGE_URL].map((image) => ({ type: 'input_image' as const, image }));
  return user([{ type: 'input_text', text }, ...parts]);
}

function dialogue(runner: Runner, { stream, tools }: DialogueSettings): Ask {
  const agent = new Agent({ name: 'helper', model: 'auto', tools: tools ? [TOOL] : [] });
  let items: AgentInputItem[] = [];
  return async (question, images) => {
    const asked = [...items, userItem(question, images)];
    const result = stream ? await runner.run(agent, asked, { stream: true }) : await runner.run(agent, asked);
    if ('completed' in result) await result.completed;
    items = result.history;
    const calls = result.newItems.flatMap(({ rawItem }) =>
      rawItem?.type === 'function_call' ? [rawItem] : [],
    );
    return {
      text: result.finalOutput ?? '',
      calls: calls.map(({ callId: id, name: called, arguments: given }) => ({
        id,
        name: called,
        input: JSON.parse(given) as unknown,
      })),
    };
  };
}

describeClientConversations("OpenAI's Agents SDK", (place) => {
  const runner = runnerAt(place);
  return {
    dialogue: (settings) => dialogue(runner, settings),
    object: async (stream) => {
      const agent = new Agent({ name: 'painter', model: 'auto', outputType: COLOUR });
      if (!stream) return (await runner.run(agent, TASK)).finalOutput;
      const result = await runner.run(agent, TASK, { stream: true });
      await result.completed;
      return result.finalOutput;
    },
  };
});
