/** Long work gives way between its steps, so that timers and other calls have their turn. */

import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/adapters/system.ts';
import { FreeLLM, OpenAICompatible } from '../../src/index.ts';
import { VirtualClock } from '../../src/testing.ts';
import { memoryCache } from '../support/memory-cache.ts';
import { rejection } from '../support/rejection.ts';
import { NOON } from '../support/simulated-pool.ts';

/** A clock on which the process is always busy. */
class BusyClock extends VirtualClock {
  yields = 0;
  /** Called each time that work gives way. */
  onYield = (): void => undefined;

  override yieldIfBusy(): Promise<void> {
    this.yields += 1;
    this.onYield();
    return Promise.resolve();
  }
}

const PART = 'data: {"choices":[{"delta":{"content":"x"}}]}\n\n';
const END = 'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';
const COUNT = 5000;

/** Answers in one chunk, each of many parts or without any. */
const BODIES: Readonly<Record<string, string>> = {
  'many events': PART.repeat(COUNT) + END,
  'many lines of one event': `${PART.trimEnd()}\n`.repeat(COUNT) + `\n${END}`,
  'lines of JSON':
    `${PART.trimEnd().slice('data: '.length)}\n`.repeat(COUNT) + END.trimEnd().replaceAll('\n\n', '\n'),
  'comments alone': ':\n\n'.repeat(300_000) + PART.repeat(COUNT) + END,
};

function poolOver(body: string): { readonly llm: FreeLLM; readonly clock: BusyClock } {
  const clock = new BusyClock(NOON);
  const providers = [
    new OpenAICompatible('sk-of-mine-0123456789', {
      name: 'far',
      baseUrl: 'https://far.invalid/v1',
      models: ['m'],
    }),
  ];
  const fetch = (): Promise<Response> => Promise.resolve(new Response(body));
  return { llm: new FreeLLM({ providers, fetch }, { clock, cache: memoryCache(), env: {} }), clock };
}

describe.each(Object.entries(BODIES))('an answer of %s in one chunk', (_, body) => {
  it.each([
    ['a stream', (llm: FreeLLM) => llm.stream('Hello').response()],
    ['a whole answer', (llm: FreeLLM) => llm.chat('Hello')],
  ])('is read in steps as %s', async (_how, ask) => {
    const { llm, clock } = poolOver(body);
    const { text } = await clock.run(ask(llm));
    expect(text).toHaveLength(COUNT);
    expect(clock.yields).toBeGreaterThan(COUNT / 200);
  });

  it('is left between two steps if the caller aborts', async () => {
    const { llm, clock } = poolOver(body);
    const controller = new AbortController();
    let atAbort = Infinity;
    clock.onYield = () => {
      if (clock.yields !== 5) return;
      atAbort = clock.yields;
      controller.abort('enough');
    };
    const stream = llm.stream('Hello', { signal: controller.signal });
    expect(await clock.run(rejection(stream.response()))).toBe('enough');
    expect(clock.yields - atAbort).toBeLessThan(3);
  });
});

describe('yieldIfBusy() of the system', () => {
  it('gives way to what waits after some time of work, of any call', async () => {
    let hasTurned = false;
    expect(systemClock.yieldIfBusy?.()).toBeUndefined();
    setImmediate(() => {
      hasTurned = true;
    });
    let pause: Promise<void> | undefined;
    while (pause === undefined) pause = systemClock.yieldIfBusy?.();
    expect(systemClock.yieldIfBusy?.()).toBeInstanceOf(Promise);
    expect(hasTurned).toBe(false);
    await pause;
    expect(hasTurned).toBe(true);
    expect(systemClock.yieldIfBusy?.()).toBeUndefined();
  });
});
