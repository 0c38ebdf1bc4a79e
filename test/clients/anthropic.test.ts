import { anthropicClient } from './anthropic-client.ts';
import { describeClient } from './table.ts';

describeClient("Anthropic's SDK", {
  make: anthropicClient,
  lacks: { models: 'Its list begins with names of Claude: rest/messages/models.test.ts has it.' },
  downStatus: 529,
});
