/** A process with a pool, for tests of what processes share. Arguments: the compiled library, and a job as JSON. */

import os from 'node:os';

const [, , library = '', job = ''] = process.argv;
// oxlint-disable typescript/no-unsafe-assignment -- the types stand beside

/** @type {import('./processes.ts').Job} */
const given = JSON.parse(job);
if (given.isHomeless === true) {
  delete process.env['XDG_CACHE_HOME'];
  os.homedir = () => {
    throw new Error('uv_os_homedir returned ENOENT');
  };
}
/** @type {typeof import('../../src/index.ts')} */
const { FreeLLM, FreeLLMError, OpenAICompatible } = await import(library);
const {
  cacheDir,
  url = 'https://mine.test',
  calls = Infinity,
  provider = {},
  pool = {},
  isFake = false,
} = given;

const answer = {
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'fine' }, finish_reason: 'stop' }],
};

const mine = new OpenAICompatible('a-key', {
  name: 'mine',
  baseUrl: `${url}/v1`,
  models: ['m'],
  ...provider,
});
const llm = new FreeLLM({
  providers: [mine],
  cacheDir,
  persist: true,
  ...pool,
  ...(isFake ? { fetch: () => Promise.resolve(Response.json(answer)) } : {}),
  onEvent: (event) => {
    if (event.type === 'warning') console.log(`warning ${event.message}`);
  },
});

let served = 0;
for (let call = 0; call < calls; call += 1) {
  try {
    await llm.text('Hello');
    served += 1;
    if (served === 1) console.log('first');
  } catch (error) {
    const code = FreeLLMError.is(error) ? error.code : undefined;
    if (code !== 'no_providers_available') console.log(`error ${String(error)}`);
  }
}
console.log(`served ${served}`);
await llm.close();
