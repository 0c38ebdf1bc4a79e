import { describe, expect, it } from 'vitest';
import {
  EventTooLongError,
  type SseEvent,
  type SseLimits,
  SseSplitter,
} from '../../../src/wire/response/sse.ts';
import { bytesOf } from './streams.ts';

/** What a splitter makes of chunks: a list of events for each, the last one for the end of the body. */
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
  it('hands out the events of a chunk together, as soon as they have ended', () => {
    expect(split(['data: a\n\ndata: b\n\ndata: ', 'c\n', '\n'])).toEqual([
      [event('a'), event('b')],
      [],
      [event('c')],
      [],
    ]);
  });

  it('tells comments, in their place', () => {
    expect(split([': alive\n\ndata: a\n\n:\n'])).toEqual([[comment, event('a'), comment], []]);
  });

  it.each(['\n', '\r\n', '\r'])('hands out an event with the %j that ends it', (end) => {
    expect(split([`data: a${end}${end}`, `data: b${end}`, end])).toEqual([
      [event('a')],
      [],
      [event('b')],
      [],
    ]);
  });

  it('does not take the halves of a CRLF for two line ends', () => {
    expect(split(['data: a\r', '', '\ndata: b\r', '\n\r', '\n']).flat()).toEqual([event('a\nb')]);
  });

  it('joins the data lines of an event', () => {
    expect(split(['data: a\ndata:\ndata:  b\n\n']).flat()).toEqual([event('a\n\n b')]);
  });

  it('tells the name of an event, which holds for that one only', () => {
    expect(split(['event: error\ndata: a\n\ndata: b\n\n']).flat()).toEqual([
      event('a', { event: 'error' }),
      event('b'),
    ]);
  });

  it('puts characters together that were cut', () => {
    const splitter = new SseSplitter();
    const bytes = [...bytesOf('data: 漢🙂é\n\n')];
    expect(bytes.flatMap((byte) => splitter.read(Uint8Array.of(byte)))).toEqual([event('漢🙂é')]);
  });

  it('drops a byte order mark at the beginning, and only there', () => {
    expect(split(['\uFEFFdata: a\n\n', 'data: \uFEFFb\n\n']).flat()).toEqual([event('a'), event('\uFEFFb')]);
  });

  it('marks an event that the end of the body ended', () => {
    expect(split(['data: a\n\ndata: {"b'])).toEqual([[event('a')], [event('{"b', { unended: true })]]);
    expect(split(['data: a\n'])).toEqual([[], [event('a', { unended: true })]]);
  });

  it('hands out nothing for an event without data', () => {
    expect(split(['event: ping\n\nid: 1\n\n'])).toEqual([[], []]);
  });

  describe('with a body that is no event stream', () => {
    it.each([
      ['JSON', '{"choices":\n\n[]}'],
      ['a page', '<!doctype html>\n<p>data: x\n\n'],
      ['a text', 'upstream connect error\n\ndata: x\n\n'],
      ['a field in other letters', 'Data: x\n\n'],
      ['nothing', ''],
    ])('hands it out whole, at its end: %s', (_, text) => {
      expect(split([text])).toEqual([[], [{ kind: 'document', text }]]);
      expect(split(text.split('')).flat()).toEqual([{ kind: 'document', text }]);
    });

    it('leaves out the blanks before it', () => {
      expect(split(['\r\n ', ' {}\n']).flat()).toEqual([{ kind: 'document', text: '{}\n' }]);
    });
  });

  it('takes the beginning of a field for a stream that was cut', () => {
    expect(split(['eve'])).toEqual([[], []]);
  });

  it('lets blanks stand before a stream', () => {
    expect(split([' \n\n', ' data: a\n\n']).flat()).toEqual([event('a')]);
  });

  describe('with a bound', () => {
    const limits = { maxLength: 1000 };
    const long = 'x'.repeat(600);

    it.each([
      ['a line that does not end', ['data: ', long, long]],
      ['an event that does not end', [`data: ${long}\n`, `data: ${long}\n`]],
      ['a document', ['{', long, long]],
    ])('breaks off at %s', (_, chunks) => {
      const expected = new EventTooLongError('an event is longer than 1000 characters');
      expect(() => split(chunks, limits)).toThrow(expected);
    });

    it('minds single events, not the whole stream', () => {
      const chunks = Array.from({ length: 1000 }, () => `data: ${long}\n\n`);
      expect(split(chunks, limits).flat()).toHaveLength(1000);
    });
  });
});
