/** The contract of every transport, tested over real sockets. */

import { describe, expect, it, onTestFinished } from 'vitest';
import type { HttpRequest, HttpResponse, Transport } from '../../src/ports.ts';
import { errorOf } from '../support/rejection.ts';
import { hangs, json, serve, serveTcp, until } from '../support/server.ts';

export async function readText(response: HttpResponse): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body) text += decoder.decode(chunk, { stream: true });
  return text;
}

/** A signal that never aborts. */
const never = (): AbortSignal => new AbortController().signal;

function get(url: string): HttpRequest {
  return { method: 'GET', url, headers: { accept: 'application/json' } };
}

export function transportContract(make: () => Transport): void {
  function open(): Transport {
    const transport = make();
    onTestFinished(() => transport.close());
    return transport;
  }

  describe('a request', () => {
    it('is sent with its method, path, query, headers and body unchanged', async () => {
      const server = await serve((_request, response) => json(response, {}));
      const response = await open().send(
        {
          method: 'POST',
          url: `${server.url}/v1/chat?x=1`,
          headers: { 'content-type': 'application/json', 'x-own': 'plain' },
          body: '{"text":"Grüße 👋"}',
        },
        never(),
      );
      await readText(response);
      expect(server.requests).toMatchObject([
        {
          method: 'POST',
          url: '/v1/chat?x=1',
          headers: { 'content-type': 'application/json', 'x-own': 'plain', 'content-length': '23' },
          body: '{"text":"Grüße 👋"}',
        },
      ]);
    });
  });

  describe('an answer', () => {
    it.each([200, 204, 302, 404, 429, 500, 503])('with status %i is returned', async (status) => {
      const server = await serve((_request, response) => response.writeHead(status).end());
      const response = await open().send(get(server.url), never());
      expect([response.status, await readText(response)]).toEqual([status, '']);
    });

    it('has header names in lower case, repeated ones joined', async () => {
      const server = await serve((_request, response) => {
        response.writeHead(
          200,
          [
            ['Retry-After', '7'],
            ['X-Twice', 'a'],
            ['x-twice', 'b'],
          ].flat(),
        );
        response.end('x');
      });
      const response = await open().send(get(server.url), never());
      expect(response.headers).toMatchObject({ 'retry-after': '7', 'x-twice': 'a, b' });
      await readText(response);
    });

    it('may come after interim ones', async () => {
      const server = await serve((_request, response) => {
        response.writeEarlyHints({ link: '</style.css>; rel=preload' });
        json(response, { final: true });
      });
      const response = await open().send(get(server.url), never());
      expect([response.status, await readText(response)]).toEqual([200, '{"final":true}']);
    });

    it('is whole if it is read slowly', async () => {
      const body = Buffer.alloc(2 * 1024 * 1024, 'x');
      const server = await serve((_request, response) => response.end(body));
      const response = await open().send(get(server.url), never());
      let length = 0;
      for await (const chunk of response.body) {
        length += chunk.byteLength;
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(length).toBe(body.byteLength);
    });

    it('streams its body in the chunks of the server', async () => {
      let finish: (() => void) | undefined;
      const server = await serve((_request, response) => {
        response.write('one ');
        finish = () => response.end('two');
      });
      const response = await open().send(get(server.url), never());
      const pieces: string[] = [];
      for await (const chunk of response.body) {
        pieces.push(new TextDecoder().decode(chunk));
        finish?.();
      }
      expect(pieces).toEqual(['one ', 'two']);
    });

    it('applies back-pressure to the server', async () => {
      let sent = 0;
      const piece = Buffer.alloc(1024 * 1024);
      const server = await serve((_request, response) => {
        const pump = (): void => {
          do sent += piece.byteLength;
          while (response.write(piece));
        };
        response.on('drain', pump);
        pump();
      });
      const response = await open().send(get(server.url), never());
      for await (const chunk of response.body) {
        expect(chunk.byteLength).toBeGreaterThan(0);
        break;
      }
      await until(() => server.closed > 0);
      // No more than the buffers of both sides hold.
      expect(sent).toBeLessThan(32 * 1024 * 1024);
    });

    it('that breaks rejects while it is read', async () => {
      const server = await serve((_request, response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('half', () => response.destroy());
      });
      const response = await open().send(get(server.url), never());
      await expect(readText(response)).rejects.toBeInstanceOf(Error);
    });

    it.each([301, 302, 303, 307, 308])('with status %i is not followed', async (status) => {
      const target = await serve((_request, response) => json(response, {}));
      const server = await serve((_request, response) => {
        response.writeHead(status, { location: `${target.url}/v1/elsewhere` }).end();
      });
      const request = {
        method: 'POST',
        url: server.url,
        headers: { authorization: 'Bearer k' },
        body: '{}',
      } as const;
      const response = await open().send(request, never());
      expect(response.status).toBe(status);
      await readText(response);
      expect(target.connections).toBe(0);
    });
  });

  describe('a network error', () => {
    it('rejects if no server listens', async () => {
      const server = await serveTcp();
      const gone = server.url.replace(/\d+$/, '1');
      await expect(open().send(get(gone), never())).rejects.toBeInstanceOf(Error);
    });

    it('rejects if the connection is reset before an answer', async () => {
      const server = await serveTcp((socket) => socket.resetAndDestroy());
      await expect(open().send(get(server.url), never())).rejects.toBeInstanceOf(Error);
    });

    it('rejects if the answer is no HTTP', async () => {
      const server = await serveTcp((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'));
      await expect(open().send(get(server.url), never())).rejects.toBeInstanceOf(Error);
    });
  });

  describe('an abort', () => {
    // A reason of the caller's is thrown as it is, even if it looks like a fault of this machine.
    const reason = new TypeError('enough');

    it('before the request sends nothing', async () => {
      const server = await serve(hangs);
      await expect(open().send(get(server.url), AbortSignal.abort(reason))).rejects.toBe(reason);
      expect(server.requests).toHaveLength(0);
    });

    it('while connecting rejects at once', async () => {
      // The TLS handshake never completes.
      const server = await serveTcp();
      const controller = new AbortController();
      const sent = open().send(get(server.url.replace('http:', 'https:')), controller.signal);
      await until(() => server.open === 1);
      controller.abort(reason);
      await expect(sent).rejects.toBe(reason);
    });

    it('while waiting for the answer closes the connection', async () => {
      const server = await serve(hangs);
      const controller = new AbortController();
      const sent = open().send(get(server.url), controller.signal);
      await until(() => server.requests.length === 1);
      controller.abort(reason);
      await expect(sent).rejects.toBe(reason);
      await until(() => server.closed > 0);
    });

    it('while the body is read closes the connection', async () => {
      const server = await serve((_request, response) => response.write('half'));
      const controller = new AbortController();
      const response = await open().send(get(server.url), controller.signal);
      const read = readText(response);
      controller.abort(reason);
      await expect(read).rejects.toBeInstanceOf(Error);
      await until(() => server.closed > 0);
    });

    it('does not affect other requests', async () => {
      const held: (() => void)[] = [];
      const server = await serve((_request, response) => held.push(() => response.end('fine')));
      const transport = open();
      const controller = new AbortController();
      const given = transport.send(get(server.url), controller.signal);
      const kept = transport.send(get(server.url), never());
      await until(() => held.length === 2);
      controller.abort(reason);
      await expect(given).rejects.toBe(reason);
      for (const answer of held) answer();
      expect(await readText(await kept)).toBe('fine');
    });
  });

  it('closes the body of a reader that leaves early', async () => {
    const server = await serve((_request, response) => response.write('the beginning'));
    const response = await open().send(get(server.url), never());
    for await (const chunk of response.body) {
      expect(new TextDecoder().decode(chunk)).toBe('the beginning');
      break;
    }
    await until(() => server.closed > 0);
  });

  describe('after close()', () => {
    it('sends nothing', async () => {
      const server = await serve((_request, response) => response.end('fine'));
      const transport = make();
      await transport.close();
      await expect(transport.send(get(server.url), never())).rejects.toThrow(/closed/);
      expect(server.connections).toBe(0);
    });

    it('a request in flight is aborted', async () => {
      const server = await serve(hangs);
      const transport = make();
      const sent = transport.send(get(server.url), never());
      await until(() => server.requests.length === 1);
      const failed = errorOf(sent);
      await transport.close();
      expect((await failed).message).toMatch(/closed/);
      await until(() => server.closed > 0);
    });

    it('a connection in progress is aborted', async () => {
      const server = await serveTcp();
      const transport = make();
      const sent = transport.send(get(server.url.replace('http:', 'https:')), never());
      await until(() => server.open === 1);
      const failed = errorOf(sent);
      await transport.close();
      expect((await failed).message).toMatch(/closed/);
    });

    it('a second close() is harmless', async () => {
      const transport = make();
      await Promise.all([transport.close(), transport.close()]);
      await expect(transport.close()).resolves.toBeUndefined();
    });
  });
}
