/** The endpoint under load: a process of its own over three simulated providers, whose parent asks for its figures. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as z from 'zod/mini';
import { startGateway } from '../../src/gateway/index.ts';
import { FreeLLM, GoogleAIStudio, NIM, OpenRouter, type Provider } from '../../src/index.ts';
import type { World } from '../../src/testing.ts';
import { Watch } from '../support/watch.ts';

const NAMES = ['openrouter', 'google', 'nim'] as const;

const placesSchema = z.record(z.enum(NAMES), z.object({ baseUrl: z.string(), keys: z.array(z.string()) }));

const figuresSchema = z.object({
  /** After a collection of garbage. */
  heapMb: z.number(),
  rssMb: z.number(),
  /** The longest time since the last look in which the process computed and no timer could run. */
  blockedMs: z.number(),
  /** What keeps the process alive. */
  handles: z.array(z.string()),
  /** Unhandled rejections, uncaught errors and warnings of Node since the last look. */
  strays: z.array(z.string()),
});
export type Figures = z.infer<typeof figuresSchema>;

/** The endpoint's side. Its parent passes the addresses of the providers. */
async function serve(): Promise<void> {
  const { openrouter, google, nim } = placesSchema.parse(JSON.parse(process.env['PLACES'] ?? '{}'));
  const many = { rpm: 1_000_000, rpd: 10_000_000, discover: false };
  const providers: readonly Provider[] = [
    new OpenRouter(openrouter.keys, { ...many, baseUrl: openrouter.baseUrl }),
    new GoogleAIStudio(google.keys, { ...many, baseUrl: google.baseUrl }),
    new NIM(nim.keys, { ...many, baseUrl: nim.baseUrl }),
  ];
  const llm = new FreeLLM({
    providers,
    wait: true,
    maxWaitMs: 20_000,
    cacheDir: '/nonexistent',
    persist: false,
  });
  const gateway = await startGateway(llm, { port: 0 });
  const watch = new Watch();
  process.on('message', () => {
    const { blockedMs, strays } = watch.take();
    const handles = process.getActiveResourcesInfo();
    const { heapUsed, rss } = watch.apart(() => {
      globalThis.gc?.();
      return process.memoryUsage();
    });
    process.send?.({ heapMb: heapUsed / 1e6, rssMb: rss / 1e6, blockedMs, handles, strays });
  });
  const end = async (): Promise<void> => {
    await gateway.close();
    await llm.close();
    process.disconnect();
  };
  process.once('SIGTERM', () => void end());
  process.send?.({ url: gateway.url });
}

export interface Endpoint {
  readonly child: ChildProcess;
  readonly url: string;
}

export async function startEndpoint(world: World): Promise<Endpoint> {
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

export async function figuresOf({ child }: Endpoint): Promise<Figures> {
  const answer = once(child, 'message');
  child.send('figures');
  const said: readonly unknown[] = await answer;
  return figuresSchema.parse(said[0]);
}

/** How many handles there are of each kind. */
export function tallied(handles: readonly string[]): string {
  const tally: Record<string, number> = {};
  for (const handle of handles.toSorted()) tally[handle] = (tally[handle] ?? 0) + 1;
  return JSON.stringify(tally);
}

if (process.argv[2] === 'endpoint') await serve();
