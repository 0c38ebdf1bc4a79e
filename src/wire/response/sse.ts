import { isJsonObject, parseJson } from '../../core/json.ts';
import { MOST, textExcess } from './answer-bounds.ts';
import { createParser, type EventSourceParser } from 'eventsource-parser';
import { Utf8Stream } from './utf8.ts';

/** What a body contains. */
export type SseEvent =
  | {
      readonly kind: 'event';
      readonly event: string | undefined;
      readonly data: string;
      /** The body ended before the blank line that ends an event, so its data may be cut. */
      readonly unended: boolean;
    }
  | { readonly kind: 'comment' }
  /** The whole body, which is no event stream. */
  | { readonly kind: 'document'; readonly text: string };

export interface SseLimits {
  /** The longest event, or body that is no event stream, in UTF-16 code units. Default 32 Mi. */
  readonly maxLength?: number | undefined;
}

/** An event or a document exceeds a bound. The message says which, e.g. `an event of more than 8388608 characters`. */

export class EventTooLongError extends Error {
  static override readonly name: string = 'EventTooLongError';
}

const MAX_LENGTH = MOST.bytes;

/** The beginnings of lines. The standard allows unknown fields as well, but no stream begins with one. */
const FIELDS = [':', 'data:', 'event:', 'id:', 'retry:'] as const;

/** Whether a body that begins so is an event stream; undefined if the beginning is too short to tell. */
function isEventStream(start: string): boolean | undefined {
  if (FIELDS.some((field) => start.startsWith(field))) return true;
  return FIELDS.some((field) => field.startsWith(start)) ? undefined : false;
}

/** A document without the `[DONE]` of a stream at its end. */
export function withoutDone(text: string): string {
  // The end alone is searched: a document may be long.
  const end = text.slice(-40).trimEnd();
  if (!end.endsWith('[DONE]')) return text;
  const document = text.slice(0, text.lastIndexOf('[DONE]')).trimEnd();
  return document.endsWith('data:') ? document.slice(0, -'data:'.length).trimEnd() : document;
}

/**
 * The lines of a text.
 * @throws EventTooLongError if they are too many.
 */
export function linesOf(text: string): readonly string[] {
  const lines = text.split('\n', MOST.eventLines + 1);
  if (lines.length > MOST.eventLines)
    throw new EventTooLongError(`an event of more than ${MOST.eventLines} lines`);
  return lines;
}

/** Whether a text is several JSON objects, each in a line of its own. Only the first line is parsed. */
export function isLinesOfJson(text: string): boolean {
  const document = text.trim();
  const end = document.indexOf('\n');
  // Nearly every event has one line, and parsing nothing would cost an error for each.
  if (end < 0) return false;
  const first = document.slice(0, end);
  return textExcess(first) === undefined && isJsonObject(parseJson(first));
}

/** A body that is no event stream: one document, or lines of JSON. `[DONE]` may follow. */
function eventsOf(text: string): readonly SseEvent[] {
  const document = withoutDone(text);
  if (!isLinesOfJson(document)) return [{ kind: 'document', text: document }];
  const lines = linesOf(text);
  return lines.map((line, index) => {
    const data = line.replace(/^\s*data:/, '');
    return { kind: 'event', event: undefined, data, unended: index === lines.length - 1 };
  });
}

/** Splits one body into events, however its bytes are chunked. The bytes that end an event return it. */
// spec 14.1
export class SseSplitter {
  readonly #maxLength: number;
  readonly #decoder = new Utf8Stream();
  readonly #parser: EventSourceParser;
  #events: SseEvent[] = [];
  #isStream: boolean | undefined;
  /** The body as long as it may be a document. */
  #document = '';
  #endedInReturn = false;
  #ended = false;

  constructor(limits: SseLimits = {}) {
    this.#maxLength = limits.maxLength ?? MAX_LENGTH;
    this.#parser = createParser({
      maxBufferSize: this.#maxLength,
      onEvent: ({ event, data }) => {
        this.#events.push({ kind: 'event', event, data, unended: this.#ended });
      },
      onComment: () => {
        this.#events.push({ kind: 'comment' });
      },
      onError: ({ type }) => {
        if (type === 'max-buffer-size-exceeded') throw this.#tooLong();
      },
    });
  }

  /**
   * The events that `bytes` end.
   * @throws EventTooLongError beyond the bound; the splitter cannot be used any more.
   */
  read(bytes: Uint8Array): readonly SseEvent[] {
    return this.#feed(this.#decoder.decode(bytes));
  }

  /** The rest when the body has ended: an event without its final blank line, or a document. */
  end(): readonly SseEvent[] {
    this.#ended = true;
    const rest = this.#decoder.end();
    this.#isStream ??= this.#document !== '';
    if (this.#isStream) return this.#feed(`${this.#document}${rest}\n\n`);
    return eventsOf(this.#document + rest);
  }

  #feed(text: string): readonly SseEvent[] {
    if (this.#isStream === true) this.#parse(text);
    else this.#feedStart(text);
    if (this.#events.length === 0) return [];
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #feedStart(text: string): void {
    this.#document += text;
    if (this.#document.length > this.#maxLength) throw this.#tooLong();
    if (this.#isStream === false) return;
    this.#document = this.#document.trimStart();
    this.#isStream = isEventStream(this.#document);
    if (this.#isStream !== true) return;
    this.#parse(this.#document);
    this.#document = '';
  }

  /** Normalises line ends: after a carriage return the parser would wait for the next chunk. */
  #parse(text: string): void {
    if (text === '') return;
    const isSecondHalf = this.#endedInReturn && text.startsWith('\n');
    this.#endedInReturn = text.endsWith('\r');
    const lines = isSecondHalf ? text.slice(1) : text;
    this.#parser.feed(lines.includes('\r') ? lines.replaceAll(/\r\n?/g, '\n') : lines);
  }

  #tooLong(): EventTooLongError {
    return new EventTooLongError(`an event of more than ${this.#maxLength} characters`);
  }
}
