/** Server-sent events out of a body's bytes, however these are cut; tells a body that is no event stream. */

import { createParser, type EventSourceParser } from 'eventsource-parser';

/** What a body says. */
export type SseEvent =
  | {
      readonly kind: 'event';
      /** The event's name, where it has one. */
      readonly event: string | undefined;
      readonly data: string;
      /** Whether the body ended before the blank line that ends an event: its data may be cut, too. */
      readonly unended: boolean;
    }
  /** A sign of life. */
  | { readonly kind: 'comment' }
  /** The body is no event stream; this is all of it. */
  | { readonly kind: 'document'; readonly text: string };

/** Bounds of what is kept of a body. */
export interface SseLimits {
  /** Of one event, or of a body that is no event stream: in UTF-16 units, which are never more than its bytes. */
  readonly maxLength?: number | undefined;
}

/** An event is longer than is believable for a piece of an answer. */
export class EventTooLongError extends Error {
  static override readonly name: string = 'EventTooLongError';
}

const MAX_LENGTH = 32 * 1024 * 1024;

/** How a line of an event stream begins. Unknown fields are legal, too, but no stream begins with one. */
const FIELDS = [':', 'data:', 'event:', 'id:', 'retry:'] as const;

/** Whether a body is an event stream, by how it begins; `undefined` while that is too short to tell. */
function isEventStream(start: string): boolean | undefined {
  if (FIELDS.some((field) => start.startsWith(field))) return true;
  return FIELDS.some((field) => field.startsWith(start)) ? undefined : false;
}

/** Splits one body. Nothing is handed out late: an event belongs to the bytes that end it. */
export class SseSplitter {
  readonly #maxLength: number;
  readonly #decoder = new TextDecoder();
  readonly #parser: EventSourceParser;
  #events: SseEvent[] = [];
  #isStream: boolean | undefined;
  /** The body as far as it is not known to be a stream. */
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
   * @throws EventTooLongError beyond the bound; the splitter is then of no more use.
   */
  read(bytes: Uint8Array): readonly SseEvent[] {
    return this.#feed(this.#decoder.decode(bytes, { stream: true }));
  }

  /** What is left when the body has ended: an event without the blank line after it, or a document. */
  end(): readonly SseEvent[] {
    this.#ended = true;
    const rest = this.#decoder.decode();
    this.#isStream ??= this.#document !== '';
    if (this.#isStream) return this.#feed(`${this.#document}${rest}\n\n`);
    return [{ kind: 'document', text: this.#document + rest }];
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

  /** Every line end becomes a line feed at once: the parser would wait for what follows a carriage return. */
  #parse(text: string): void {
    if (text === '') return;
    const isSecondHalf = this.#endedInReturn && text.startsWith('\n');
    this.#endedInReturn = text.endsWith('\r');
    const lines = isSecondHalf ? text.slice(1) : text;
    this.#parser.feed(lines.includes('\r') ? lines.replaceAll(/\r\n?/g, '\n') : lines);
  }

  #tooLong(): EventTooLongError {
    return new EventTooLongError(`an event is longer than ${this.#maxLength} characters`);
  }
}
