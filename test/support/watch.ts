/** Measures a process while it is attacked: how long its event loop stands still, its memory, and stray errors. */

export interface Figures {
  /** The longest time since the last look in which the process computed and no timer could run, in ms. */
  readonly blockedMs: number;
  /** The most memory of the process since the last look. */
  readonly rssMb: number;
  /** Unhandled rejections, uncaught errors and warnings of Node since the last look. */
  readonly strays: readonly string[];
}

const TICK_MS = 20;

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message).slice(0, 800) : String(error);
}

/** A gap between two ticks counts only as far as this process computed in it: the machine may be busy with others. */
export class Watch {
  #at = performance.now();
  #cpu = process.cpuUsage();
  #blockedMs = 0;
  #rssMb = 0;
  #strays: string[] = [];

  constructor() {
    setInterval(() => this.#tick(), TICK_MS).unref();
    for (const event of ['unhandledRejection', 'uncaughtException', 'warning'])
      process.on(event, (error: unknown) => this.#strays.push(`${event}: ${textOf(error)}`));
  }

  #tick(): void {
    const gapMs = performance.now() - this.#at - TICK_MS;
    const { user, system } = process.cpuUsage(this.#cpu);
    this.#blockedMs = Math.max(this.#blockedMs, Math.min(gapMs, (user + system) / 1000));
    this.#rssMb = Math.max(this.#rssMb, process.memoryUsage.rss() / 1e6);
    this.#begin();
  }

  #begin(): void {
    this.#at = performance.now();
    this.#cpu = process.cpuUsage();
  }

  /** Does work that is not the library's own, and leaves it out of the measurement. */
  apart<T>(work: () => T): T {
    this.#tick();
    const result = work();
    this.#begin();
    return result;
  }

  /** The figures since the last look. */
  take(): Figures {
    this.#tick();
    const figures = {
      blockedMs: this.#blockedMs,
      rssMb: this.#rssMb,
      strays: this.#strays,
    };
    this.#begin();
    this.#blockedMs = 0;
    this.#rssMb = 0;
    this.#strays = [];
    return figures;
  }
}
