/** `freelm demo`: the main job on the embedded world, so that a person sees what happens inside. */

import path from 'node:path';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import {
  type ChatOptions,
  FreeLLM,
  FreeLLMError,
  type AttemptEndEvent,
  type FreeLLMEvent,
  GoogleAIStudio,
  NIM,
  OpenRouter,
  type Provider,
} from '../index.ts';
import { startWorld, type World } from '../testing.ts';
import { attemptLine, keyTable } from './text.ts';
import type { Shell } from './shell.ts';

/** One scene: what breaks, and what is asked meanwhile. */
interface Scene {
  readonly title: string;
  readonly calls: number;
  /** Whether the calls are made all at once, and only their sum is shown. */
  readonly atOnce?: boolean;
  /** Whether the answer is streamed. */
  readonly streamed?: boolean;
  readonly model?: string;
  prepare?(world: World): void;
}

const OPENROUTER_MODEL = 'z-ai/glm-5.2:free';

const SCENES: readonly Scene[] = [
  { title: 'All is well: the quota that comes back soonest is spent first', calls: 1 },
  {
    title: 'NVIDIA NIM goes down: a page instead of an answer, then nothing but resets',
    calls: 1,
    prepare: (world) => {
      world.nim.script({ kind: 'outage', times: 1 });
      world.nim.script({ kind: 'reset', skip: 1 });
    },
  },
  { title: 'It stays down: after three failures its circuit breaker opens', calls: 2 },
  { title: 'Still down, and nobody knocks at its door any more', calls: 1 },
  {
    title: 'Google takes a request and never answers: the attempt is given up, the call is not',
    calls: 1,
    prepare: (world) => {
      world.nim.clear();
      world.google.script({ kind: 'hang', times: 1 });
    },
  },
  {
    title: 'OpenRouter: one account has no credit left',
    calls: 1,
    model: OPENROUTER_MODEL,
    prepare: (world) => world.openrouter.script({ kind: 'out-of-credits', account: 'account-2' }),
  },
  {
    title: 'And one of its keys is dead',
    calls: 1,
    model: OPENROUTER_MODEL,
    prepare: (world) => world.openrouter.script({ kind: 'unauthorized', account: 'account-1' }),
  },
  { title: 'Both are remembered: straight to the key that works', calls: 1, model: OPENROUTER_MODEL },
  {
    title: 'A stream is cut after seven words: another provider goes on, and the reader sees one text',
    calls: 1,
    streamed: true,
    prepare: (world) => world.google.script({ kind: 'cut', afterTokens: 7, as: 'reset', times: 1 }),
  },
  {
    title: 'Sixty calls at once: every key is paced to its limits, so that nobody is refused',
    calls: 60,
    atOnce: true,
  },
];

function providersOf(world: World): readonly Provider[] {
  return [
    new OpenRouter(world.openrouter.keys, { baseUrl: world.openrouter.baseUrl }),
    new GoogleAIStudio(world.google.keys, { baseUrl: world.google.baseUrl }),
    new NIM(world.nim.keys, { baseUrl: world.nim.baseUrl }),
  ];
}

/** Says how a scene of many calls went: one line for all of them. */
function summaryOf(outcomes: readonly AttemptEndEvent[], calls: number): string {
  const served = new Map<string, number>();
  let refused = 0;
  for (const { outcome, provider } of outcomes) {
    if (outcome === 'success') served.set(provider, (served.get(provider) ?? 0) + 1);
    else refused += 1;
  }
  const shares = [...served].map(([provider, count]) => `${provider} ${count}`).join(', ');
  return `    ${[...served.values()].reduce((a, b) => a + b, 0)} of ${calls} served (${shares}), ${refused} upstream refusals`;
}

const QUESTION = 'Explain black holes in one sentence.';

/** The text of a stream; a bar stands where another provider took over. */
async function streamed(llm: FreeLLM, options: ChatOptions): Promise<string> {
  let text = '';
  let isResumed = false;
  for await (const part of llm.stream(QUESTION, options).parts()) {
    if (part.type !== 'text') continue;
    if (part.resumed === true && !isResumed) text += ' ┃';
    isResumed ||= part.resumed === true;
    text += part.text;
  }
  return text;
}

/** Where the demo writes a line. */
type Say = (line: string) => void;

async function play(scene: Scene, llm: FreeLLM, { out: { paint }, signal }: Shell, say: Say): Promise<void> {
  const ask = async (): Promise<void> => {
    try {
      const options = { model: scene.model, signal };
      const text = scene.streamed === true ? await streamed(llm, options) : await llm.text(QUESTION, options);
      if (scene.atOnce !== true) say(`      ${paint('dim', `“${text}”`)}`);
    } catch (error) {
      if (!FreeLLMError.is(error)) throw error;
      say(`      ${paint('red', error.message)}`);
    }
  };
  if (scene.atOnce === true) await Promise.all(Array.from({ length: scene.calls }, ask));
  else for (let call = 0; call < scene.calls; call += 1) await ask();
}

/** Plays the scenes and shows every attempt as it goes. */
export async function demo(shell: Shell): Promise<void> {
  const { paint } = shell.out;
  const say: Say = (line) => {
    void shell.out.write(`${line}\n`);
  };
  const cacheDir = await mkdtemp(path.join(tmpdir(), 'freelm-demo-'));
  const world = await startWorld({
    openrouter: { keys: 3, latencyMs: 30 },
    google: { keys: 2, latencyMs: 40 },
    nim: { keys: 2, latencyMs: 60 },
    reply: () => 'A black hole is a place that keeps whatever comes too near, light included.',
  });
  let heard: AttemptEndEvent[] = [];
  let quiet = false;
  const onEvent = (event: FreeLLMEvent): void => {
    if (event.type !== 'attempt-end') return;
    heard.push(event);
    if (!quiet) say(`    ${attemptLine(event, paint)}`);
  };
  const llm = new FreeLLM({ providers: providersOf(world), cacheDir, onEvent, attemptTimeoutMs: 800 });
  try {
    say(
      paint('bold', 'Three providers, seven keys, and what goes wrong with them (all of it on this machine)'),
    );
    for (const [index, scene] of SCENES.entries()) {
      say(`\n${paint('cyan', `${index + 1}. ${scene.title}`)}`);
      scene.prepare?.(world);
      heard = [];
      quiet = scene.atOnce === true;
      await play(scene, llm, shell, say);
      if (quiet) say(summaryOf(heard, scene.calls));
    }
    say(`\n${paint('bold', 'How the keys stand now: llm.health()')}`);
    for (const line of keyTable(llm.health(), Date.now())) say(`  ${line}`);
    const { requestsNow, requestsToday } = llm.capacity();
    say(
      `\nllm.capacity(): ${requestsNow} requests can go out at once, ${requestsToday} more are left of the quotas of the day.`,
    );
    say(
      'With keys of your own: OPENROUTER_API_KEY, GEMINI_API_KEY or NVIDIA_API_KEY, and FreeLLM.fromEnv().',
    );
  } finally {
    await llm.close();
    await world.close();
    await rm(cacheDir, { recursive: true, force: true });
  }
}
