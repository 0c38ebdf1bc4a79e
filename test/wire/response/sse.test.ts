import { describe, expect, it } from 'vitest';
import {
  EventTooLongError,
  type SseEvent,
  type SseLimits,
  SseSplitter,
} from '../../../src/wire/response/sse.ts';
import { bytesOf } from './streams.ts';

/** The events of each chunk, and those of the end of the body. */
function split(chunks: readonly string[], limits: SseLimits = {}): readonly (readonly SseEvent[])[] {
  const splitter = new SseSplitter(limits);
  const events = chunks.map((chunk) => splitter.read(bytesOf(chunk)));
  return [...events, splitter.end()];
}

const event = (data: string, more: { event?: string; unended?: boolean } = {}): SseEvent => ({
  kind: 'event',
  event: undefined,
  unended: false,
  data,
  ...more,
});
const comment: SseEvent = { kind: 'comment' };

describe('a splitter of server-sent events', () => {
  it('returns all events that a chunk ends', () => {
    expect(split(['data: a\n\ndata: b\n\ndata: ', 'c\n', '\n'])).toEqual([
      [event('a'), event('b')],
      [],
      [event('c')],
      [],
    ]);
  });

  it('returns comments in their place', () => {
    expect(split([': alive\n\ndata: a\n\n:\n'])).toEqual([[comment, event('a'), comment], []]);
  });

  it.each(['\n', '\r\n', '\r'])('returns an event with the %j that ends it', (end) => {
    expect(split([`data: a${end}${end}`, `data: b${end}`, end])).toEqual([
      [event('a')],
      [],
      [event('b')],
      [],
    ]);
  });

  it('reads a divided CRLF as one line end', () => {
    expect(split(['data: a\r', '', '\ndata: b\r', '\n\r', '\n']).flat()).toEqual([event('a\nb')]);
  });

  it('joins the data lines of an event', () => {
    expect(split(['data: a\ndata:\ndata:  b\n\n']).flat()).toEqual([event('a\n\n b')]);
  });

  it('names one event only', () => {
    expect(split(['event: error\ndata: a\n\ndata: b\n\n']).flat()).toEqual([
      event('a', { event: 'error' }),
      event('b'),
    ]);
  });

  it('joins divided characters', () => {
    const splitter = new SseSplitter();
    const bytes = [...bytesOf('data: 漢🙂é\n\n')];
    expect(bytes.flatMap((byte) => splitter.read(Uint8Array.of(byte)))).toEqual([event('漢🙂é')]);
  });

  it('drops a byte order mark at the beginning only', () => {
    expect(split(['\uFEFFdata: a\n\n', 'data: \uFEFFb\n\n']).flat()).toEqual([event('a'), event('\uFEFFb')]);
  });

  it('marks an event that the end of the body cut', () => {
    expect(split(['data: a\n\ndata: {"b'])).toEqual([[event('a')], [event('{"b', { unended: true })]]);
    expect(split(['data: a\n'])).toEqual([[], [event('a', { unended: true })]]);
  });

  it('returns nothing for an event without data', () => {
    expect(split(['event: ping\n\nid: 1\n\n'])).toEqual([[], []]);
  });

  describe('with a body that is no event stream', () => {
    it.each([
      ['JSON', '{"choices":\n\n[]}'],
      ['a page', '<!doctype html>\n<p>data: x\n\n'],
      ['a text', 'upstream connect error\n\ndata: x\n\n'],
      ['a field in upper case', 'Data: x\n\n'],
      ['nothing', ''],
    ])('returns it as a whole at its end: %s', (_, text) => {
      expect(split([text])).toEqual([[], [{ kind: 'document', text }]]);
      expect(split(text.split('')).flat()).toEqual([{ kind: 'document', text }]);
    });

    it('drops white space before it', () => {
      expect(split(['\r\n ', ' {}\n']).flat()).toEqual([{ kind: 'document', text: '{}\n' }]);
    });
  });

  it('reads the beginning of a field as a cut stream', () => {
    expect(split(['eve'])).toEqual([[], []]);
  });

  it('allows white space before a stream', () => {
    expect(split([' \n\n', ' data: a\n\n']).flat()).toEqual([event('a')]);
  });

  describe('with a bound', () => {
    const limits = { maxLength: 1000 };
    const long = 'x'.repeat(600);

    it.each([
      ['a line that does not end', ['data: ', long, long]],
      ['an event that does not end', [`data: ${long}\n`, `data: ${long}\n`]],
      ['a document', ['{', long, long]],
    ])('rejects %s', (_, chunks) => {
      const expected = new EventTooLongError('an event of more than 1000 characters');
      expect(() => split(chunks, limits)).toThrow(expected);
    });

    it('bounds single events, not the whole stream', () => {
      const chunks = Array.from({ length: 1000 }, () => `data: ${long}\n\n`);
      expect(split(chunks, limits).flat()).toHaveLength(1000);
    });
  });
});
