import { setImmediate } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { decodedBody } from '../../src/adapters/decoded-body.ts';
import { undiciTransport } from '../../src/adapters/undici.ts';
import { BodyTooLargeError, readBody } from '../../src/wire/response/read-body.ts';
import { serve, until } from '../support/server.ts';

const TEXT = '{"choices":[{"message":{"content":"Grüße 👋"}}]}';
const MANY = 1024 * 1024;

async function* inPieces(body: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < body.byteLength; at += length) yield body.subarray(at, at + length);
}

function open(): ReturnType<typeof undiciTransport> {
  const transport = undiciTransport({ env: {} });
  onTestFinished(() => transport.close());
  return transport;
}

function read(coding: string, body: Uint8Array, length = 7): Promise<string> {
  return readBody(
    decodedBody({ 'content-encoding': coding }, Readable.from(inPieces(body, length), { objectMode: false })),
    MANY,
  );
}

describe('a compressed body is decoded', () => {
  it.each([
    ['gzip', gzipSync(TEXT)],
    ['x-gzip', gzipSync(TEXT)],
    ['GZIP', gzipSync(TEXT)],
    ['deflate', deflateSync(TEXT)],
    ['deflate', deflateRawSync(TEXT)],
    ['br', brotliCompressSync(TEXT)],
    ['gzip, br', brotliCompressSync(gzipSync(TEXT))],
    ['identity', Buffer.from(TEXT)],
    ['', Buffer.from(TEXT)],
  ])('%s', async (coding, body) => {
    expect(await read(coding, body)).toBe(TEXT);
    expect(await read(coding, body, 1)).toBe(TEXT);
  });
});

describe('a body that is not what its header says', () => {
  it.each(['gzip', 'deflate'])('passes unchanged if a proxy has already decoded it: %s', async (coding) => {
    expect(await read(coding, Buffer.from(TEXT))).toBe(TEXT);
  });

  it('passes unchanged if the coding is unknown', async () => {
    expect(await read('x-own', Buffer.from(TEXT))).toBe(TEXT);
  });

  it.each(['gzip', 'br', 'deflate'])('may be empty: %s', async (coding) => {
    expect(await read(coding, Buffer.alloc(0))).toBe('');
  });

  it('rejects if it was cut', async () => {
    await expect(read('gzip', gzipSync(TEXT).subarray(0, 20))).rejects.toBeInstanceOf(Error);
  });
});

describe('a body that grows when it is decoded', () => {
  it('is read no further than the bound', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * MANY));
    await expect(read('gzip', bomb, 16_384)).rejects.toBeInstanceOf(BodyTooLargeError);
  });
});

describe('over a connection', () => {
  it.each(['gzip', 'br', 'deflate'])('an empty answer is empty: %s', async (coding) => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': coding }).end();
    });
    const request = { method: 'GET', url: server.url, headers: {} } as const;
    const { body } = await open().send(request, new AbortController().signal);
    await setImmediate();
    expect(await readBody(body, MANY)).toBe('');
  });

  it('requests ask for no coding, and a coded answer is decoded anyway', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(TEXT));
    });
    const request = { method: 'GET', url: server.url, headers: {} } as const;
    const { body } = await open().send(request, new AbortController().signal);
    expect(await readBody(body, MANY)).toBe(TEXT);
    expect(server.requests[0]?.headers['accept-encoding']).toBe('identity');
  });

  it('a reader that leaves early closes it', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.write(gzipSync(Buffer.alloc(MANY, 'abc')));
    });
    const request = { method: 'GET', url: server.url, headers: {} } as const;
    const { body } = await open().send(request, new AbortController().signal);
    for await (const chunk of body) {
      expect(chunk.byteLength).toBeGreaterThan(0);
      break;
    }
    await until(() => server.closed === 1);
  });
});
