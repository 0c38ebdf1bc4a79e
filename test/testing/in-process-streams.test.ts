import { describe, expect, it } from 'vitest';
import { inProcessFetch, SimulatedWorld, VirtualClock, type Fault } from '../../src/testing.ts';
import { NOON, SECOND } from './support.ts';

function setUp(...faults: readonly Fault[]): {
  world: SimulatedWorld;
  clock: VirtualClock;
  call: (signal?: AbortSignal) => Promise<Response>;
} {
  const world = new SimulatedWorld({
    custom: { keys: ['sk-key'], faults },
    reply: () => 'One two three four',
  });
  const clock = new VirtualClock(NOON);
  const fetch = inProcessFetch(world, clock);
  const messages = [{ role: 'user', content: 'Hello' }];
  const call = (signal: AbortSignal | null = null): Promise<Response> =>
    fetch(`${world.custom.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { Authorization: 'Bearer sk-key' },
      body: JSON.stringify({ model: 'custom-large', messages, stream: true }),
      signal,
    });
  return { world, clock, call };
}

function readerOf({ body }: Response): ReadableStreamDefaultReader<Uint8Array> {
  if (body === null) throw new Error('no body');
  return body.getReader();
}

async function next(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string | undefined> {
  const { value } = await reader.read();
  return value && Buffer.from(value).toString();
}

describe('a stream of the in-process fetch', () => {
  it('has the bytes of the simulator', async () => {
    const { world, call } = setUp();
    const response = await call();
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const text = await response.text();
    expect(text.match(/"content":" t[^"]*"/g)).toEqual(['"content":" two"', '"content":" three"']);
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(world.counts).toMatchObject({ served: 1, causes: {} });
  });

  it('waits only on the clock', async () => {
    const { clock, call } = setUp({ kind: 'slow-drip', betweenMs: 20 * SECOND });
    const response = await clock.run(call());
    expect(clock.now()).toBe(NOON);
    await clock.run(response.text());
    expect(clock.now()).toBe(NOON + 4 * 20 * SECOND);
    expect(clock.pending).toBe(0);
  });

  it('is generated only as far as it is read', async () => {
    const { world, clock, call } = setUp({ kind: 'slow-drip', betweenMs: SECOND });
    const reader = readerOf(await call());
    expect(await next(reader)).toContain('"role":"assistant"');
    await clock.advance(60 * SECOND);
    expect(clock.pending).toBe(0);
    expect(await clock.run(next(reader))).toContain('"content":"One"');
    expect(clock.now()).toBe(NOON + 61 * SECOND);
    await reader.cancel();
    expect(world.counts.causes).toEqual({ abandoned: 1 });
  });

  it('ends when its reader cancels during a wait', async () => {
    const { world, clock, call } = setUp({ kind: 'stall', afterTokens: 1, comments: true });
    const reader = readerOf(await call());
    await next(reader);
    await next(reader);
    const pending = reader.read();
    await clock.advance(1);
    expect(clock.pending).toBe(1);
    await reader.cancel();
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(clock.pending).toBe(0);
    expect(world.counts.causes).toEqual({ stall: 1 });
  });

  it('fails with the reason of the signal on abort', async () => {
    const { world, clock, call } = setUp({ kind: 'slow-drip', betweenMs: 60 * SECOND });
    const controller = new AbortController();
    const text = (await call(controller.signal)).text();
    clock.after(90 * SECOND, () => {
      controller.abort(new Error('enough'));
    });
    await expect(clock.run(text)).rejects.toThrow('enough');
    expect([clock.now(), clock.pending]).toEqual([NOON + 90 * SECOND, 0]);
    expect(world.counts.causes).toEqual({ abandoned: 1 });
  });

  it('is abandoned on abort before its head', async () => {
    const { world, clock, call } = setUp({ kind: 'slow', delayMs: 60 * SECOND });
    const controller = new AbortController();
    const pending = call(controller.signal);
    await clock.advance(1);
    controller.abort(new Error('enough'));
    await expect(pending).rejects.toThrow('enough');
    expect(world.counts.causes).toEqual({ abandoned: 1 });
  });

  it('is served if the reader leaves or aborts after [DONE]', async () => {
    const { world, call } = setUp();
    const controller = new AbortController();
    const reader = readerOf(await call(controller.signal));
    while (!(await next(reader))?.includes('[DONE]'));
    await reader.cancel();
    controller.abort();
    expect(world.counts).toEqual({ total: 1, served: 1, refused: 0, causes: {} });
  });

  it('breaks as in Node, after all earlier bytes', async () => {
    const { call } = setUp({ kind: 'cut', afterTokens: 2, as: 'reset' });
    const reader = readerOf(await call());
    expect([await next(reader), await next(reader), await next(reader)].join('')).toContain('" two"');
    await expect(reader.read()).rejects.toMatchObject({
      name: 'TypeError',
      message: 'terminated',
      cause: { code: 'ECONNRESET' },
    });
  });

  it('can be endless', async () => {
    const { call } = setUp({ kind: 'endless' });
    const reader = readerOf(await call());
    for (let count = 0; count < 5000; count += 1) expect(await next(reader)).toContain('data: ');
    await reader.cancel();
    expect(await reader.read()).toEqual({ done: true, value: undefined });
  });
});
