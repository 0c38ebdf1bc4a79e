/** `freelm serve`: serves the pool as an OpenAI-compatible endpoint. */

import { once } from 'node:events';
import { UsageError } from './exit.ts';
import { type PoolFlags, withPool } from './pool.ts';
import type { Shell } from './shell.ts';

export interface ServeFlags extends PoolFlags {
  readonly port: number;
  readonly host: string;
  readonly token?: string;
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

function unavailable(error: unknown, { host, port }: ServeFlags): unknown {
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

export async function serve(flags: ServeFlags, shell: Shell): Promise<void> {
  const { signal, err, out, env } = shell;
  const fromEnv = env['FREELM_TOKEN'] ?? '';
  const token = flags.token ?? (fromEnv === '' ? undefined : fromEnv);
  const { startGateway } = await import('../gateway/index.ts');
  await withPool(shell, flags, async (llm) => {
    const { host, port, maxConnections, maxClientRequests } = flags;
    const gateway = await startGateway(llm, {
      host,
      port,
      token,
      allowedOrigins: flags.allowOrigin,
      allowedHosts: flags.allowHost,
      maxBodyBytes: flags.maxBody,
      maxMemoryBytes: flags.maxMemory,
      maxConnections,
      maxClientRequests,
    }).catch((error: unknown) => {
      throw unavailable(error, flags);
    });
    try {
      await out.write(howToUse(gateway.url, token !== undefined));
      if (!signal.aborted) await once(signal, 'abort');
      await err.write('freelm: finishing the running requests. A second signal ends at once.\n');
    } finally {
      await gateway.close();
    }
  });
}
