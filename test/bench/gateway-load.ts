/**
 * Loads the endpoint with 200 clients for a minute, over simulated providers with faults. Fails if an answer is wrong, if
 * anything leaks, or if the endpoint does not exit cleanly on SIGTERM. The endpoint is a process of its own. Run
 * `npm run bench:gateway -- [seconds] [clients]`.
 */

import * as z from 'zod/mini';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Agent, fetch } from 'undici';
import { startGateway } from '../../src/gateway/index.ts';
import { FreeLLM, GoogleAIStudio, NIM, OpenRouter, type Provider } from '../../src/index.ts';
import { type Fault, startWorld, type World } from '../../src/testing.ts';

const SECONDS = Number(process.argv[2] ?? 60);
const CLIENTS = Number(process.argv[3] ?? 200);
const NAMES = ['openrouter', 'google', 'nim'] as const;
/** More growth between two equal rounds of calls is a leak. */
const MAX_GROWTH_MB = 8;

const placesSchema = z.record(z.enum(NAMES), z.object({ baseUrl: z.string(), keys: z.array(z.string()) }));
type Places = z.infer<typeof placesSchema>;

const figuresSchema = z.object({ heapMb: z.number(), rssMb: z.number(), handles: z.array(z.string()) });

/** The endpoint. Its parent passes the addresses of the providers, and asks for its memory figures. */
async function serve(): Promise<void> {
  const { openrouter, google, nim }: Places = placesSchema.parse(JSON.parse(process.env['PLACES'] ?? '{}'));
  const many = { rpm: 1_000_000, rpd: 10_000_000, discover: false };
  const providers: readonly Provider[] = [
    new OpenRouter(openrouter.keys, { ...many, baseUrl: openrouter.baseUrl }),
    new GoogleAIStudio(google.keys, { ...many, baseUrl: google.baseUrl }),
    new NIM(nim.keys, { ...many, baseUrl: nim.baseUrl }),
  ];
  const llm = new FreeLLM({ providers, wait: true, maxWaitMs: 20_000, cacheDir: '/nonexistent' });
  const gateway = await startGateway(llm, { port: 0 });
  process.on('message', () => {
    globalThis.gc?.();
    const { heapUsed, rss } = process.memoryUsage();
    const handles = process.getActiveResourcesInfo();
    process.send?.({ heapMb: heapUsed / 1e6, rssMb: rss / 1e6, handles });
  });
  const end = async (): Promise<void> => {
    await gateway.close();
    await llm.close();
    process.disconnect();
  };
  process.once('SIGTERM', () => void end());
  process.send?.({ url: gateway.url });
}

/** About one request in twenty fails. More faults would keep opening breakers at this rate of calls. */
const FAULTS: readonly Fault[] = [
  { kind: 'cut', share: 0.015 },
  { kind: 'cut', as: 'reset', share: 0.015 },
  { kind: 'reset', share: 0.005 },
  { kind: 'server-error', share: 0.005 },
  { kind: 'congested', share: 0.005, retryAfterMs: 1000 },
  { kind: 'stream-error', share: 0.005 },
  { kind: 'no-finish', share: 0.005 },
  { kind: 'empty', share: 0.005 },
  { kind: 'split', sizes: [7, 100, 3], share: 0.2 },
  { kind: 'slow-drip', betweenMs: 5, share: 0.1 },
];

function answerTo(question: string): string {
  return Array.from({ length: 30 }, (_, index) => `${question}.${index}`).join(' ');
}

async function start(world: World): Promise<{ child: ChildProcess; url: string }> {
  const places = Object.fromEntries(
    NAMES.map((name) => [name, { baseUrl: world[name].baseUrl, keys: world[name].keys.map(String) }]),
  );
  const child = fork(fileURLToPath(import.meta.url), ['endpoint'], {
    execArgv: ['--expose-gc', '--import', 'tsx'],
    env: { ...process.env, PLACES: JSON.stringify(places) },
  });
  const said: readonly unknown[] = await once(child, 'message');
  return { child, url: z.object({ url: z.string() }).parse(said[0]).url };
}

async function figures(child: ChildProcess): Promise<Figures> {
  const answer = once(child, 'message');
  child.send('figures');
  const said: readonly unknown[] = await answer;
  return figuresSchema.parse(said[0]);
}

/** Closes idle connections soon, so that any that remain are a leak of the endpoint. */
const dispatcher = new Agent({ keepAliveTimeout: 2000, keepAliveMaxTimeout: 2000 });

const counts = { right: 0, wrong: 0, left: 0, refused: {} as Record<string, number> };
const latencies: number[] = [];

const completionSchema = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string() }) })),
});

function textIn(events: string): string {
  return [...events.matchAll(/"content":"([^"]*)"/g)].map(([, piece]) => piece).join('');
}

