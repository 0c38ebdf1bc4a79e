/** Exit code: a call failed. */
export const FAILED = 1;
/** Exit code: wrong usage or configuration. */
export const USAGE = 2;

/** A mistake on the command line. The message says what to do. */
export class UsageError extends Error {
  static override readonly name: string = 'UsageError';
}

const CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** The signals that interrupt a command, so that it can clean up. */
export type InterruptSignal = keyof typeof CODES;
export const INTERRUPT_SIGNALS: readonly InterruptSignal[] = ['SIGINT', 'SIGTERM'];

/** The reason of an abort by a signal. */
export class Interruption extends Error {
  static override readonly name: string = 'Interruption';
  /** 128 plus the number of the signal, as shells report it. */
  readonly exitCode: number;

  constructor(signal: InterruptSignal) {
    super(`interrupted by ${signal}`);
    this.exitCode = CODES[signal];
  }
}
