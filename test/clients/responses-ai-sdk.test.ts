import { createOpenAI } from '@ai-sdk/openai';
import { aiClient, type MakeModel } from './ai-client.ts';
import { describeClient } from './table.ts';

const responses: MakeModel = ({ fetch, baseUrl }, name) =>
  createOpenAI({ baseURL: baseUrl, fetch, apiKey: 'any' })(name);

describeClient("the AI SDK's OpenAI provider", {
  make: aiClient(responses),
  lacks: { models: 'It has no list of models.' },
  retriesInVain: true,
});
