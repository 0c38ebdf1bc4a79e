import fc from '../support/fast-check.ts';
import { describe, expect, it } from 'vitest';
import { ChunkReader } from '../../src/wire/response/chat-chunk.ts';
import { OverlapTrimmer } from '../../src/wire/resume.ts';
import { bytesOf, streamOf } from './response/streams.ts';

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

/** Characters of one kind: letters, digits, scripts without spaces, emoji of several code units, markup. */
const ALPHABETS = [
  'abcdefghijklmnopqrstuvwxyz',
  'abc 123',
  'éüßñ ΑΒΓδ жщы',
  '漢字仮名交じり文黑洞是时空',
  'กขคงจ ไทย',
  'שלום عرب',
  '👍🏽👩‍👩‍👧‍👦🇩🇪😀',
  ' \n\t-|*`#{}[]()"\\',
].map((characters) =>
  fc.string({ unit: fc.constantFrom(...Array.from(characters)), minLength: 60, maxLength: 200 }),
);
const anyText = fc
  .array(fc.oneof(...ALPHABETS), { minLength: 1, maxLength: 3 })
  .map((texts) => texts.join(''));

/** Whether a text ends in the same twice: nothing shows whether a third time is meant. */
function endsTwice(text: string, length: number): boolean {
  return text.endsWith(text.slice(-length), text.length - length);
}

/** The length of the longest beginning of `text` that is the end of `delivered`. */
function overlapOf(delivered: string, text: string): number {
  let length = Math.min(delivered.length, text.length);
  while (length > 0 && !delivered.endsWith(text.slice(0, length))) length -= 1;
  return length;
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

  it('trims an exact repetition of 12 characters or more, wherever it begins, in any script', () => {
    fc.assert(
      fc.property(anyText, fc.nat(), fc.integer({ min: 12, max: 60 }), size, (text, at, overlap, length) => {
        const cut = overlap + (at % (text.length - overlap));
        const [delivered, rest] = [text.slice(0, cut), text.slice(cut)];
        const continuation = delivered.slice(-overlap) + rest;
        // By chance the end may be longer than meant, or be there twice.
        fc.pre(overlapOf(delivered, continuation) === overlap && !endsTwice(delivered, overlap));
        expect(joinedText(delivered, continuation, length)).toBe(text);
      }),
    );
  });

  it('trims nothing but a repetition', () => {
    fc.assert(
      fc.property(anyText, anyText, size, (delivered, continuation, length) => {
        const overlap = overlapOf(delivered, continuation);
        const joined = joinedText(delivered, continuation, length);
        const trimmed = delivered.length + continuation.length - joined.length;
        expect([0, overlap]).toContain(trimmed);
        expect(joined).toBe(delivered + continuation.slice(trimmed));
      }),
    );
  });

  it('costs no more than the text that it holds', () => {
    const delivered = Array.from({ length: 400_000 }, (_, index) => String(index % 997)).join(' ');
    expect(joinedText(delivered, `${delivered} and on`, 3)).toBe(`${delivered} and on`);
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

describe('a stream that is cut at every byte', () => {
  const TEXT = 'Überall im Weltraum: 黑洞 swallow light 👩‍👩‍👧‍👦 — αβγ, understanding 12345 intergovernmentally.';
  const contents = piecesOf(TEXT, 5);
  const bytes = bytesOf(streamOf(contents.map((content) => ({ choices: [{ delta: { content } }] }))));

  it('is continued once by a model that begins with the last 20 characters', () => {
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const reader = new ChunkReader();
      const parts = [...reader.read(bytes.slice(0, cut)), ...reader.end().parts];
      const delivered = parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
      const rest = TEXT.slice(delivered.length);
      // Too little was delivered to tell a repetition from a coincidence.
      if (delivered.length < 8) continue;
      for (const length of [1, 7, TEXT.length])
        expect(joinedText(delivered, delivered.slice(-20) + rest, length), `cut at byte ${cut}`).toBe(TEXT);
    }
  });
});
