import { readFile } from 'node:fs/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import type { HttpRequest, Transport } from '../../src/ports.ts';
import { type FetchInit, type FetchLike, fetchTransport } from '../../src/adapters/fetch.ts';
import { errorOf } from '../support/rejection.ts';
import { readText, transportContract } from '../contracts/transport.ts';

const request: HttpRequest = {
  method: 'POST',
  url: 'https://api.example.test/v1/chat/completions',
  headers: { authorization: 'Bearer k', 'content-type': 'application/json' },
  body: '{}',
};

function mistake(): never {
  throw new TypeError('no agent');
}

function open(fetch: FetchLike): Transport {
  const transport = fetchTransport(fetch);
  onTestFinished(() => transport.close());
  return transport;
}

/** Never settles. */
function neverSettles(): Promise<never> {
  return new Promise(() => undefined);
}

describe("a transport over Node's fetch", () => {
  transportContract(() => fetchTransport(fetch));
});

describe("a fetch of the user's own", () => {
  it('receives the request as a plain object and without redirects', async () => {
    const calls: [string, FetchInit][] = [];
    const transport = open((url, init) => {
      calls.push([url, init]);
      return Promise.resolve(new Response('fine'));
    });
    const response = await transport.send(request, new AbortController().signal);
    expect(await readText(response)).toBe('fine');
    expect(calls).toMatchObject([
      [request.url, { method: 'POST', headers: request.headers, body: '{}', redirect: 'manual' }],
    ]);
    expect(calls[0]?.[1].signal).toBeInstanceOf(AbortSignal);
  });

  it('receives no body with a GET', async () => {
    let init: FetchInit | undefined;
    const transport = open((_url, given) => {
      init = given;
      return Promise.resolve(new Response(''));
    });
    await transport.send({ method: 'GET', url: request.url, headers: {} }, new AbortController().signal);
    expect(Object.keys(init ?? {})).not.toContain('body');
  });

  it('may return a body that is no stream', async () => {
    const transport = open(() =>
      Promise.resolve({
        status: 200,
        headers: new Headers(),
        body: null,
        text: () => Promise.resolve('whole'),
      }),
    );
    expect(await readText(await transport.send(request, new AbortController().signal))).toBe('whole');
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('out of order');
      },
    ],
    ['rejects', () => Promise.reject(new Error('out of order'))],
  ] satisfies [string, FetchLike][])('rejects the request if it %s', async (_how, broken) => {
    await expect(open(broken).send(request, new AbortController().signal)).rejects.toThrow('out of order');
  });

  const status = 200;
  it.each<[string, () => unknown, RegExp]>([
    ['has a mistake', () => mistake(), /TypeError: no agent/],
    ['rejects with one', () => Promise.reject(new ReferenceError('agent is not defined')), /agent is not/],
    ['sets a bad header', () => fetch(request.url, { headers: { 'x-a': 'a\nb' } }), /header/],
    ['has a bad URL', () => fetch('nowhere'), /URL/],
    [
      'reads a file that is not there',
      () => readFile('/none/ca.pem'),
      /the file \/none\/ca\.pem cannot be read/,
    ],
    ['resolves with nothing', () => Promise.resolve(), /must resolve with a Response/],
    ['resolves with text', () => Promise.resolve('{}'), /must resolve with a Response/],
    ['has plain headers', () => Promise.resolve({ status, headers: {} }), /must resolve with a Response/],
    [
      'has read the body',
      async () => {
        const response = new Response('{}');
        await response.text();
        return response;
      },
      /response\.clone\(\)/,
    ],
  ])('that %s is a ConfigError', async (_how, broken, message) => {
    // @ts-expect-error -- possible in plain JavaScript
    const error = await errorOf(open(broken).send(request, new AbortController().signal));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(message);
    expect(error.message).toContain('options.fetch');
  });

  it.each([
    new TypeError('fetch failed'),
    new TypeError('fetch failed', { cause: new Error('read ECONNRESET') }),
    new TypeError('Failed to fetch'),
    new TypeError('NetworkError when attempting to fetch resource.'),
    Object.assign(new Error('connect ENOENT /run/proxy.sock'), {
      code: 'ENOENT',
      syscall: 'connect',
      path: '/run/proxy.sock',
    }),
    Object.assign(new TypeError('no'), { code: 'ECONNREFUSED' }),
  ])('that fails with %s has met the network', async (thrown) => {
    const sent = open(() => Promise.reject(thrown)).send(request, new AbortController().signal);
    await expect(sent).rejects.toBe(thrown);
  });

  describe('that ignores its signal is abandoned', () => {
    it('before the answer', async () => {
      const controller = new AbortController();
      const sent = open(neverSettles).send(request, controller.signal);
      controller.abort(new Error('enough'));
      await expect(sent).rejects.toThrow('enough');
    });

    it('within the body', async () => {
      const controller = new AbortController();
      const transport = open(() => Promise.resolve(new Response(new ReadableStream({ pull: neverSettles }))));
      const read = readText(await transport.send(request, controller.signal));
      controller.abort(new Error('enough'));
      await expect(read).rejects.toThrow('enough');
    });

    it('when the transport is closed', async () => {
      const transport = fetchTransport(neverSettles);
      const sent = transport.send(request, new AbortController().signal);
      const failed = errorOf(sent);
      await transport.close();
      expect((await failed).message).toMatch(/closed/);
    });
  });
});
