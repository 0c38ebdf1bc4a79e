/** A provider on 127.0.0.1 that answers by a script, in bytes that no HTTP library would write. */

import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { HostileAnswer, Script } from './answers.ts';
import { bytesOf } from './piece.ts';

function headOf({ status, headers, framing }: HostileAnswer, length: number, key: string): Buffer {
  const framed = {
    length: [['content-length', String(length)]],
    short: [['content-length', String(length + 10)]],
    chunked: [['transfer-encoding', 'chunked']],
    close: [],
  }[framing];
  const lines = [...headers, ...framed].map(
    ([name, value]) => `${name}: ${value.replace('<key>', () => key)}\r\n`,
  );
  return Buffer.from(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`, 'utf8');
}

/** The parts of a body as they are written. */
function partsOf(body: Buffer, { framing, writes }: HostileAnswer): readonly Buffer[] {
  const size = Math.max(1, Math.ceil(body.length / writes));
  const parts = Array.from({ length: Math.ceil(body.length / size) }, (_, index) =>
    body.subarray(index * size, (index + 1) * size),
  );
  if (framing !== 'chunked') return parts;
  const chunks = parts.map((part) =>
    Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]),
  );
  return [...chunks, Buffer.from('0\r\n\r\n')];
}

async function write(socket: Socket, answer: HostileAnswer, key: string): Promise<void> {
  const body = bytesOf(answer.body, key);
  for (const part of [headOf(answer, body.length, key), ...partsOf(body, answer)]) {
    if (socket.destroyed) return;
    if (!socket.write(part)) await once(socket, 'drain');
    await setImmediate();
  }
  if (answer.ending === 'reset') socket.resetAndDestroy();
  else if (answer.ending === 'end') socket.end();
}

export interface HostileProvider {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Answers all further requests by this script. */
  play(script: Script): void;
  close(): Promise<void>;
}

export async function startProvider(): Promise<HostileProvider> {
  let script: Script | undefined;
  let chats = 0;
  const nextAnswer = ({ method }: IncomingMessage): HostileAnswer | undefined => {
    if (method !== 'POST') return script?.list;
    chats += 1;
    return script?.chats[(chats - 1) % script.chats.length];
  };
  const server = createServer((message) => {
    const { socket } = message;
    const answer = nextAnswer(message);
    const key = message.headers.authorization?.replace('Bearer ', '') ?? '';
    message.resume().once('end', () => {
      if (answer === undefined) socket.destroy();
      else write(socket, answer, key).catch(() => socket.destroy());
    });
  });
  server.on('connection', (socket) => socket.on('error', () => undefined));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the provider has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    play(next) {
      script = next;
      chats = 0;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
