/** Connections that are being made: undici waits for them to the end, even if nobody wants them any more. */

import { Socket } from 'node:net';
import type { buildConnector } from 'undici';

type Connector = buildConnector.connector;

export class Connecting {
  readonly #origins = new Map<Socket, string>();

  /** Whether any connection is being made. */
  get any(): boolean {
    return this.#origins.size > 0;
  }

  /** The same connector, watched. `background`: its connections do not keep the process alive. */
  watch(connect: Connector, background: boolean): Connector {
    return (target, done) => {
      const started: unknown = connect(target, (...outcome) => {
        if (started instanceof Socket) this.#origins.delete(started);
        done(...outcome);
      });
      if (!(started instanceof Socket)) return;
      this.#origins.set(started, `${target.protocol}//${target.host ?? target.hostname}`);
      if (background) started.unref();
    };
  }

  /** Gives up the connections that are being made to an origin; without one, all of them. */
  giveUp(origin?: string): void {
    for (const [socket, to] of this.#origins) {
      // With an error, since undici learns of it by that alone.
      if (origin === undefined || to === origin) socket.destroy(new Error('nobody waits for the connection'));
    }
  }
}
