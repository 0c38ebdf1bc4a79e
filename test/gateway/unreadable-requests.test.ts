/** What is no HTTP request is answered with an error of the usual shape, and its connection is closed. */

import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { endpoint, open } from '../client/support.ts';
import { says, serve } from '../support/server.ts';
import { chat, CHAT, gatewayOver } from './support.ts';

/**
 * Sends a text as it is, and returns all that comes back until the connection is closed.
 * @param then - Sent when the answer has begun.
 */
async function answerTo(port: number, text: string, then = ''): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  let answer = '';
  socket.once('data', () => socket.write(then));
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('utf8');
  });
  socket.write(text);
  await once(socket, 'close');
  return answer;
}

const HEAD = `POST ${CHAT} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;

describe('what is no request', () => {
  it.each([
    ['a greeting', 'hello\r\n\r\n', 400, 'bad_http'],
    ['the start of TLS', '\u0016\u0003\u0001\u0002\u0000\u0001', 400, 'bad_http'],
    ['two lengths', `${HEAD}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`, 400, 'bad_http'],
    [
      'a length beside chunks',
      `${HEAD}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n`,
      400,
      'bad_http',
    ],
    ['a chunk of no length', `${HEAD}transfer-encoding: chunked\r\n\r\nxyz\r\n`, 400, 'bad_http'],
    ['a header without a name', `${HEAD}: x\r\n\r\n`, 400, 'bad_http'],
    ['headers of 100 kB', `${HEAD}x: ${'x'.repeat(100_000)}\r\n\r\n`, 431, 'headers_too_large'],
    [
      'chunk extensions of 100 kB',
      `${HEAD}transfer-encoding: chunked\r\n\r\n2;x=${'x'.repeat(100_000)}\r\n{}\r\n0\r\n\r\n`,
      413,
      'request_too_large',
    ],
    ['a request that does not end', HEAD, 408, 'request_timeout'],
  ])('is answered: %s', async (_, text, status, code) => {
    const upstream = await serve(says('Hi'));
    const gateway = await gatewayOver(open({ providers: [endpoint(upstream)] }), { headersTimeoutMs: 50 });
    const answer = await answerTo(gateway.port, text);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} [A-Z]`));
    expect(head.toLowerCase()).toContain('connection: close');
    expect(head.toLowerCase()).toContain(`content-length: ${body.length}`);
    expect(JSON.parse(body)).toEqual({
      error: { type: 'invalid_request_error', code, param: null, message: expect.any(String) as unknown },
    });
    expect(upstream.requests).toHaveLength(0);
  });

  it('does not follow a response that has begun', async () => {
    const upstream = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n');
    });
    const gateway = await gatewayOver(open({ providers: [endpoint(upstream)] }));
    const body = chat({ stream: true });
    const answer = await answerTo(
      gateway.port,
      `${HEAD}content-length: ${body.length}\r\n\r\n${body}`,
      'hello\r\n\r\n',
    );
    expect(answer.match(/^HTTP\/1.1 .*$/gm)).toEqual(['HTTP/1.1 200 OK']);
    expect(answer).not.toContain('bad_http');
  });
});
