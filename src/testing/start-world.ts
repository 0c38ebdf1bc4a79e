/** Puts a simulated world behind real servers on this machine. */

import type { ProviderName, WorldOptions } from './options.ts';
import { startProviderServer, type ProviderServer } from './transport/provider-server.ts';
import { SimulatedWorld } from './simulated-world.ts';

/** A world, and how its servers tell the time. */
export interface ServedWorldOptions extends WorldOptions {
  /**
   * Epoch ms; decides in which minute and day a request falls. Delays are real either way.
   * @defaultValue Date.now
   */
  readonly now?: (() => number) | undefined;
}

const PATHS: Readonly<Record<ProviderName, string>> = {
  openrouter: '/api/v1',
  google: '/v1beta/openai',
  nim: '/v1',
  custom: '/v1',
};
const NAMES = ['openrouter', 'google', 'nim', 'custom'] as const;

/** A world that listens on 127.0.0.1. */
export class World extends SimulatedWorld implements AsyncDisposable {
  readonly #servers: readonly ProviderServer[];
  #closed: Promise<unknown> | undefined;

  /** @internal Use {@link startWorld}. */
  constructor(options: WorldOptions, servers: readonly ProviderServer[]) {
    super(options);
    this.#servers = servers;
  }

  /** Stops all servers; requests that still wait for an answer lose their connection. Closing twice is harmless. */
  async close(): Promise<void> {
    this.#closed ??= Promise.all(this.#servers.map((server) => server.close()));
    await this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Starts one HTTP server for each provider and resolves when all of them listen.
 * Give a client `world.openrouter.baseUrl` and the like as base URLs, and `world.env()` or `world.openrouter.keys` as
 * keys.
 */
export async function startWorld(options: ServedWorldOptions = {}): Promise<World> {
  const { now = Date.now } = options;
  let world: World | undefined;
  const start = (name: ProviderName): Promise<ProviderServer> =>
    startProviderServer((request) => {
      if (world === undefined) throw new Error('The world is still starting.');
      return world[name].answer(request, now());
    });
  const servers = await Promise.all(NAMES.map(start));
  const placed: WorldOptions = Object.fromEntries(
    NAMES.map((name, index) => {
      const port = servers[index]?.port;
      return [name, { ...options[name], baseUrl: `http://127.0.0.1:${port}${PATHS[name]}` }];
    }),
  );
  world = new World({ ...options, ...placed }, servers);
  return world;
}
