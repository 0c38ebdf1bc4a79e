/** Answers to what Node's parser refuses before there is a request. */

import { maxHeaderSize, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorObject, type HttpErrorInit } from '../http-error.ts';

/** By the code of the parser's error. */
const REFUSALS: ReadonlyMap<string, HttpErrorInit> = new Map<string, HttpErrorInit>([
  [
    'HPE_HEADER_OVERFLOW',
    {
      status: 431,
      code: 'headers_too_large',
      message: `The headers of the request are longer than ${maxHeaderSize} bytes.`,
    },
  ],
  [
    'HPE_CHUNK_EXTENSIONS_OVERFLOW',
    {
      status: 413,
      code: 'request_too_large',
      message: 'The chunk extensions of the request are too long. Send none.',
    },
  ],
  [
    'ERR_HTTP_REQUEST_TIMEOUT',
    {
      status: 408,
      code: 'request_timeout',
      message: 'The request arrived too slowly. Send it again.',
      retry: true,
    },
  ],
]);

const NO_HTTP: HttpErrorInit = {
  status: 400,
  code: 'bad_http',
  message: 'This is no valid HTTP request. The server speaks HTTP/1.1 without TLS.',
};

/** Answers what was no request, and closes its connection. */
export function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  const init = REFUSALS.get(error.code ?? '') ?? NO_HTTP;
  const body = JSON.stringify({ error: errorObject(init) });
  const lines = [
    `HTTP/1.1 ${init.status} ${STATUS_CODES[init.status] ?? ''}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    ...(init.retry === true ? [] : ['x-should-retry: false']),
    'connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
