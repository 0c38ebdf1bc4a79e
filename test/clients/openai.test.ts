import OpenAI from 'openai';
import { sdkClient } from './sdk-client.ts';
import { describeClient } from './table.ts';

describeClient('openai', {
  make: ({ fetch, baseUrl }) => sdkClient(new OpenAI({ apiKey: 'none', baseURL: baseUrl, fetch })),
  has: ['models', 'retries'],
});
