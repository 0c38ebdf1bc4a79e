/** Runs the vectors of streams: bytes in, parts out. */

import * as z from 'zod/mini';
import { ChunkReader } from '../../src/wire/chat-chunk.ts';

const streamInput = z.union([
  z.strictObject({ body: z.string() }),
  z.strictObject({ data: z.array(z.unknown()) }),
]);

function bodyOf(input: z.output<typeof streamInput>): string {
  if ('body' in input) return input.body;
  const events = input.data.map((data) => (typeof data === 'string' ? data : JSON.stringify(data)));
  return events.map((data) => `data: ${data}\n\n`).join('');
}

function readStream(input: unknown): unknown {
  const reader = new ChunkReader();
  const parts = [...reader.read(new TextEncoder().encode(bodyOf(streamInput.parse(input))))];
  const end = reader.end();
  parts.push(...end.parts);
  if (end.kind === 'refused') return { parts, end: { kind: end.kind, refusal: end.refusal } };
  return { parts, end: end.kind === 'cut' ? { kind: end.kind, message: end.message } : { kind: end.kind } };
}

/** By the name of the vector file. */
export const runners: Record<string, (input: unknown) => unknown> = { 'chat-chunks': readStream };
