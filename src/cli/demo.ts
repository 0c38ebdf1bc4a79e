/** `freelm demo`: shows failover at work on simulated providers. */

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

interface Scene {
  readonly title: string;
  readonly calls: number;
  /** Whether the calls run in parallel. The output then shows only their totals. */
  readonly atOnce?: boolean;
  readonly streamed?: boolean;
  readonly model?: string;
  readonly attemptTimeoutMs?: number;
  /** Breaks something before the calls. */
  prepare?(world: World): void;
}

const OPENROUTER_MODEL = 'z-ai/glm-5.2:free';

const SCENES: readonly Scene[] = [
  { title: 'All is well: freelm first spends the quota that refills soonest', calls: 1 },
  {
    title: 'NVIDIA NIM goes down: it answers with an error page, then resets every connection',
    calls: 1,
    prepare: (world) => {
      world.nim.script({ kind: 'outage', times: 1 });
      world.nim.script({ kind: 'reset', skip: 1 });
    },
  },
  { title: 'NIM stays down: its circuit breaker opens after three failures', calls: 2 },
  { title: 'NIM is still down, and freelm no longer tries it', calls: 1 },
  {
    title: 'Google accepts a request and never answers: the attempt times out, the call moves on',
    calls: 1,
    attemptTimeoutMs: 800,
    prepare: (world) => {
      world.nim.clear();
      world.google.script({ kind: 'hang', times: 1 });
    },
  },
  {
    title: 'One OpenRouter account has no credit left',
    calls: 1,
    model: OPENROUTER_MODEL,
    prepare: (world) => world.openrouter.script({ kind: 'out-of-credits', account: 'account-2' }),
  },
  {
    title: 'One OpenRouter key is invalid',
    calls: 1,
    model: OPENROUTER_MODEL,
    prepare: (world) => world.openrouter.script({ kind: 'unauthorized', account: 'account-1' }),
  },
  {
    title: 'freelm remembers both, and goes straight to the key that works',
    calls: 1,
    model: OPENROUTER_MODEL,
  },
  {
    title: 'A stream breaks after seven words: another provider continues it, and the reader sees one text',
    calls: 1,
    streamed: true,
    prepare: (world) => world.google.script({ kind: 'cut', afterTokens: 7, as: 'reset', times: 1 }),
  },
  {
    title: 'Sixty calls at once: freelm paces every key to its limits, so no provider refuses a call',
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

/** The totals of a scene with parallel calls. */
function summaryOf(outcomes: readonly AttemptEndEvent[], calls: number): string {
  const served = new Map<string, number>();
  let refused = 0;
  for (const { outcome, provider } of outcomes) {
    if (outcome === 'success') served.set(provider, (served.get(provider) ?? 0) + 1);
    else refused += 1;
  }
  const shares = [...served].map(([provider, count]) => `${provider} ${count}`).join(', ');
  return `    ${[...served.values()].reduce((a, b) => a + b, 0)} of ${calls} served (${shares}), ${refused} refused by a provider`;
}

const QUESTION = 'Explain black holes in one sentence.';

/** The text of a stream, with a bar where another provider took over. */
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

type Say = (line: string) => void;

async function play(scene: Scene, llm: FreeLLM, { out: { paint }, signal }: Shell, say: Say): Promise<void> {
  const ask = async (): Promise<void> => {
    try {
      const options = { model: scene.model, attemptTimeoutMs: scene.attemptTimeoutMs, signal };
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
    reply: () => 'A black hole is a region of space whose gravity lets nothing escape, not even light.',
  });
  let outcomes: AttemptEndEvent[] = [];
  let isQuiet = false;
  const onEvent = (event: FreeLLMEvent): void => {
    if (event.type !== 'attempt-end') return;
    outcomes.push(event);
    if (!isQuiet) say(`    ${attemptLine(event, paint)}`);
  };
  const llm = new FreeLLM({
    providers: providersOf(world),
    cacheDir,
    persist: false,
    onEvent,
  });
  try {
    say(paint('bold', 'Three simulated providers with seven keys, and what can go wrong with them'));
    for (const [index, scene] of SCENES.entries()) {
      say(`\n${paint('cyan', `${index + 1}. ${scene.title}`)}`);
      scene.prepare?.(world);
      outcomes = [];
      isQuiet = scene.atOnce === true;
      await play(scene, llm, shell, say);
      if (isQuiet) say(summaryOf(outcomes, scene.calls));
    }
    say(`\n${paint('bold', 'The keys now, from llm.health():')}`);
    for (const line of keyTable(llm.health(), Date.now())) say(`  ${line}`);
    const { requestsNow, requestsToday } = llm.capacity();
    say(
      `\nllm.capacity(): ${requestsNow} requests can be sent at once, ${requestsToday} are left in the daily quotas.`,
    );
    say(
      'To use your own keys, set OPENROUTER_API_KEY, GEMINI_API_KEY or NVIDIA_API_KEY and call FreeLLM.fromEnv().',
    );
  } finally {
    await llm.close();
    await world.close();
    await rm(cacheDir, { recursive: true, force: true });
  }
}
