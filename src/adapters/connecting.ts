/** Connections that are being made: undici waits for them to the end, even if nobody wants them any more. */

import { Socket } from 'node:net';
import type { buildConnector } from 'undici';

/** A request as far as it matters here. */
interface Waiting {
  readonly url: string;
}

export class Connecting {
  readonly #origins = new Map<Socket, string>();
  /** Requests whose answer has not begun. */
  readonly #waiting = new Set<Waiting>();

  /** The same connector, watched. `background`: its connections do not keep the process alive. */
  watch(connect: buildConnector.connector, background: boolean): buildConnector.connector {
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

  /** A request begins to wait for its answer. */
  enter(request: Waiting): void {
    this.#waiting.add(request);
  }

  /** A request waits no longer: what is being made for it, and for nobody else, is given up. */
  leave(request: Waiting): void {
    this.#waiting.delete(request);
    if (this.#origins.size === 0) return;
    const { origin } = new URL(request.url);
    const wanted = [...this.#waiting].some(({ url }) => new URL(url).origin === origin);
    if (!wanted) this.#giveUp((to) => to === origin);
  }

  /** Gives up everything. */
  close(): void {
    this.#giveUp(() => true);
  }

  #giveUp(concerns: (origin: string) => boolean): void {
    for (const [socket, origin] of this.#origins) {
      // With an error, since undici learns of it by that alone.
      if (concerns(origin)) socket.destroy(new Error('nobody waits for the connection'));
    }
  }
}
