import { agentsClient } from './agents-client.ts';
import { describeClient } from './table.ts';

describeClient("OpenAI's Agents SDK", {
  make: agentsClient,
  lacks: {
    models: 'It has no list of models.',
    retries: "They are those of OpenAI's client, which has a column.",
  },
  tooLong: [400, undefined],
});
