import OpenAI from '../../src/compat.ts';
import type { FreeLLM } from '../../src/index.ts';
import type { Place } from './served-pool.ts';
import { responsesClient } from './responses-client.ts';
import { sdkClient } from './sdk-client.ts';
import { describeClient } from './table.ts';

/** The pool with another `fetch`: compat knows no other way to it. */
function reachedBy(llm: FreeLLM, { fetch, baseUrl }: Place): FreeLLM {
  const moved: FreeLLM['fetch'] = (input, init) =>
    fetch(typeof input === 'string' ? input.replace('http://freelm.invalid/v1', baseUrl) : input, init);
  return new Proxy(llm, {
    get: (target, name): unknown => (name === 'fetch' ? moved : Reflect.get(target, name)),
  });
}

describeClient('freelm/compat', {
  make: (place, { llm }) => sdkClient(new OpenAI({ freelm: reachedBy(llm, place), maxRetries: 2 })),
  lacks: {},
});

describeClient('responses of freelm/compat', {
  make: (place, { llm }) => responsesClient(new OpenAI({ freelm: reachedBy(llm, place), maxRetries: 2 })),
  lacks: {},
  tooLong: [400, undefined],
});
