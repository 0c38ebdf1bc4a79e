/** What is attacked: a server over a pool, and calls of a pool, both with a hostile provider. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Gateway, startGateway } from '../../src/gateway/index.ts';
import {
  type ChatInput,
  type ChatOptions,
  FreeLLM,
  FreeLLMError,
  type FreeLLMEvent,
  GoogleAIStudio,
  OpenAICompatible,
} from '../../src/index.ts';
import { isJsonObject, parseJson } from '../../src/core/json.ts';
import { CANARIES, filesOf, printed } from '../client/canaries.ts';
import { leakFaults, messageFaults } from './verdict.ts';
import type { Figures, Watch } from '../support/watch.ts';

const HOWS = ['chat', 'stream', 'parts', 'models', 'check'] as const;

/** A call of the library. */
export interface ClientCall {
  readonly how: (typeof HOWS)[number];
  /** Messages in JSON. Text that is no JSON is the prompt itself. */
  readonly input: string;
  /** Options in JSON. */
  readonly options: string;
  /** How many parts of a stream are read. */
  readonly reads: number;
  /** When the caller aborts it, if at all. */
  readonly abortsAfterMs?: number | undefined;
}
export const CALL_KINDS: readonly ClientCall['how'][] = HOWS;

/** Each method returns what was wrong. */
export interface Subject {
  /** Starts a server over a pool whose providers are at `upstream`, and returns its port. */
  open(upstream: string): Promise<number>;
  /** Closes the server and its pool. */
  close(): Promise<readonly string[]>;
  /** Makes the calls one after another, over one pool. */
  call(upstream: string, calls: readonly ClientCall[]): Promise<readonly string[]>;
  figures(): Promise<Figures>;
}

/** Short, so that a silent provider costs a case less than a second. */
const LIMITS = {
  timeoutMs: 600,
  attemptTimeoutMs: 300,
  firstPartTimeoutMs: 300,
  idleTimeoutMs: 300,
  maxAttempts: 3,
};
const MODELS_MS = 500;
/** A pool, a call or a server that takes longer hangs, also on a busy machine. */
const PATIENCE_MS = 15_000;

interface Fixture {
  readonly llm: FreeLLM;
  readonly events: readonly FreeLLMEvent[];
  readonly cacheDir: string;
}

function poolAt(upstream: string): Fixture {
  const cacheDir = mkdtempSync(join(tmpdir(), 'freelm-fuzz-'));
  const events: FreeLLMEvent[] = [];
  const baseUrl = `${upstream}/v1`;
  const providers = [
    new OpenAICompatible(CANARIES.openrouter, { name: 'one', baseUrl, models: ['m'] }),
    new OpenAICompatible(CANARIES.patterns, { name: 'two', baseUrl, cacheTtlMs: 0 }),
    new GoogleAIStudio(CANARIES.google, { baseUrl, discover: true, cacheTtlMs: 0 }),
  ];
  const llm = new FreeLLM({ providers, cacheDir, onEvent: (event) => events.push(event), ...LIMITS });
  return { llm, events, cacheDir };
}

/** Rejects if a promise does not settle. */
async function inTime<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} hangs`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function ended({ llm, cacheDir }: Fixture): Promise<void> {
  await inTime('closing the pool', llm.close());
  rmSync(cacheDir, { recursive: true, force: true, maxRetries: 9 });
}

/** The keys in everything that a pool shows. */
function shownFaults({ llm, events, cacheDir }: Fixture): readonly string[] {
  const models = llm.models();
  const explained = models.length === 0 ? [] : llm.explain();
  const shown = {
    events: events.slice(-100),
    health: llm.health(),
    capacity: llm.capacity(),
    models: models.slice(0, 100),
    explained: explained.slice(0, 100),
    pool: llm,
  };
  const faults = Object.entries(shown).flatMap(([where, value]) => leakFaults(where, printed(value)));
  return [...faults, ...leakFaults('the cache', filesOf(cacheDir))];
}

async function run(
  llm: FreeLLM,
  { how, input, options, reads }: ClientCall,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const messages: unknown = parseJson(input) ?? input;
  const given: unknown = parseJson(options) ?? {};
  const more: unknown = signal === undefined || !isJsonObject(given) ? given : { ...given, signal };
  // @ts-expect-error -- what plain JavaScript can pass
  const args: [ChatInput, ChatOptions] = [messages, more];
  switch (how) {
    case 'chat':
      return llm.chat(...args);
    case 'models':
      // A list is tried again for longer than a case may last. Closing the pool ends that.
      return Promise.race([llm.refreshModels(), pause(MODELS_MS)]);
    case 'check':
      return llm.checkKeys({ timeoutMs: 250, chat: true, signal });
    case 'stream':
      return llm.stream(...args).response();
    case 'parts': {
      let read = 0;
      const parts = [];
      for await (const part of llm.stream(...args).parts()) {
        parts.push(part);
        read += 1;
        if (read >= reads) break;
      }
      return parts;
    }
  }
}

/** The faults of what a call threw. */
function thrownFaults(error: unknown): readonly string[] {
  if (!FreeLLMError.is(error)) return [`a foreign error: ${printed(error).slice(0, 600)}`];
  return [...messageFaults(error.message), ...leakFaults('an error', printed(error))];
}

class InProcess implements Subject {
  readonly #watch: Watch;
  #served: { readonly fixture: Fixture; readonly gateway: Gateway } | undefined;

  constructor(watch: Watch) {
    this.#watch = watch;
  }

  async open(upstream: string): Promise<number> {
    const fixture = poolAt(upstream);
    const gateway = await startGateway(fixture.llm, { port: 0, graceMs: 0 });
    this.#served = { fixture, gateway };
    return gateway.port;
  }

  async close(): Promise<readonly string[]> {
    if (this.#served === undefined) return [];
    const { fixture, gateway } = this.#served;
    this.#served = undefined;
    try {
      return this.#watch.apart(() => shownFaults(fixture));
    } finally {
      await inTime('closing the server', gateway.close());
      await ended(fixture);
    }
  }

  async call(upstream: string, calls: readonly ClientCall[]): Promise<readonly string[]> {
    const fixture = poolAt(upstream);
    const faults: string[] = [];
    for (const call of calls) {
      const signal = call.abortsAfterMs === undefined ? undefined : AbortSignal.timeout(call.abortsAfterMs);
      try {
        await inTime(`${call.how}()`, run(fixture.llm, call, signal));
      } catch (error) {
        if (signal?.aborted !== true || error !== signal.reason)
          faults.push(...this.#watch.apart(() => thrownFaults(error)));
      }
    }
    try {
      return [...faults, ...this.#watch.apart(() => shownFaults(fixture))];
    } finally {
      await ended(fixture);
    }
  }

  figures(): Promise<Figures> {
    return Promise.resolve(this.#watch.take());
  }
}

export function inProcess(watch: Watch): Subject {
  return new InProcess(watch);
}
