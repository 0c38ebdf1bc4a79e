import { describe, expect, it } from 'vitest';
import { Utf8Stream } from '../../../src/wire/response/utf8.ts';
import fc from '../../support/fast-check.ts';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function decoded(pieces: readonly Uint8Array[]): string {
  const stream = new Utf8Stream();
  return pieces.map((piece) => stream.decode(piece)).join('') + stream.end();
}

/** Texts, and bytes at which characters begin, go on or break off. */
const bytes = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 4 }).map((text) => new TextEncoder().encode(text)),
      fc.constantFrom('é', '€', '🙂', '\uFEFF').map((text) => new TextEncoder().encode(text)),
      fc.uint8Array({ maxLength: 3 }),
      fc
        .constantFrom(0x80, 0xbf, 0xc3, 0xe0, 0xe2, 0xed, 0xf0, 0xf4, 0xff)
        .map((byte) => Uint8Array.of(byte)),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => Uint8Array.from(pieces.flatMap((piece) => [...piece])));

describe('the text of a body', () => {
  it('is the same however its bytes are sliced', () => {
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(), { maxLength: 6 }), (all, places) => {
        const cuts = [0, ...places.map((place) => place % (all.length + 1)), all.length].toSorted(
          (a, b) => a - b,
        );
        const pieces = cuts.map((cut, index) => all.subarray(cut, cuts[index + 1] ?? all.length));
        expect(decoded(pieces)).toBe(decoder.decode(all));
        expect(decoded(Array.from(all, (byte) => Uint8Array.of(byte)))).toBe(decoder.decode(all));
      }),
      { numRuns: 1000 },
    );
  });

  it('is passed on as far as its characters are whole', () => {
    const stream = new Utf8Stream();
    const [first = 0, ...rest] = new TextEncoder().encode('🙂');
    expect(stream.decode(Uint8Array.of(0x61, first))).toBe('a');
    expect(stream.decode(Uint8Array.from(rest))).toBe('🙂');
    expect(stream.decode(new TextEncoder().encode('é'))).toBe('é');
  });
});
