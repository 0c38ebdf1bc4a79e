import { langchainClient } from './langchain-client.ts';
import { describeClient } from './table.ts';

describeClient('LangChain with useResponsesApi', {
  make: (place) => langchainClient(place, true),
  lacks: { models: 'It has no list of models.', retries: 'It waits by itself, whatever `retry-after` says.' },
  tooLong: [undefined, undefined],
});
