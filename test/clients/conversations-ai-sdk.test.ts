/** The table of conversations by the AI SDK: `generateText` and `streamText` with tools, `generateObject`, `streamObject`. */

import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import {
  generateObject,
  generateText,
  type LanguageModel,
  type ModelMessage,
  stepCountIs,
  streamObject,
  streamText,
  tool,
} from 'ai';
import {
  type Ask,
  COLOUR,
  type DialogueSettings,
  IMAGE_URL,
  type SeenAnswer,
  TASK,
  WEATHER,
} from '../support/conversations.ts';
import { PNG } from '../support/images.ts';
import { describeClientConversations } from './conversations.ts';
import type { Place } from './served-pool.ts';

/** Of models that it does not know, the Anthropic provider asks for a forced call in place of a schema. */
const WITH_SCHEMA = { anthropic: { structuredOutputMode: 'outputFormat' } };

const { name, description, parameters, execute } = WEATHER;
const TOOLS = { [name]: tool({ description, inputSchema: parameters, execute }) };

function userMessage(text: string, images: boolean): ModelMessage {
  if (!images) return { role: 'user', content: text };
  const parts = [PNG, new URL(IMAGE_URL)].map((image) => ({ type: 'image' as const, image }));
  return { role: 'user', content: [{ type: 'text', text }, ...parts] };
}

interface Step {
  readonly toolCalls: readonly { toolCallId: string; toolName: string; input: unknown }[];
}

function seen(text: string, steps: readonly Step[]): SeenAnswer {
  const calls = steps.flatMap(({ toolCalls }) => toolCalls);
  return {
    text,
    calls: calls.map(({ toolCallId: id, toolName, input }) => ({ id, name: toolName, input })),
  };
}

function dialogue(model: LanguageModel, { stream, tools: hasTools }: DialogueSettings): Ask {
  let messages: ModelMessage[] = [];
  return async (question, images) => {
    messages = [...messages, userMessage(question, images)];
    const tools = hasTools ? { tools: TOOLS } : {};
    const settings = { model, messages, ...tools, stopWhen: stepCountIs(5), maxRetries: 0 };
    const result = stream ? streamText(settings) : await generateText(settings);
    const [text, steps, response] = await Promise.all([result.text, result.steps, result.response]);
    messages = [...messages, ...response.messages];
    return seen(text, steps);
  };
}

function describeAiSdk(client: string, modelAt: (place: Place) => LanguageModel): void {
  describeClientConversations(client, (place) => {
    const model = modelAt(place);
    return {
      dialogue: (settings) => dialogue(model, settings),
      object: async (stream) => {
        const settings = { model, prompt: TASK, schema: COLOUR, maxRetries: 0, providerOptions: WITH_SCHEMA };
        if (!stream) return (await generateObject(settings)).object;
        const { partialObjectStream } = streamObject(settings);
        let value: unknown;
        for await (const partial of partialObjectStream) value = partial;
        return value;
      },
    };
  });
}

describeAiSdk('the AI SDK', ({ fetch, baseUrl }) =>
  createOpenAICompatible({
    name: 'freelm',
    baseURL: baseUrl,
    fetch,
    supportsStructuredOutputs: true,
    supportedUrls: () => ({ 'image/*': [/^https:/] }),
  })('auto'),
);

describeAiSdk("the AI SDK's Anthropic provider", ({ fetch, baseUrl }) =>
  createAnthropic({ baseURL: baseUrl, fetch, apiKey: 'any' })('auto'),
);

describeAiSdk("the AI SDK's OpenAI provider", ({ fetch, baseUrl }) =>
  createOpenAI({ baseURL: baseUrl, fetch, apiKey: 'any' })('auto'),
);
