import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Gateway } from '../../src/gateway/index.ts';
import { servedPool } from '../clients/served-pool.ts';
import { chat, gatewayOver } from './support.ts';

async function posted(gateway: Gateway, body: Buffer, encoding: string): Promise<[number, string]> {
  const headers = { 'content-type': 'application/json', 'content-encoding': encoding };
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers,
    body: new Uint8Array(body),
  });
  return [response.status, await response.text()];
}

const MAX_BYTES = 20_000;

async function openGateway(): Promise<Gateway> {
  return gatewayOver((await servedPool('llm.fetch')).llm, { maxBodyBytes: MAX_BYTES });
}

describe('a packed body', () => {
  it.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('is unpacked: %s', async (encoding, pack) => {
    const [status, text] = await posted(await openGateway(), pack(chat()), encoding);
    expect(status).toBe(200);
    expect(text).toContain('You said: Hello');
  });

  it('counts as long as it is without the packing', async () => {
    const packed = gzipSync(chat({ user: 'x'.repeat(MAX_BYTES) }));
    expect(packed.length).toBeLessThan(200);
    const [status, text] = await posted(await openGateway(), packed, 'gzip');
    expect(status).toBe(413);
    expect(text).toContain('request_too_large');
  });

  it.each([
    ['is cut', gzipSync(chat()).subarray(0, 30)],
    ['is none', Buffer.from(chat())],
  ])('that %s is refused', async (_what, body) => {
    const [status, text] = await posted(await openGateway(), body, 'gzip');
    expect(status).toBe(400);
    expect(text).toContain('bad_encoding');
  });

  it('leaves the endpoint able to answer', async () => {
    const one = await openGateway();
    await posted(one, Buffer.from('nonsense'), 'gzip');
    expect((await posted(one, gzipSync(chat()), 'gzip'))[0]).toBe(200);
  });
});
