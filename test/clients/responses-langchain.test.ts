import { langchainClient } from './langchain-client.ts';
import { describeClient } from './table.ts';

describeClient('LangChain with useResponsesApi', {
  make: (place) => langchainClient(place, true),
  has: ['force'],
  tooLong: [undefined, undefined],
});
