import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { libraryUrl } from '../support/library.ts';
import { completion, hangs, json, says, serve, serveTcp, type TestServer } from '../support/server.ts';
import { temporaryFolder } from './support.ts';

/** Runs a script of a user who never calls close(); gives what it printed, and how long it lived after that. */
async function run(
  server: TestServer,
  script: string,
): Promise<{ readonly output: string; readonly idleMs: number }> {
  const folder = temporaryFolder();
  const file = join(folder, 'script.mjs');
  writeFileSync(
    file,
    `import { FreeLLM, NIM, OpenRouter, OpenAICompatible } from '${libraryUrl('index.js')}';
     const url = '${server.url}';
     const options = { cacheDir: ${JSON.stringify(folder)} };
     const mine = new OpenAICompatible('a-key', { name: 'mine', baseUrl: url + '/v1', models: ['m'] });
     ${script}`,
  );
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill());
  let printedAt = Number.NaN;
  child.stdout.on('data', () => {
    printedAt = performance.now();
  });
  const [output, problems] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  expect([child.exitCode, problems]).toEqual([0, '']);
  return { output: output.trim(), idleMs: performance.now() - printedAt };
}

/** Answers chats, and lists nothing for ever. */
const hangingLists: Parameters<typeof serve>[0] = (request, response) => {
  if (request.method === 'POST') json(response, completion('fine'));
};

const ABORTED = `const controller = new AbortController();
  setTimeout(() => controller.abort('enough'), 100);
  const { signal } = controller;`;

const cases: readonly (readonly [string, () => Promise<TestServer>, string, string])[] = [
  [
    'after a call',
    () => serve(says('fine')),
    `console.log(await new FreeLLM({ ...options, providers: [mine] }).text('Hello'));`,
    'fine',
  ],
  [
    'while a list of models never comes',
    () => serve(hangingLists),
    `const providers = [new OpenRouter('a-key', { baseUrl: url }), new NIM('a-key', { baseUrl: url, discover: true })];
     console.log(await new FreeLLM({ ...options, providers }).text('Hello', { timeoutMs: 30_000 }));`,
    'fine',
  ],
  [
    'after a call was aborted while it waited, and another while it connected',
    () => serveTcp(),
    `${ABORTED}
     const silent = new OpenAICompatible('a-key', { name: 'silent', baseUrl: url.replace('http:', 'https:'), models: ['m'], rpm: 1 });
     const llm = new FreeLLM({ ...options, providers: [silent], wait: true, maxWaitMs: 90_000, timeoutMs: 90_000 });
     const calls = await Promise.allSettled([llm.text('Hello', { signal }), llm.text('Hello', { signal })]);
     console.log(calls.map(({ reason }) => reason).join());`,
    'enough,enough',
  ],
  [
    'after the deadline of a provider that hangs',
    () => serve(hangs),
    `console.log(await new FreeLLM({ ...options, providers: [mine] }).text('Hello', { timeoutMs: 100 }).catch(({ code }) => code));`,
    'deadline',
  ],
  [
    'but not before a refresh has come to its end',
    () =>
      serve(
        (_request, response) => void setTimeout(() => json(response, { data: [{ id: 'a/b:free' }] }), 300),
      ),
    `const llm = new FreeLLM({ ...options, providers: [new OpenRouter('a-key', { baseUrl: url })] });
     console.log((await llm.refreshModels()).filter(({ kind = 'chat' }) => kind === 'chat').map(({ id }) => id).join());`,
    'a/b:free',
  ],
];

it.each(cases)(
  'a process that never calls close() ends by itself %s',
  async (_when, start, script, printed) => {
    const { output, idleMs } = await run(await start(), script);
    expect(output).toBe(printed);
    // Every timer that could hold it up is longer.
    expect(idleMs).toBeLessThan(10_000);
  },
);
