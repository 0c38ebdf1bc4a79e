import fc from '../support/fast-check.ts';
import { describe, expect, it } from 'vitest';
import { OverlapTrimmer } from '../../src/wire/resume.ts';

const LETTERS = 'abcdefghijklmnopqrstuvwxyzéü漢字👍🏽';
const word = fc.string({ unit: fc.constantFrom(...Array.from(LETTERS)), minLength: 1, maxLength: 9 });
/** Texts without repeated words: the trimmer cannot know whether a repetition is meant. */
const words = fc
  .uniqueArray(word, { minLength: 5, maxLength: 60 })
  .filter(([first = '']) => /^[a-z]{2,}$/u.test(first) && new Set(first).size === first.length);
const size = fc.integer({ min: 1, max: 12 });

function piecesOf(text: string, length: number): readonly string[] {
  const pieces: string[] = [];
  for (let start = 0; start < text.length; start += length) pieces.push(text.slice(start, start + length));
  return pieces;
}

function joinedText(delivered: string, continuation: string, length: number): string {
  const trimmer = new OverlapTrimmer(delivered);
  const added = piecesOf(continuation, length).map((piece) => trimmer.feed(piece));
  return delivered + added.join('') + trimmer.end();
}

describe('the overlap trimmer', () => {
  it('keeps an exact continuation, wherever the answer was cut', () => {
    fc.assert(
      fc.property(words, fc.nat(), size, (all, at, length) => {
        const text = all.join(' ');
        const cut = Math.max(Math.min(8, text.length), at % text.length);
        expect(joinedText(text.slice(0, cut), text.slice(cut), length)).toBe(text);
      }),
    );
  });

  it('trims an answer that begins again', () => {
    fc.assert(
      fc.property(words, fc.nat(), size, (all, at, length) => {
        const delivered = all.slice(0, 1 + (at % (all.length - 1))).join(' ');
        expect(joinedText(delivered, all.join(' '), length)).toBe(all.join(' '));
      }),
    );
  });

  it('trims three to twenty repeated words', () => {
    fc.assert(
      fc.property(words, fc.nat(), fc.integer({ min: 3, max: 20 }), size, (all, at, count, length) => {
        const cut = 4 + (at % (all.length - 4));
        const repeated = all.slice(Math.max(0, cut - count)).join(' ');
        expect(joinedText(all.slice(0, cut).join(' '), repeated, length)).toBe(all.join(' '));
      }),
    );
  });

  it('holds back no more than the delivered text and one chunk', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), (delivered, pieces) => {
        const trimmer = new OverlapTrimmer(delivered);
        let held = 0;
        for (const piece of pieces) {
          held += piece.length - trimmer.feed(piece).length;
          expect(held).toBeLessThanOrEqual(delivered.length + piece.length + 1);
        }
      }),
    );
  });
});
