import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import {
  startWorld,
  type ProviderSimulator,
  type ServedWorldOptions,
  type StreamPiece,
  type World,
} from '../../src/testing.ts';
import { startProviderServer, type ProviderServer } from '../../src/testing/transport/provider-server.ts';
import { until } from '../support/server.ts';

const TEXT = 'One two three four five six ünd 🙂🙂.';
const open: (World | ProviderServer)[] = [];

async function start(options: ServedWorldOptions = {}): Promise<World> {
  const world = await startWorld({ reply: () => TEXT, ...options });
  open.push(world);
  return world;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

function call(provider: ProviderSimulator, init: RequestInit = {}): Promise<Response> {
  return fetch(`${provider.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${provider.keys[0]}` },
    body: JSON.stringify({
      model: provider.models.at(1),
      messages: [{ role: 'user', content: 'Hello' }],
      stream: true,
    }),
    ...init,
  });
}

/** The value of a number after it was stable for many turns of the event loop. */
async function settled(value: () => number): Promise<number> {
  let before = value();
  for (let quiet = 0; quiet < 500; quiet += 1) {
    await setImmediate();
    if (value() !== before) quiet = 0;
    before = value();
  }
  return before;
}

function said(text: string): string {
  return [...text.matchAll(/"content":"((?:[^"\\]|\\.)*)"/g)].map(([, content]) => content).join('');
}

describe('a served stream', () => {
  it('arrives over HTTP chunk by chunk', async () => {
    const world = await start();
    for (const provider of world.providers) {
      const response = await call(provider);
      expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
      expect(response.headers.get('content-length')).toBeNull();
      const text = await response.text();
      expect(said(text)).toBe(TEXT);
      expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    }
    expect(world.counts).toEqual({ total: 4, served: 4, refused: 0, causes: {} });
  });

  it('sends its head before its first token', async () => {
    const world = await start({ nim: { faults: [{ kind: 'stall', afterTokens: 0 }] } });
    const controller = new AbortController();
    const response = await call(world.nim, { signal: controller.signal });
    expect(response.status).toBe(200);
    controller.abort();
    await expect(response.text()).rejects.toThrow('aborted');
  });

  it('is cut by an orderly close or by a reset', async () => {
    const world = await start();
    world.custom.script({ kind: 'cut', afterTokens: 3, times: 1 });
    expect(said(await (await call(world.custom)).text())).toBe('One two three');
    world.custom.script({ kind: 'cut', afterTokens: 3, as: 'reset', times: 1 });
    await expect((await call(world.custom)).text()).rejects.toThrow('terminated');
    expect(said(await (await call(world.custom)).text())).toBe(TEXT);
  });

  it('drips in real time', async () => {
    const world = await start({ google: { faults: [{ kind: 'slow-drip', betweenMs: 5 }] } });
    const before = performance.now();
    expect(said(await (await call(world.google)).text())).toBe(TEXT);
    expect(performance.now() - before).toBeGreaterThanOrEqual(8 * 4);
  });

  it('arrives in the pieces of the fault `split`', async () => {
    const world = await start({ nim: { faults: [{ kind: 'split', sizes: [1, 2, 3], lineEnds: '\r\n' }] } });
    const text = await (await call(world.nim)).text();
    expect([said(text), text.endsWith('data: [DONE]\r\n\r\n')]).toEqual([TEXT, true]);
  });
});

describe('a client that disconnects', () => {
  it.each([
    ['while it reads', { kind: 'endless' }],
    ['while nothing comes', { kind: 'slow-drip', betweenMs: 600_000 }],
    ['before the first token', { kind: 'silent-comments', count: 1, everyMs: 600_000 }],
  ] as const)('%s abandons its stream', async (_, fault) => {
    const world = await start({ nim: { faults: [fault] } });
    const response = await call(world.nim);
    const reader = response.body?.getReader();
    if (fault.kind !== 'silent-comments') await reader?.read();
    await reader?.cancel();
    await until(() => world.counts.causes.abandoned === 1);
    expect(world.nim.calls).toMatchObject([{ outcome: 'abandoned', status: 200, refused: false }]);
  });

  it('before the head abandons its stream', async () => {
    const world = await start({ custom: { latencyMs: 600_000 } });
    const controller = new AbortController();
    const pending = call(world.custom, { signal: controller.signal });
    await until(() => world.calls.length === 1);
    controller.abort();
    await expect(pending).rejects.toThrow('aborted');
    await until(() => world.counts.causes.abandoned === 1);
  });

  it('after [DONE] was served', async () => {
    const world = await start();
    const reader = (await call(world.custom)).body?.getReader();
    let text = '';
    while (!text.includes('[DONE]')) text += Buffer.from((await reader?.read())?.value ?? []).toString();
    await reader?.cancel();
    await call(world.nim).then((response) => response.text());
    expect(world.counts.causes).toEqual({});
  });
});

describe('a client that does not read', () => {
  const KIB_64 = new Uint8Array(65_536).fill(97);

  async function open64KibStream(): Promise<{ made: () => number; closed: () => boolean; socket: Socket }> {
    let made = 0;
    let closed = false;
    function* pieces(): Generator<StreamPiece> {
      try {
        for (;;) {
          made += 1;
          yield { bytes: KIB_64, delayMs: 0 };
        }
      } finally {
        closed = true;
      }
    }
    const server = await startProviderServer(() => ({
      status: 200,
      headers: {},
      body: { pieces: pieces(), ends: 'close', abandon: () => {} },
      delayMs: 0,
    }));
    open.push(server);
    const socket = connect(server.port, '127.0.0.1').pause();
    socket.on('error', () => {});
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    return { made: () => made, closed: () => closed, socket };
  }

  it('pauses the writer until it reads', async () => {
    const { made, socket } = await open64KibStream();
    await until(() => made() > 1);
    const first = await settled(made);
    expect(first * KIB_64.length).toBeLessThan(50_000_000);
    socket.resume();
    await until(() => made() > first + 1000);
    socket.pause();
    const second = await settled(made);
    expect((second - first) * KIB_64.length).toBeGreaterThan(60_000_000);
    socket.destroy();
  });

  it('and then disconnects ends the stream', async () => {
    const { made, closed, socket } = await open64KibStream();
    await until(() => made() > 1);
    await settled(made);
    expect(closed()).toBe(false);
    socket.destroy();
    await until(closed);
  });

  it('does not keep the world from closing', async () => {
    const { made, closed } = await open64KibStream();
    await until(() => made() > 1);
    await settled(made);
    await Promise.all(open.splice(0).map((server) => server.close()));
    await until(closed);
    expect(made()).toBeGreaterThan(1);
  });
});
