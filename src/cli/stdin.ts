import { once } from 'node:events';
import { addAbortSignal } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { UsageError } from './exit.ts';
import type { Shell } from './shell.ts';

/** The longest request that freelm sends. */
const MAX_CHARACTERS = 20_000_000;
/** After this, a hint explains why freelm still waits. */
const HINT_AFTER_MS = 3000;

/** How long to wait for the first byte if standard input may stay open for good. */
const FIRST_BYTE_MS = 200;

/** Whether standard input soon has data, or ends. Reads nothing. */
export async function hasInput({ stdin, signal }: Shell): Promise<boolean> {
  const ready = once(stdin, 'readable', { signal }).then(() => true);
  const late = pause(FIRST_BYTE_MS, false, { ref: false });
  const isReady = await Promise.race([ready, late]);
  ready.catch(() => undefined);
  // An open stream would keep the process alive.
  if (!isReady) stdin.destroy();
  return isReady;
}

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
