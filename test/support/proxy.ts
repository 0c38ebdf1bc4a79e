/** Tiny proxies on 127.0.0.1 that lead every tunnel to one server, whatever host was asked for. */

import { createServer } from 'node:http';
import { connect, createServer as createTcpServer, type Socket } from 'node:net';
import { track, type TestServer } from './server.ts';

export interface TestProxy extends TestServer {
  /** `host:port` of every tunnel that was asked for. */
  readonly tunnels: readonly string[];
}

export async function serveProxy(target: TestServer): Promise<TestProxy> {
  const tunnels: string[] = [];
  const proxy = createServer((_request, response) => response.writeHead(400).end());
  proxy.on('connect', ({ url = '' }, client) => {
    tunnels.push(url);
    const onward = connect(target.port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      client.pipe(onward).pipe(client);
    });
    onward.on('error', () => client.destroy());
    client.on('error', () => onward.destroy());
    client.on('close', () => onward.destroy());
  });
  const server = await track(proxy, []);
  return Object.assign(server, { tunnels });
}

/** The next `length` bytes of a socket. */
async function take(socket: Socket, length: number): Promise<Buffer> {
  for (;;) {
    const bytes: unknown = socket.read(length);
    if (bytes instanceof Buffer) return bytes;
    await new Promise((resolve) => socket.once('readable', resolve));
  }
}

/** Answers one client of a SOCKS5 proxy without a password (RFC 1928). Returns the target that it asked for. */
async function greet(client: Socket): Promise<string> {
  const [, methods = 0] = await take(client, 2);
  await take(client, methods);
  client.write(Buffer.from([5, 0]));
  const [, , , kind] = await take(client, 4);
  const length = kind === 3 ? ((await take(client, 1))[0] ?? 0) : 4;
  const host = await take(client, length);
  const port = (await take(client, 2)).readUInt16BE();
  client.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]));
  return `${kind === 3 ? host.toString() : host.join('.')}:${port}`;
}

export async function serveSocks(target: TestServer): Promise<TestProxy> {
  const tunnels: string[] = [];
  const proxy = createTcpServer((client) => {
    const lead = async (): Promise<void> => {
      tunnels.push(await greet(client));
      const onward = connect(target.port, '127.0.0.1');
      onward.on('error', () => client.destroy());
      client.on('close', () => onward.destroy());
      client.pipe(onward).pipe(client);
    };
    lead().catch(() => client.destroy());
  });
  const server = await track(proxy, []);
  return Object.assign(server, { tunnels });
}
