import type { ProviderName, WorldOptions } from './options.ts';
import { startProviderServer, type ProviderServer } from './transport/provider-server.ts';
import { SimulatedWorld } from './simulated-world.ts';

export interface ServedWorldOptions extends WorldOptions {
  /**
   * Returns the time of a request in epoch ms, which decides its minute and day. Delays always take real time.
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

/** A world with HTTP servers on 127.0.0.1. */
export class World extends SimulatedWorld implements AsyncDisposable {
  readonly #servers: readonly ProviderServer[];
  #closed: Promise<unknown> | undefined;

  /** @internal Use {@link startWorld}. */
  constructor(options: WorldOptions, servers: readonly ProviderServer[]) {
    super(options);
    this.#servers = servers;
  }

  /** Stops all servers and closes all connections, even of pending requests. Can be called again. */
  async close(): Promise<void> {
    this.#closed ??= Promise.all(this.#servers.map((server) => server.close()));
    await this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Starts one HTTP server for each provider. Configure a client with base URLs such as `world.openrouter.baseUrl`, and with
 * the keys in `world.openrouter.keys` or `world.env()`.
 */
export async function startWorld(options: ServedWorldOptions = {}): Promise<World> {
  const { now = Date.now } = options;
  let world: World | undefined;
  const start = (name: ProviderName): Promise<ProviderServer> =>
    startProviderServer((request) => {
      if (world === undefined) throw new Error('The world has not started yet.');
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
