import { createAnthropic } from '@ai-sdk/anthropic';
import { aiClient, type MakeModel } from './ai-client.ts';
import { describeClient } from './table.ts';

const messages: MakeModel = ({ fetch, baseUrl }, name) =>
  createAnthropic({ baseURL: baseUrl, fetch, apiKey: 'any' })(name);

describeClient("the AI SDK's Anthropic provider", {
  make: aiClient(messages),
  lacks: { models: 'It has no list of models.' },
  retriesInVain: true,
  clampsTemperature: true,
  downStatus: 529,
});
