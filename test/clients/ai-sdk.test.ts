import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { aiClient, type MakeModel } from './ai-client.ts';
import { describeClient } from './table.ts';

const compatible: MakeModel = ({ fetch, baseUrl }, name) =>
  createOpenAICompatible({
    name: 'freelm',
    baseURL: baseUrl,
    fetch,
    includeUsage: true,
    supportsStructuredOutputs: true,
  })(name);

describeClient('the AI SDK', {
  make: aiClient(compatible),
  lacks: { models: 'It has no list of models.' },
  retriesInVain: true,
});
