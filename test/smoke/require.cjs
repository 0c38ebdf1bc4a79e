/** Checks the installed package from CommonJS. */

const assert = require('node:assert/strict');
const { FreeLLM, FreeLLMError, OpenAICompatible } = require('freelm');
const OpenAI = require('freelm/compat');
const { startWorld } = require('freelm/testing');

// As in OpenAI's SDK, the export is the class, with everything else attached to it.
assert.equal(OpenAI, OpenAI.OpenAI);
assert.equal(OpenAI, OpenAI.default);
for (const name of ['APIPromise', 'PagePromise', 'RateLimitError', 'Stream']) {
  assert.equal(typeof OpenAI[name], 'function', name);
}

async function main() {
  const world = await startWorld();
  const providers = [
    new OpenAICompatible(world.custom.keys, {
      name: 'mine',
      baseUrl: world.custom.baseUrl,
      models: [...world.custom.models],
    }),
  ];
  const llm = new FreeLLM({ providers, persist: false });
  assert.match(await llm.text('hello'), /hello/);
  const { data } = await new OpenAI({ freelm: llm }).models.list();
  assert.equal(data[0].id, 'auto');
  await llm.close();
  await world.close();
  await assert.rejects(llm.text('hello'), (error) => FreeLLMError.is(error) && error.code === 'closed');
}

main()
  .then(() => console.log('require: works'))
  .catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
