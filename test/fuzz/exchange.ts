/** Sends the bytes of a request over a connection of its own and reads what comes back. */

import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { type HostileRequest, wireOf } from './requests.ts';

/** An answer of the server, as far as its bytes are one. */
export interface Answer {
  readonly status: number;
  /** By names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** The whole answer as text. */
  readonly raw: string;
}

export type Outcome = Answer | 'closed without an answer' | 'malformed' | 'no end within the time';

/** Undefined if the chunks do not end. */
function unchunked(body: string): string | undefined {
  let rest = body;
  const parts: string[] = [];
  for (;;) {
    const head = /^([0-9a-f]+)\r\n/.exec(rest);
    if (head === null) return undefined;
    const size = Number.parseInt(head[1] ?? '', 16);
    const from = head[0].length;
    if (rest.slice(from + size, from + size + 2) !== '\r\n') return undefined;
    if (size === 0) return parts.join('');
    parts.push(rest.slice(from, from + size));
    rest = rest.slice(from + size + 2);
  }
}

function utf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}

function parsed(latin1: string, method: string): Outcome {
  const whole = latin1.replace(/^(?:HTTP\/1\.1 1\d\d [^\r]*\r\n(?:[^\r]+\r\n)*\r\n)+/, '');
  if (whole === '') return 'closed without an answer';
  const end = whole.indexOf('\r\n\r\n');
  const [first = '', ...lines] = whole.slice(0, end).split('\r\n');
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1];
  if (end < 0 || status === undefined) return 'malformed';
  const headers = new Map(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const sent = whole.slice(end + 4);
  const isChunked = headers.get('transfer-encoding') === 'chunked' && method !== 'HEAD';
  const body = isChunked ? unchunked(sent) : sent;
  const length = headers.get('content-length');
  if (body === undefined) return 'malformed';
  if (!isChunked && method !== 'HEAD' && length !== undefined && Number(length) !== body.length)
    return 'malformed';
  return { status: Number(status), headers, body: utf8(body), raw: utf8(whole) };
}

/** Sends a request. With `leaves`, disconnects at the first byte of the answer. */
export async function exchange(
  port: number,
  request: HostileRequest,
  { leaves, timeoutMs }: { readonly leaves: boolean; readonly timeoutMs: number },
): Promise<Outcome> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined);
  socket.on('data', (bytes) => {
    chunks.push(bytes);
    if (leaves) socket.destroy();
  });
  for (const bytes of wireOf(request, `127.0.0.1:${port}`)) socket.write(bytes);
  if (request.framing === 'short') socket.end();
  const timer = new AbortController();
  const late = pause(timeoutMs, 'late', { signal: timer.signal }).catch(() => undefined);
  const first = await Promise.race([closed, late]);
  timer.abort();
  socket.destroy();
  if (first === 'late') return 'no end within the time';
  return parsed(Buffer.concat(chunks).toString('latin1'), request.method);
}

/** How long unfinished bodies are waited for. A server need not take them. */
const HOLD_MS = 2000;

/** Opens connections with bodies that do not end. The function returned closes them. */
export async function holdBodies(
  port: number,
  { connections, bytes }: { readonly connections: number; readonly bytes: number },
): Promise<() => void> {
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${bytes + 10}\r\n\r\n`;
  const body = Buffer.alloc(bytes, ' ');
  const sockets = Array.from({ length: connections }, () => connect(port, '127.0.0.1').resume());
  const sent = sockets.map(async (socket) => {
    socket.on('error', () => undefined);
    socket.write(head);
    await new Promise((resolve) => {
      socket.write(body, resolve);
    });
  });
  const timer = new AbortController();
  const late = pause(HOLD_MS, undefined, { signal: timer.signal }).catch(() => undefined);
  await Promise.race([Promise.all(sent), late]);
  timer.abort();
  return () => {
    for (const socket of sockets) socket.destroy();
  };
}
