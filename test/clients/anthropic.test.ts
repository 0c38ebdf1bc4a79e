import { anthropicClient } from './anthropic-client.ts';
import { describeClient } from './table.ts';

describeClient("Anthropic's SDK", { make: anthropicClient, has: ['retries'], downStatus: 529 });
