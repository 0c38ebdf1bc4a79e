/** A Worker that makes a call and a stream. */

import { FreeLLM, OpenAICompatible } from 'freelm';

export default {
  async fetch(_, { BASE_URL: baseUrl, KEY: key, MODEL: model }) {
    const mine = new OpenAICompatible(key, { name: 'mine', baseUrl, models: [model] });
    const llm = new FreeLLM({ persist: false, providers: [mine] });
    try {
      let said = await llm.text('hello');
      for await (const part of llm.stream('streamed')) said += part;
      return new Response(said);
    } finally {
      await llm.close();
    }
  },
};
