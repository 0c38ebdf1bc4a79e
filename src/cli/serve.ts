/** `freelm serve`: serves the pool as an OpenAI-compatible endpoint. */

import { once } from 'node:events';
import type { Gateway, GatewayOptions } from '../gateway/index.ts';
import type { FreeLLM, FreeLLMEvent } from '../index.ts';
import { portNumber } from './args.ts';
import { type ConfigFile, readConfigFile } from './config-file.ts';
import { UsageError } from './exit.ts';
import { listener, type PoolFlags, poolOptions } from './pool.ts';
import { type LogFormat, ServeLog } from './serve-log.ts';
import type { Shell } from './shell.ts';

export interface ServeFlags extends PoolFlags {
  readonly config?: string;
  readonly port?: number;
  readonly host?: string;
  readonly token?: string;
  readonly log?: LogFormat;
  readonly drainMs?: number;
  readonly allowOrigin?: readonly string[];
  readonly allowHost?: readonly string[];
  readonly maxBody?: number;
  readonly maxMemory?: number;
  readonly maxConnections?: number;
  readonly maxClientRequests?: number;
}

/** Explains the system's errors. */
const LISTEN_ERRORS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use. Choose another one with --port, or 0 for a free one.',
  EACCES: 'you may not use this port. Choose one above 1023 with --port.',
  EADDRNOTAVAIL: 'this machine has no such address. Choose another one with --host.',
  ENOTFOUND: 'this machine has no such address. Choose another one with --host.',
};

function unavailable(error: unknown, { host = '127.0.0.1', port = 4141 }: GatewayOptions): unknown {
  const why = error instanceof Error && 'code' in error ? LISTEN_ERRORS[String(error.code)] : undefined;
  return why === undefined ? error : new UsageError(`cannot listen on ${host}:${port}: ${why}`);
}

function howToUse(url: string, hasToken: boolean): string {
  return [
    `freelm serves ${url}/v1. Status page: ${url}/. Press Ctrl-C to stop.`,
    'To use it from a program made for OpenAI, set:',
    `  OPENAI_BASE_URL=${url}/v1`,
    `  OPENAI_API_KEY=${hasToken ? '(the token)' : 'any'}`,
    '',
  ].join('\n');
}

/** The port in `PORT`, which many platforms set. */
function portFrom({ env }: Shell): number | undefined {
  const text = env['PORT'] ?? '';
  if (text === '') return undefined;
  try {
    return portNumber(text);
  } catch {
    throw new UsageError(`PORT is "${text}"; it must be a port, 0 to 65535.`);
  }
}

/** Options of the command line come first, then those of the environment, then those of the file. */
function gatewayOptions(flags: ServeFlags, shell: Shell, file: ConfigFile['serve'] = {}): GatewayOptions {
  const { log: _, drainMs, ...fromFile } = file;
  const token = shell.env['FREELM_TOKEN'] ?? '';
  return {
    ...fromFile,
    host: flags.host ?? file.host,
    port: flags.port ?? portFrom(shell) ?? file.port,
    token: flags.token ?? (token === '' ? undefined : token),
    allowedOrigins: flags.allowOrigin ?? file.allowedOrigins,
    allowedHosts: flags.allowHost ?? file.allowedHosts,
    maxBodyBytes: flags.maxBody ?? file.maxBodyBytes,
    maxMemoryBytes: flags.maxMemory ?? file.maxMemoryBytes,
    maxConnections: flags.maxConnections ?? file.maxConnections,
    maxClientRequests: flags.maxClientRequests ?? file.maxClientRequests,
    graceMs: flags.drainMs ?? drainMs,
    fd: shell.listenFd,
  };
}

/** A pool of the providers in the file, or else of the keys in the environment. */
async function openPool(
  { config, flags, env }: { config: ConfigFile | undefined; flags: ServeFlags; env: Shell['env'] },
  onEvent: (event: FreeLLMEvent) => void,
): Promise<FreeLLM> {
  const { FreeLLM: Pool } = await import('../index.ts');
  const options = { ...poolOptions(flags), onEvent };
  return config === undefined
    ? Pool.fromEnv(options, env)
    : new Pool({ ...config.options, ...options }, { env });
}

