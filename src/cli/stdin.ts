import { addAbortSignal } from 'node:stream';
import { UsageError } from './exit.ts';
import type { Shell } from './shell.ts';

/** The longest request that freelm sends. */
const MAX_CHARACTERS = 20_000_000;
/** After this, a hint explains why freelm still waits. */
const HINT_AFTER_MS = 3000;

/** Reads all of standard input. `hint` tells a person what to do if no input arrives. */
export async function readStdin({ stdin, err, signal }: Shell, hint: string): Promise<string> {
  signal.throwIfAborted();
  addAbortSignal(signal, stdin);
  const reminder = setTimeout(() => {
    void err.write(`freelm: waiting for standard input to end. ${hint}\n`);
  }, HINT_AFTER_MS);
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const chunk of stdin) {
      clearTimeout(reminder);
      if (chunk instanceof Uint8Array) text += decoder.decode(chunk, { stream: true });
      if (text.length > MAX_CHARACTERS) {
        throw new UsageError(`Standard input is longer than ${MAX_CHARACTERS} characters. Shorten it.`);
      }
    }
  } finally {
    clearTimeout(reminder);
  }
  return text + decoder.decode();
}
