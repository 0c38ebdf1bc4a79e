/** `freelm launch`: starts the endpoint for one agent, and the agent with it. */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { FreeLLM } from '../index.ts';
import { type Agent, agentOf } from './agents.ts';
import { UsageError } from './exit.ts';
import { type PoolFlags, withPool } from './pool.ts';
import type { Shell } from './shell.ts';

export interface LaunchFlags extends PoolFlags {
  readonly context?: number;
}

/** How long requests may take after the agent has ended. */
const GRACE_MS = 500;
const BAD_EXIT = 1;

/** The context length that the endpoint reports for a name. */
async function contextOf(llm: FreeLLM, model: string): Promise<number | undefined> {
  const response = await llm.fetch(`/v1/models/${encodeURIComponent(model)}`);
  const body: unknown = await response.json();
  const length: unknown =
    typeof body === 'object' && body !== null ? Reflect.get(body, 'context_length') : undefined;
  return typeof length === 'number' ? length : undefined;
}

/** Resolves when the agent ends. The terminal sends its signals to the agent itself, so only others are passed on. */
async function exitCodeOf(child: ChildProcess, agent: Agent, signal: AbortSignal): Promise<number> {
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  try {
    const exited: readonly unknown[] = await once(child, 'exit');
    return typeof exited[0] === 'number' ? exited[0] : BAD_EXIT;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    throw new UsageError(
      `there is no program "${agent.command}". Install ${agent.title}, or add its folder to PATH.`,
    );
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/**
 * Runs an agent on an endpoint of its own. `end` receives the agent's exit code. Writes nothing to the user's files.
 */
export async function launch(
  name: string,
  args: readonly string[],
  flags: LaunchFlags,
  shell: Shell,
  end: (code: number) => void,
): Promise<void> {
  const agent = agentOf(name);
  const { startGateway } = await import('../gateway/index.ts');
  // For an agent, waiting for quota is better than failing.
  await withPool(shell, { wait: true, ...flags }, async (llm) => {
    const token = randomBytes(24).toString('base64url');
    const gateway = await startGateway(llm, { port: 0, token, graceMs: GRACE_MS });
    try {
      const place = { url: gateway.url, token, contextTokens: await contextOf(llm, agent.model) };
      const child = spawn(agent.command, [...agent.args(place), ...args], {
        stdio: 'inherit',
        env: { ...shell.env, ...agent.env(place) },
      });
      end(await exitCodeOf(child, agent, shell.signal));
    } finally {
      await gateway.close();
    }
  });
}
