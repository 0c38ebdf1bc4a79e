/** Runs pools in processes of their own, which share a folder. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { FreeLLM, OpenAICompatible } from '../../src/index.ts';
import { completion } from './server.ts';
import { seededRandom } from './seeded-random.ts';

const PROGRAM = join(import.meta.dirname, 'pool-process.mjs');

/** What a process does. */
export interface Job {
  /** Default: the user's. */
  readonly cacheDir?: string;
  /** Where the provider is. Not needed if it is fake. */
  readonly url?: string;
  /** Default: it goes on until it is killed. */
  readonly calls?: number;
  readonly isFake?: boolean;
  /** Whether the system knows no home of the user. */
  readonly isHomeless?: boolean;
  readonly provider?: object;
  readonly pool?: object;
}

export class PoolProcess {
  readonly child: ChildProcess;
  readonly lines: string[] = [];
  readonly #ended: Promise<unknown>;

  /** @param library - The path of the built `index.js`. */
  constructor(library: string, job: Job) {
    const child = spawn(process.execPath, [PROGRAM, library, JSON.stringify(job)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.child = child;
    createInterface({ input: child.stdout }).on('line', (line) => this.lines.push(line));
    this.#ended = once(child, 'close');
  }

  /** Resolves with what it printed when it has ended. */
  async ended(): Promise<readonly string[]> {
    await this.#ended;
    return this.lines;
  }

  /** How many of its calls were served. */
  async served(): Promise<number> {
    const lines = await this.ended();
    return Number(lines.find((line) => line.startsWith('served '))?.slice(7));
  }
}

/** A provider on the loopback that serves all and counts. */
export class CountingProvider {
  requests = 0;
  underWay = 0;
  mostUnderWay = 0;
  url = '';
  readonly #latencyMs: number;
  readonly #server = createServer((request, response) => {
    request.resume();
    this.requests += 1;
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    setTimeout(() => {
      this.underWay -= 1;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(completion('fine')));
    }, this.#latencyMs);
  });

  constructor(latencyMs = 0) {
    this.#latencyMs = latencyMs;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    this.url = `http://127.0.0.1:${address.port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

export interface KillReport {
  readonly kills: number;
  /** Requests that the provider counted. */
  readonly counted: number;
  /** Requests that are booked in the files. */
  readonly booked: number;
  readonly warnings: readonly string[];
}

const NEVER_REACHED = { rpm: 1_000_000, rpd: 1_000_000 };

/** The requests that are booked for the day, as a new process sees it. */
function bookedIn(cacheDir: string, url: string): { booked: number; warnings: string[] } {
  const warnings: string[] = [];
  const mine = new OpenAICompatible('a-key', {
    name: 'mine',
    baseUrl: `${url}/v1`,
    models: ['m'],
    ...NEVER_REACHED,
  });
  const llm = new FreeLLM({
    providers: [mine],
    cacheDir,
    persist: true,
    onEvent: (event) => {
      if (event.type === 'warning') warnings.push(event.message);
    },
  });
  const day = llm.capacity().limits.find(({ window }) => window === 'day');
  return { booked: day?.used ?? 0, warnings };
}

/** Kills processes with pools at random instants, several of them at a time on one folder. */
export async function killAtRandom(
  library: string,
  cacheDir: string,
  kills: number,
  atOnce: number,
): Promise<KillReport> {
  const provider = new CountingProvider();
  await provider.listen();
  const random = seededRandom(kills);
  const warnings: string[] = [];
  let left = kills;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const running = new PoolProcess(library, { cacheDir, url: provider.url, provider: NEVER_REACHED });
      const delayMs = random() * 30;
      running.child.stdout?.once('data', () => setTimeout(() => running.child.kill('SIGKILL'), delayMs));
      const lines = await running.ended();
      warnings.push(...lines.filter((line) => line !== 'first'));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  provider.close();
  const seen = bookedIn(cacheDir, provider.url);
  return {
    kills,
    counted: provider.requests,
    booked: seen.booked,
    warnings: [...warnings, ...seen.warnings],
  };
}
