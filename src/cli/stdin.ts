/** What is piped in. */

import { addAbortSignal } from 'node:stream';
import { UsageError } from './exit.ts';
import type { Shell } from './shell.ts';

/** As many as freelm sends at most. */
const MAX_CHARACTERS = 20_000_000;
/** Whoever waits for a pipe that nobody closes should know for what. */
const PATIENCE_MS = 3000;

/** The whole of standard input as text. `hint`: what to do when nothing comes, said after a while. */
export async function readStdin({ stdin, err, signal }: Shell, hint: string): Promise<string> {
  signal.throwIfAborted();
  addAbortSignal(signal, stdin);
  const reminder = setTimeout(() => {
    void err.write(`freelm: waiting for standard input to end. ${hint}\n`);
  }, PATIENCE_MS);
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
