/** How the command line ends: its codes, and the errors of its own. */

/** A call failed. */
export const FAILED = 1;
/** Wrong usage or configuration. */
export const USAGE = 2;

/** What a person did wrong on the command line, in one sentence with what to do. */
export class UsageError extends Error {
  static override readonly name: string = 'UsageError';
}

const CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** The signals that end a command, so that it can clean up. */
export type EndingSignal = keyof typeof CODES;
export const ENDING_SIGNALS: readonly EndingSignal[] = ['SIGINT', 'SIGTERM'];

/** What a command is aborted with when a signal comes. */
export class Interruption extends Error {
  static override readonly name: string = 'Interruption';
  /** As shells count it: 128 and the signal's number. */
  readonly exitCode: number;

  constructor(signal: EndingSignal) {
    super(`interrupted by ${signal}`);
    this.exitCode = CODES[signal];
  }
}
