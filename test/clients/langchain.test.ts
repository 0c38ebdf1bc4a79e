import { langchainClient } from './langchain-client.ts';
import { describeClient } from './table.ts';

describeClient('LangChain', {
  make: (place) => langchainClient(place),
  has: ['force'],
  tooLong: [undefined, undefined],
});
