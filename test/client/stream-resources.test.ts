/** What streams leave behind, and how much memory they take: nothing, and little. */

import { createServer } from 'node:http';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  FreeLLM,
  type FreeLLMOptions,
  type FreeLLMEvent,
  OpenAICompatible,
  type ProviderOptions,
} from '../../src/index.ts';
import { inProcessFetch, SimulatedWorld, VirtualClock } from '../../src/testing.ts';

interface Scene {
  readonly clock: VirtualClock;
  readonly world: SimulatedWorld;
  readonly llm: FreeLLM;
}

/** A pool over one key that admits whatever comes. */
function scene({
  concurrency,
  onEvent,
}: Pick<ProviderOptions, 'concurrency'> & Pick<FreeLLMOptions, 'onEvent'> = {}): Scene {
  const clock = new VirtualClock(1_790_000_000_000);
  const limits = { rpm: 1_000_000, rpd: 1_000_000 };
  const world = new SimulatedWorld({ custom: { limits, keys: 1 } });
  const [key = ''] = world.custom.keys.map(String);
  const provider = new OpenAICompatible(key, {
    name: 'mine',
    baseUrl: world.custom.baseUrl,
    allowInsecureHttp: true,
    models: [...world.custom.models],
    concurrency,
  });
  const fetch = inProcessFetch(world, clock);
  const llm = new FreeLLM({ providers: [provider], fetch, onEvent, persist: false }, { clock, env: {} });
  return { clock, world, llm };
}

it('a thousand streams that are left at random points keep no timer, listener or probe', async () => {
  const { clock, llm } = scene();
  const { signal } = new AbortController();
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners += 1;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners -= 1;
    remove(...args);
  };
  for (let count = 0; count < 1000; count += 1) {
    let left = (count * 7) % 6;
    for await (const text of llm.stream('one two three four five', { signal })) {
      left -= text === '' ? 0 : 1;
      if (left < 0) break;
    }
  }
  expect({ listeners, timers: clock.pending }).toEqual({ listeners: 0, timers: 0 });
  expect(llm.health()).toMatchObject([{ ready: true, breaker: 'closed', lastError: undefined }]);
  await llm.close();
});

describe('a stream whose reader stops reading', () => {
  it('keeps no timer that would keep the process alive', async () => {
    const { clock, llm } = scene();
    await llm.stream('one two three').parts().next();
    await clock.advance(3_600_000);
    expect(clock.pending).toBe(0);
  });

  it('keeps no timer once it is aborted', async () => {
    const { clock, llm } = scene();
    const controller = new AbortController();
    await llm.stream('one two three', { signal: controller.signal }).parts().next();
    controller.abort();
    expect(clock.pending).toBe(0);
  });

  it('ends when it is aborted, and frees its place', async () => {
    const outcomes: unknown[] = [];
    const onEvent = (event: FreeLLMEvent): void => {
      if (event.type === 'call-end') outcomes.push(event.outcome);
    };
    const { llm } = scene({ concurrency: 1, onEvent });
    const stream = llm.stream('one two three');
    await stream.parts().next();
    stream.abort('enough');
    await expect(stream.response()).rejects.toBe('enough');
    expect(await llm.text('Hello')).toContain('Hello');
    expect(outcomes).toEqual(['aborted', 'success']);
  });

  it('keeps no timer once the pool is closed', async () => {
    const { clock, llm } = scene();
    await llm.stream('one two three').parts().next();
    await llm.close();
    expect(clock.pending).toBe(0);
  });

  it('is bounded again when the reader continues', async () => {
    const { clock, world, llm } = scene();
    world.custom.script({ kind: 'stall', afterTokens: 1 });
    const parts = llm.stream('one two three', { idleTimeoutMs: 5000, maxAttempts: 1 }).parts();
    await parts.next();
    await clock.advance(3_600_000);
    const left = clock.now();
    await expect(clock.run(parts.next())).rejects.toMatchObject({ attempts: [{ outcome: 'timeout' }] });
    expect(clock.now() - left).toBe(5000);
  });
});

it('a slow consumer holds the sender: nothing is read ahead of it', async () => {
  const chunk = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'x', filler: 'y'.repeat(64 * 1024) } }] })}\n\n`;
  const total = 100 * 1024 * 1024;
  let sent = 0;
  let held = 0;
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const write = (): void => {
      while (sent < total) {
        sent += chunk.length;
        if (!response.write(chunk)) {
          held += 1;
          response.once('drain', write);
          return;
        }
      }
      response.end('data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n');
    };
    write();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const provider = new OpenAICompatible('key', {
    name: 'mine',
    baseUrl: `http://127.0.0.1:${port}`,
    models: ['m'],
  });
  const llm = new FreeLLM({ providers: [provider] });
  let ahead = 0;
  let read = 0;
  let peak = 0;
  const before = process.memoryUsage.rss();
  for await (const text of llm.stream('hello')) {
    read += text.length * chunk.length;
    // Some turns of the event loop for every part: the sender would have gone on meanwhile, if it could.
    for (let turn = 0; turn < 3; turn += 1) await nextTurn();
    ahead = Math.max(ahead, sent - read);
    peak = Math.max(peak, process.memoryUsage.rss() - before);
  }
  expect(read).toBeGreaterThanOrEqual(total);
  expect(held).toBeGreaterThan(10);
  // The buffers of two sockets and a stream lie between, not the answer.
  expect(ahead).toBeLessThan(16 * 1024 * 1024);
  expect(peak).toBeLessThan(200 * 1024 * 1024);
  await llm.close();
  server.closeAllConnections();
  server.close();
});
