import { agentsClient } from './agents-client.ts';
import { describeClient } from './table.ts';

describeClient("OpenAI's Agents SDK", { make: agentsClient, has: ['force'], tooLong: [400, undefined] });