function judge(said: string, question: string, raw: string): void {
  if (said === answerTo(question)) {
    counts.right += 1;
    return;
  }
  counts.wrong += 1;
  if (counts.wrong < 5) console.log(`wrong: …${raw.slice(-600)}`);
}

function refused(why: string): void {
  counts.refused[why] = (counts.refused[why] ?? 0) + 1;
}

/** Judges the events of a stream, which end with an error or with [DONE]. */
function judgeEvents(events: string, question: string): void {
  const error = /data: (\{"error":.*\})\n\n$/.exec(events)?.[1];
  if (error !== undefined) refused(`in a stream: ${error.slice(0, 400)}`);
  else judge(events.endsWith('data: [DONE]\n\n') ? textIn(events) : 'cut', question, events);
}

/** One call: every second one is streamed, and every tenth of those is cancelled in the middle. */
async function call(url: string, question: string, kind: number): Promise<void> {
  const stream = kind % 2 === 0;
  const leaves = kind % 20 === 0;
  const begun = performance.now();
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: question }], stream }),
    dispatcher,
  });
  if (response.status !== 200) {
    refused(`${response.status} ${(await response.text()).slice(0, 300)}`);
    return;
  }
  if (leaves) {
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    counts.left += 1;
    return;
  }
  const text = await response.text();
  latencies.push(performance.now() - begun);
  if (stream) judgeEvents(text, question);
  else judge(completionSchema.parse(JSON.parse(text)).choices[0]?.message.content ?? '', question, text);
}

async function client(url: string, name: number, until: number): Promise<void> {
  for (let count = 0; performance.now() < until; count += 1) {
    try {
      await call(url, `q${name}x${count}`, name + count);
    } catch (error) {
      refused(String(error));
    }
  }
}

function tallied(handles: readonly string[]): string {
  const tally: Record<string, number> = {};
  for (const handle of handles.toSorted()) tally[handle] = (tally[handle] ?? 0) + 1;
  return JSON.stringify(tally);
}

type Figures = z.infer<typeof figuresSchema>;

/** Whether the second round of calls has left more behind than the first. */
function hasLeaked(before: Figures, after: Figures): boolean {
  return tallied(before.handles) !== tallied(after.handles) || after.heapMb - before.heapMb > MAX_GROWTH_MB;
}

async function bench(): Promise<void> {
  const side = { limits: { rpm: 1e6, rpd: 1e7, tpm: 1e10 }, latencyMs: 20, faults: FAULTS };
  const world = await startWorld({
    openrouter: side,
    google: side,
    nim: side,
    reply: ({ lastUserText }) => answerTo(lastUserText),
  });
  const { child, url } = await start(world);
  const crowd = (seconds: number): Promise<unknown> => {
    const until = performance.now() + seconds * 1000;
    return Promise.all(Array.from({ length: CLIENTS }, (_, name) => client(url, name, until)));
  };
  await crowd(Math.min(5, SECONDS / 4));
  await pause(6000);
  const before = await figures(child);
  await crowd(SECONDS / 2);
  await pause(6000);
  const between = await figures(child);
  await crowd(SECONDS / 2);
  await pause(6000);
  const after = await figures(child);
  latencies.sort((a, b) => a - b);
  const at = (share: number): string => (latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(0);
  console.log(
    `${counts.right} right, ${counts.wrong} wrong, ${counts.left} cancelled; p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
  );
  for (const [why, count] of Object.entries(counts.refused)) console.log(`  ${count} × ${why}`);
  console.log(`upstream: ${JSON.stringify(world.counts)}`);
  for (const { heapMb, rssMb, handles } of [before, between, after]) {
    console.log(`heap ${heapMb.toFixed(1)} MB, rss ${rssMb.toFixed(0)} MB, handles ${tallied(handles)}`);
  }
  const last = Promise.allSettled(
    Array.from({ length: 20 }, (_, name) =>
      call(url, `last${name}`, 2 * name + 2 + (name % 10 === 9 ? 2 : 0)),
    ),
  );
  await pause(500);
  const told = performance.now();
  child.kill('SIGTERM');
  const exit: readonly unknown[] = await once(child, 'exit');
  const [code, signal] = exit;
  const broken = (await last).filter(({ status }) => status === 'rejected').length;
  const took = (performance.now() - told).toFixed(0);
  console.log(
    `SIGTERM with streams under way: exit ${String(code ?? signal)} after ${took} ms, ${broken} broken off`,
  );
  await world.close();
  const leaked = hasLeaked(between, after);
  if (leaked) console.log('the endpoint leaks');
  process.exitCode = counts.wrong === 0 && !leaked && code === 0 ? 0 : 1;
}

await (process.argv[2] === 'endpoint' ? serve() : bench());
