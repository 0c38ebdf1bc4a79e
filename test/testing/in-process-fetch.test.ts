import { describe, expect, it } from 'vitest';
import {
  inProcessFetch,
  SimulatedWorld,
  VirtualClock,
  type FetchLike,
  type WorldOptions,
} from '../../src/testing.ts';
import { NOON, SECOND, textLike } from './support.ts';

function setUp(options?: WorldOptions): {
  world: SimulatedWorld;
  clock: VirtualClock;
  call: (init?: RequestInit) => ReturnType<FetchLike>;
} {
  const world = new SimulatedWorld({ custom: { keys: ['sk-key'] }, ...options });
  const clock = new VirtualClock(NOON);
  const fetch = inProcessFetch(world, clock);
  const messages = [{ role: 'user', content: 'Hello' }];
  const call = (init: RequestInit = {}): Promise<Response> =>
    fetch(`${world.custom.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { Authorization: 'Bearer sk-key' },
      body: JSON.stringify({ model: 'custom-large', messages }),
      ...init,
    });
  return { world, clock, call };
}

describe('the in-process fetch', () => {
  it('answers without a server', async () => {
    const { world, call } = setUp();
    const response = await call();
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toMatchObject({
      choices: [{ message: { content: 'custom-large heard: Hello' } }],
    });
    expect(world.calls).toHaveLength(1);
  });

  it('finds each provider at its real base URL', async () => {
    const world = new SimulatedWorld();
    const fetch = inProcessFetch(world, new VirtualClock(NOON));
    const response = await fetch(new URL('https://openrouter.ai/api/v1/models?limit=1'));
    expect(response.status).toBe(200);
    expect(world.openrouter.calls[0]).toMatchObject({ route: 'models', outcome: 'served' });
  });

  it('fails for other hosts, and names the known ones', async () => {
    const fetch = inProcessFetch(new SimulatedWorld(), new VirtualClock(NOON));
    await expect(fetch('https://example.com/')).rejects.toMatchObject({
      name: 'TypeError',
      message: 'fetch failed',
      cause: {
        code: 'ENOTFOUND',
        message: textLike(/^No provider of this world is at example\.com\. Use one of https:/),
      },
    });
  });

  it('waits only on the clock', async () => {
    const { clock, call } = setUp({ custom: { keys: ['sk-key'], latencyMs: 90 * SECOND } });
    const response = await clock.run(call());
    expect(response.status).toBe(200);
    expect(clock.now()).toBe(NOON + 90 * SECOND);
    expect(clock.pending).toBe(0);
  });

  it('hangs until the abort, and rejects with its reason', async () => {
    const { world, clock, call } = setUp();
    world.custom.script({ kind: 'hang' });
    const controller = new AbortController();
    const pending = call({ signal: controller.signal });
    clock.after(5 * SECOND, () => {
      controller.abort(new Error('enough'));
    });
    await expect(clock.run(pending)).rejects.toThrow('enough');
    expect(clock.now()).toBe(NOON + 5 * SECOND);
  });

  it('clears its timer on abort, and sends nothing after it', async () => {
    const { world, clock, call } = setUp({ custom: { keys: ['sk-key'], latencyMs: 90 * SECOND } });
    const controller = new AbortController();
    const pending = call({ signal: controller.signal });
    await clock.advance(1);
    controller.abort(new Error('enough'));
    await expect(pending).rejects.toThrow('enough');
    expect(clock.pending).toBe(0);
    await expect(call({ signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before');
    expect(world.calls).toHaveLength(1);
  });

  it('reports broken connections as Node does', async () => {
    const { world, call } = setUp();
    world.custom.script({ kind: 'reset', times: 1 });
    await expect(call()).rejects.toMatchObject({ name: 'TypeError', cause: { code: 'ECONNRESET' } });
    world.custom.script({ kind: 'cut', times: 1 });
    const response = await call();
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toMatchObject({ message: 'terminated' });
  });
});

describe('a virtual clock', () => {
  it('fires timers in order, and runs the callbacks of each before the next', async () => {
    const clock = new VirtualClock(0);
    const story: string[] = [];
    const note = (text: string) => (): void => {
      story.push(`${text} at ${clock.now()}`);
    };
    clock.after(20, note('second'));
    clock.after(10, () => {
      note('first')();
      clock.after(5, note('between'));
    });
    clock.after(20, note('third'));
    clock.after(15, note('never'))();
    clock.after(99, note('later'));
    await clock.advance(50);
    expect(story).toEqual(['first at 10', 'between at 15', 'second at 20', 'third at 20']);
    expect(clock.now()).toBe(50);
    expect(clock.pending).toBe(1);
  });

  it('rejects if the promise can never settle', async () => {
    await expect(new VirtualClock(0).run(new Promise(() => {}))).rejects.toThrow('this clock has no timer');
  });

  it('returns the outcome of the promise', async () => {
    const clock = new VirtualClock(0);
    const failing = new Promise((_, reject) => {
      clock.after(1000, () => {
        reject(new Error('failed'));
      });
    });
    await expect(clock.run(failing)).rejects.toThrow('failed');
    expect(clock.now()).toBe(1000);
  });
});
