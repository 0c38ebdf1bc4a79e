/** What the tests of the client share: pools that are closed with their test, and lists kept in folders of their own. */

import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import {
  FreeLLM,
  type FreeLLMOptions,
  type FreeLLMEvent,
  GoogleAIStudio,
  NIM,
  OpenAICompatible,
  type OpenAICompatibleOptions,
  OpenRouter,
  type ProviderOptions,
} from '../../src/index.ts';
import type { FetchLike } from '../../src/adapters/fetch.ts';
import { startWorld, type ServedWorldOptions, type World } from '../../src/testing.ts';
import type { TestServer } from '../support/server.ts';

/** A folder that is removed with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'freelm-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 9 }));
  return folder;
}

/** A pool that is closed with the test; nothing is kept in the user's own cache. */
export function open(options: FreeLLMOptions): FreeLLM {
  const llm = new FreeLLM({ cacheDir: temporaryFolder(), ...options });
  onTestFinished(() => llm.close());
  return llm;
}

/** An endpoint at a test server, with one model that needs no list. */
export function endpoint(
  { url }: Pick<TestServer, 'url'>,
  { keys = 'key-of-mine', ...options }: Partial<OpenAICompatibleOptions> & { keys?: string | string[] } = {},
): OpenAICompatible {
  return new OpenAICompatible(keys, { name: 'mine', baseUrl: `${url}/v1`, models: ['m'], ...options });
}

/** A world that is stopped with the test. */
export async function world(options?: ServedWorldOptions): Promise<World> {
  const started = await startWorld(options);
  onTestFinished(() => started.close());
  return started;
}

/** Options that every provider takes. */
export type AnyOptions = Omit<ProviderOptions, 'tier'>;

/** The three providers of a world, by its keys and places. */
export function providersOf(
  { openrouter, google, nim }: World,
  options: AnyOptions = {},
): readonly [OpenRouter, GoogleAIStudio, NIM] {
  return [
    new OpenRouter([...openrouter.keys], { ...options, baseUrl: openrouter.baseUrl }),
    new GoogleAIStudio([...google.keys], { ...options, baseUrl: google.baseUrl }),
    new NIM([...nim.keys], { ...options, baseUrl: nim.baseUrl }),
  ];
}

const PLACES = [
  ['https://openrouter.ai/api/v1', 'openrouter'],
  ['https://generativelanguage.googleapis.com/v1beta/openai', 'google'],
  ['https://integrate.api.nvidia.com/v1', 'nim'],
] as const;

/** A fetch that goes to a world instead of the real providers. */
export function fetchTo(simulated: World): FetchLike {
  return (url, init) => {
    const place = PLACES.find(([real]) => url.startsWith(real));
    if (place === undefined) throw new Error(`no provider is at ${url}`);
    const [real, name] = place;
    return fetch(simulated[name].baseUrl + url.slice(real.length), init);
  };
}

/** Collects what is told. */
export function recorder(): {
  readonly events: FreeLLMEvent[];
  readonly onEvent: (event: FreeLLMEvent) => void;
} {
  const events: FreeLLMEvent[] = [];
  return { events, onEvent: (event) => events.push(event) };
}

/** Vitest's matchers are of type `any`; these are the same, safely typed. */
export const aNumber: unknown = expect.any(Number);
export const partly = (shape: object): unknown => expect.objectContaining(shape);
export const textLike = (pattern: RegExp | string): unknown => expect.stringMatching(pattern);
export const listWith = (...items: readonly unknown[]): unknown => expect.arrayContaining([...items]);
