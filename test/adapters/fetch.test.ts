import { describe, expect, it, onTestFinished } from 'vitest';
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

function open(fetch: FetchLike): Transport {
  const transport = fetchTransport(fetch);
  onTestFinished(() => transport.close());
  return transport;
}

/** Never settles. */
function silence(): Promise<never> {
  return new Promise(() => undefined);
}

describe("a transport over Node's fetch", () => {
  transportContract(() => fetchTransport(fetch));
});

describe("a fetch of the user's own", () => {
  it('gets the request as a plain object, redirects forbidden', async () => {
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

  it('gets no body member with a GET', async () => {
    let init: FetchInit | undefined;
    const transport = open((_url, given) => {
      init = given;
      return Promise.resolve(new Response(''));
    });
    await transport.send({ method: 'GET', url: request.url, headers: {} }, new AbortController().signal);
    expect(Object.keys(init ?? {})).not.toContain('body');
  });

  it('may answer without a stream', async () => {
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
  ] satisfies [string, FetchLike][])('that %s rejects the request', async (_how, broken) => {
    await expect(open(broken).send(request, new AbortController().signal)).rejects.toThrow('out of order');
  });

  describe('that does not listen to its signal is left behind', () => {
    it('while it is silent', async () => {
      const controller = new AbortController();
      const sent = open(silence).send(request, controller.signal);
      controller.abort(new Error('enough'));
      await expect(sent).rejects.toThrow('enough');
    });

    it('while its body is silent', async () => {
      const controller = new AbortController();
      const transport = open(() => Promise.resolve(new Response(new ReadableStream({ pull: silence }))));
      const read = readText(await transport.send(request, controller.signal));
      controller.abort(new Error('enough'));
      await expect(read).rejects.toThrow('enough');
    });

    it('when the transport is closed', async () => {
      const transport = fetchTransport(silence);
      const sent = transport.send(request, new AbortController().signal);
      const failed = errorOf(sent);
      await transport.close();
      expect((await failed).message).toMatch(/closed/);
    });
  });
});
