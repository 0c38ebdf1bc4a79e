/**
 * The real Codex over the server, with providers that fail now and then. It runs where the variable FREELM_CODEX names the
 * program (`npm install @openai/codex` in any folder), or where `codex` is on the path.
 */

import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FreeLLM, OpenAICompatible } from '../../src/index.ts';
import type { JsonObject, ReplyDetails, ReplyRequest, World } from '../../src/testing.ts';
import { temporaryFolder } from '../client/support.ts';
import { placeOf, worldOfTwo } from './served-pool.ts';

const LOCAL = '127.0.0.1';
/** Codex reads its own files, starts a shell three times, and asks four times. */
const TIMEOUT_MS = 60_000;
const FILES = ['one', 'two', 'three'] as const;
const DONE = 'All three files are there.';

function codexProgram(): string | undefined {
  const program = process.env['FREELM_CODEX'] ?? 'codex';
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return program;
  } catch {
    return undefined;
  }
}

function contentOf(file: string): string {
  return `${file} "quoted" ü`;
}

interface Way {
  readonly what: string;
  /** Codex offers the freeform tool to models that it knows to take it. */
  readonly model: string;
  /** How a model writes a file. */
  readonly call: (file: string) => { name: string; arguments: Record<string, unknown> };
}

const WAYS: readonly Way[] = [
  {
    what: 'three commands',
    model: 'auto',
    call: (file) => ({
      name: 'exec_command',
      arguments: { cmd: `echo '${contentOf(file)}' > ${file}.txt` },
    }),
  },
  {
    what: 'a freeform tool three times',
    model: 'gpt-5.5',
    call: (file) => ({
      name: 'apply_patch',
      arguments: {
        input: `*** Begin Patch\n*** Add File: ${file}.txt\n+${contentOf(file)}\n*** End Patch\n`,
      },
    }),
  },
];

/** Writes one file after the other, and is done when it has seen three results. */
function reply({ messages }: ReplyRequest, call: Way['call']): string | ReplyDetails {
  const done = messages.filter(({ role }) => role === 'tool').length;
  const file = FILES[done];
  if (file === undefined) return DONE;
  const toolCalls = [{ id: `call_${done}`, ...call(file) }];
  return { reasoning: `Now ${file}.`, text: `Writing ${file}.`, toolCalls };
}

function poolOver({ custom, nim }: World): FreeLLM {
  const tags = ['chat', 'tools', 'large'];
  const make = (name: string, { keys, baseUrl }: World['nim'], id: string): OpenAICompatible =>
    new OpenAICompatible([...keys], { name, baseUrl, models: [{ id, tags }], discover: false });
  const providers = [make('first', custom, 'custom-large'), make('second', nim, 'z-ai/glm-5.3')];
  const llm = new FreeLLM({ providers, cacheDir: temporaryFolder(), persist: false });
  onTestFinished(() => llm.close());
  return llm;
}

interface Run {
  readonly folder: string;
  readonly said: string;
}

/** Runs Codex in an empty folder, with a home of its own, which has no other server to talk to. */
async function runCodex(program: string, baseUrl: string, model: string): Promise<Run> {
  const [folder, home] = [temporaryFolder(), temporaryFolder()];
  const settings = {
    model,
    model_provider: 'freelm',
    'model_providers.freelm.name': 'freelm',
    'model_providers.freelm.base_url': baseUrl,
    'model_providers.freelm.wire_api': 'responses',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => [
    '-c',
    `${name}=${JSON.stringify(value)}`,
  ]);
  const running = promisify(execFile)(
    program,
    [
      'exec',
      '--skip-git-repo-check',
      '--dangerously-bypass-approvals-and-sandbox',
      ...flags,
      'Write three files.',
    ],
    {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: home, CODEX_HOME: home, NO_PROXY: LOCAL },
      timeout: TIMEOUT_MS,
    },
  );
  // It waits for more of its task otherwise.
  running.child.stdin?.end();
  const { stdout } = await running;
  return { folder, said: stdout };
}

/** The tool messages of the last request. */
function resultsIn(body: JsonObject | undefined): readonly unknown[] {
  const messages: unknown = body?.['messages'];
  return Array.isArray(messages) ? messages.filter((message: JsonObject) => message['role'] === 'tool') : [];
}

describe.each(WAYS)('Codex uses $what', ({ model, call }) => {
  it(
    'although providers fail and a stream breaks off',
    async ({ skip }) => {
      const program = codexProgram();
      if (program === undefined) {
        skip('Codex is not installed: set FREELM_CODEX to its program');
        return;
      }
      const { simulated, heard } = await worldOfTwo((request) => reply(request, call));
      simulated.custom.script({ kind: 'server-error', times: 1 });
      simulated.custom.script({ kind: 'cut', skip: 1, times: 1 });
      simulated.nim.script({ kind: 'reset', skip: 1, times: 1 });
      const { baseUrl } = await placeOf('the gateway', poolOver(simulated));
      const { folder, said } = await runCodex(program, baseUrl, model);
      expect(said.trim()).toBe(DONE);
      const contents = FILES.map((file) => readFileSync(path.join(folder, `${file}.txt`), 'utf8').trim());
      expect(contents).toEqual(FILES.map(contentOf));
      expect(resultsIn(heard.at(-1))).toHaveLength(FILES.length);
      expect(simulated.counts.total).toBeGreaterThan(heard.length);
    },
    TIMEOUT_MS,
  );
});
