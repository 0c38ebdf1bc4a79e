import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  startWorld,
  type ProviderSimulator,
  type ServedWorldOptions,
  type World,
} from '../../src/testing.ts';
import { until } from '../support/server.ts';
import { MINUTE, NOON } from './support.ts';

const open: World[] = [];

async function start(options?: ServedWorldOptions): Promise<World> {
  const world = await startWorld(options);
  open.push(world);
  return world;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((world) => world.close()));
});

function call(provider: ProviderSimulator, init: RequestInit = {}): Promise<Response> {
  return fetch(`${provider.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${provider.keys[0]}` },
    body: JSON.stringify({
      model: provider.models.at(1),
      messages: [{ role: 'user', content: 'Hello' }],
    }),
    ...init,
  });
}

describe('a served world', () => {
  it('answers over HTTP on this machine, each provider at its own port and path', async () => {
    const world = await start();
    const paths = world.providers.map(({ baseUrl }) => new URL(baseUrl));
    expect(paths.map(({ hostname, pathname }) => hostname + pathname)).toEqual([
      '127.0.0.1/api/v1',
      '127.0.0.1/v1beta/openai',
      '127.0.0.1/v1',
      '127.0.0.1/v1',
    ]);
    expect(new Set(paths.map(({ port }) => port)).size).toBe(4);
    for (const provider of world.providers) {
      const response = await call(provider);
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({ choices: [{ finish_reason: 'stop' }] });
    }
    expect(world.counts).toMatchObject({ total: 4, served: 4 });
  });

  it('sends the status, headers and body of the simulator', async () => {
    const world = await start({ openrouter: { faults: [{ kind: 'congested', retryAfterMs: 5000 }] } });
    const response = await call(world.openrouter);
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toMatchObject({ error: { message: 'Provider returned error' } });
    const missing = await fetch(new URL('/elsewhere', world.nim.baseUrl));
    expect([missing.status, await missing.text()]).toEqual([404, '404 page not found\n']);
  });

  it('uses an injected clock', async () => {
    let now = NOON;
    const world = await start({ now: () => now, custom: { limits: { rpm: 1 } } });
    const statuses: number[] = [];
    for (const step of [0, 0, MINUTE]) {
      now += step;
      statuses.push((await call(world.custom)).status);
    }
    expect(statuses).toEqual([200, 429, 200]);
    expect(world.calls.map(({ at }) => at)).toEqual([NOON, NOON, NOON + MINUTE]);
  });

  it('resets connections, cuts bodies and hangs', async () => {
    const world = await start();
    world.nim.script({ kind: 'reset', times: 1 });
    await expect(call(world.nim)).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
    world.nim.script({ kind: 'cut', times: 1 });
    const cut = await call(world.nim);
    expect(cut.status).toBe(200);
    await expect(cut.text()).rejects.toThrow('terminated');
    world.nim.script({ kind: 'hang', times: 1 });
    const controller = new AbortController();
    const silent = call(world.nim, { signal: controller.signal });
    await until(() => world.nim.counts.causes.hang === 1);
    controller.abort(new Error('enough'));
    await expect(silent).rejects.toThrow('enough');
    expect((await call(world.nim)).status).toBe(200);
  });

  it('sends an empty body with its length', async () => {
    const world = await start({ google: { faults: [{ kind: 'outage', status: 503, as: 'empty' }] } });
    const response = await call(world.google);
    expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([
      503,
      '0',
      '',
    ]);
  });

  it('keeps a connection alive over refusals', async () => {
    const world = await start({ custom: { faults: [{ kind: 'server-error', times: 1 }] } });
    const { hostname, port } = new URL(world.custom.baseUrl);
    const socket = connect(Number(port), hostname);
    const head = 'GET /v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n';
    socket.write(head + head);
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    const answered = (): number => text.split('HTTP/1.1 404').length - 1;
    await until(() => answered() >= 2);
    expect(answered()).toBe(2);
    socket.destroy();
  });

  it('answers 500 if a custom reply throws', async () => {
    const world = await start({
      reply: () => {
        throw new Error('not me');
      },
    });
    const response = await call(world.nim);
    expect([response.status, await response.text()]).toEqual([
      500,
      'The reply function failed: Error: not me',
    ]);
  });
});

describe('closing', () => {
  it('ends waiting requests at once', async () => {
    const world = await startWorld({ nim: { faults: [{ kind: 'hang' }] }, custom: { latencyMs: 600_000 } });
    const waiting = [world.nim, world.custom].map((provider) =>
      call(provider).catch((error: unknown) => error),
    );
    await until(() => world.calls.length === 2);
    await world.close();
    for (const error of await Promise.all(waiting)) {
      expect(error).toMatchObject({ message: 'fetch failed', cause: { message: 'other side closed' } });
    }
    await expect(call(world.nim)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  });

  it('can be repeated', async () => {
    const world = await startWorld();
    await Promise.all([world.close(), world.close()]);
    await expect(world.close()).resolves.toBeUndefined();
  });

  it('is what Symbol.asyncDispose does', async () => {
    const world = await startWorld();
    await world[Symbol.asyncDispose]();
    await expect(call(world.nim)).rejects.toThrow('fetch failed');
  });
});
