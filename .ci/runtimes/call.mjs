/** A call and a stream over the embedded world. Bundlers bundle this file. */

import assert from 'node:assert/strict';
import { FreeLLM, OpenRouter } from 'freelm';
import { startWorld } from 'freelm/testing';

async function main() {
  const world = await startWorld({ reply: ({ lastUserText }) => `You said: ${lastUserText}` });
  const { keys, baseUrl } = world.openrouter;
  const llm = new FreeLLM({ persist: false, providers: [new OpenRouter(keys, { baseUrl })] });
  try {
    assert.equal(await llm.text('hello'), 'You said: hello');
    let streamed = '';
    for await (const part of llm.stream('streamed')) streamed += part;
    assert.equal(streamed, 'You said: streamed');
  } finally {
    await llm.close();
    await world.close();
  }
}

export const done = main();
