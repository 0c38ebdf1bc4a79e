/** A call and a stream in jest, whose `require` takes no ES modules. */
/* global expect, test */

const { FreeLLM, OpenRouter } = require('freelm');
const OpenAI = require('freelm/compat');
const { startWorld } = require('freelm/testing');

test('a call and a stream', async () => {
  const world = await startWorld({ reply: ({ lastUserText }) => `You said: ${lastUserText}` });
  const { keys, baseUrl } = world.openrouter;
  const llm = new FreeLLM({ persist: false, providers: [new OpenRouter(keys, { baseUrl })] });
  expect(await llm.text('hello')).toBe('You said: hello');
  let streamed = '';
  for await (const part of llm.stream('streamed')) streamed += part;
  expect(streamed).toBe('You said: streamed');
  const { data } = await new OpenAI({ freelm: llm }).models.list();
  expect(data[0].id).toBe('auto');
  await llm.close();
  await world.close();
}, 60_000);
