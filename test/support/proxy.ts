/** A tiny HTTP proxy on 127.0.0.1 that leads every tunnel to one server, whatever host was asked for. */

import { createServer } from 'node:http';
import { connect } from 'node:net';
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