/** Replaces the pool of a running endpoint when the process has to read its configuration again. */
class Reloader {
  readonly #flags: ServeFlags;
  readonly #shell: Shell;
  readonly #log: ServeLog;
  readonly #onEvent: (event: FreeLLMEvent) => void;
  readonly #gateway: Gateway;
  #llm: FreeLLM;
  #config: ConfigFile;
  /** The reloads so far, one after the other. */
  #done: Promise<void> = Promise.resolve();
  /** Earlier pools, until their last request has ended. */
  readonly #retired = new Set<Promise<void>>();

  constructor(init: {
    readonly flags: ServeFlags;
    readonly shell: Shell;
    readonly log: ServeLog;
    readonly onEvent: (event: FreeLLMEvent) => void;
    readonly gateway: Gateway;
    readonly llm: FreeLLM;
    readonly config: ConfigFile;
  }) {
    this.#flags = init.flags;
    this.#shell = init.shell;
    this.#log = init.log;
    this.#onEvent = init.onEvent;
    this.#gateway = init.gateway;
    this.#llm = init.llm;
    this.#config = init.config;
  }

  readonly reload = (): void => {
    this.#done = this.#done.then(() => this.#reload());
  };

  /** Closes the pools. Must be called when the endpoint is closed. */
  async close(): Promise<void> {
    await this.#done;
    await Promise.all(this.#retired);
    await this.#llm.close();
  }

  async #reload(): Promise<void> {
    const { path, serve: earlierServe } = this.#config;
    const { config: given } = this.#flags;
    const env = this.#shell.readEnv();
    let config: ConfigFile | undefined;
    let next: FreeLLM;
    try {
      config = await readConfigFile(given, { env, folder: this.#shell.folder });
      if (config === undefined) throw new UsageError(`${path} is gone.`);
      next = await openPool({ config, flags: this.#flags, env }, this.#onEvent);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#log.warn(`the configuration stays as it was: ${why}`);
      return;
    }
    const earlier = this.#llm;
    this.#llm = next;
    this.#config = config;
    const retired = this.#gateway.use(next).then(() => earlier.close());
    this.#retired.add(retired);
    void retired.then(() => this.#retired.delete(retired));
    this.#log.info(
      `uses ${config.path} as it is now. Requests under way end with the earlier configuration.`,
    );
    if (JSON.stringify(earlierServe) !== JSON.stringify(config.serve))
      this.#log.warn(
        `the options in "serve" of ${config.path} have changed. They are used from the next start on.`,
      );
  }
}

export async function serve(flags: ServeFlags, shell: Shell): Promise<void> {
  const { signal, err, out, env } = shell;
  const config = await readConfigFile(flags.config, shell);
  const format = flags.log ?? config?.serve.log ?? (err.isTerminal ? 'text' : 'json');
  const log = new ServeLog(err, format, Date.now);
  const paint: typeof err.paint = format === 'json' ? (_style, text) => text : err.paint;
  const onEvent = listener(paint, flags.verbose ?? false, log);
  const llm = await openPool({ config, flags, env }, onEvent);
  const options = { ...gatewayOptions(flags, shell, config?.serve), onRequest: log.request };
  const { startGateway } = await import('../gateway/index.ts');
  const gateway = await startGateway(llm, options).catch(async (error: unknown) => {
    await llm.close();
    throw unavailable(error, options);
  });
  const reloader =
    config === undefined ? undefined : new Reloader({ flags, shell, log, onEvent, gateway, llm, config });
  // Without a file there is nothing to read again, and the signal ends the process.
  const ignoreHangups = reloader === undefined ? undefined : shell.onHangup(reloader.reload);
  try {
    await out.write(howToUse(gateway.url, options.token !== undefined));
    if (!signal.aborted) await once(signal, 'abort');
    log.info('finishing the running requests. A second signal ends at once.');
  } finally {
    ignoreHangups?.();
    await gateway.close();
    await (reloader ?? llm).close();
  }
}
