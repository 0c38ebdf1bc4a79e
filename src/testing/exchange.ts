/** A request and its answer without any socket: what the rules are spoken in. */

/** What reaches a simulated provider. */
export interface SimulatedRequest {
  readonly method: string;
  /** Path and query as they stand in the URL, e.g. `/api/v1/chat/completions`. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Empty when there is none. */
  readonly body: string;
}

/** One write of a stream. */
export interface StreamPiece {
  readonly bytes: Uint8Array;
  /** How long after the piece before it, in milliseconds. */
  readonly delayMs: number;
}

/** A body that comes piece by piece. */
export interface StreamBody {
  /** Made one by one as they are asked for, since a stream may be endless. To be gone through once. */
  readonly pieces: Iterable<StreamPiece>;
  /** What follows the last piece: the proper end of the body, a broken connection, or silence. */
  readonly ends: 'close' | 'reset' | 'hang';
}

/** The body of a streamed answer. */
export interface SimulatedStream extends StreamBody {
  /** To be called when the reader goes away: unless it had everything, the call log notes it as `abandoned`. */
  readonly abandon: () => void;
}

/** What a simulated provider does with a request. */
export interface SimulatedAnswer {
  /** 0 when no answer comes at all (`fault` is then `reset` or `hang`). */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A text is sent at once, a stream as its pieces fall due. */
  readonly body: string | SimulatedStream;
  /** How long the provider takes before its first byte, in milliseconds. */
  readonly delayMs: number;
  /**
   * `reset`: the connection breaks, no answer. `hang`: silence. `cut`: the connection breaks in the middle of a text.
   */
  readonly fault?: 'reset' | 'hang' | 'cut';
}

/** A status, its headers and its body: what a provider's dialect decides. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A reply that streams. */
export interface StreamReply extends Omit<Reply, 'body'> {
  readonly body: StreamBody;
}

/** A plain JSON object whose fields are not known yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A JSON answer; `headers` add to or replace the content type. */
export function jsonReply(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return {
    status,
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(value),
  };
}

/** An answer that is not JSON. */
export function textReply(status: number, body: string, contentType = 'text/plain; charset=utf-8'): Reply {
  return { status, headers: { 'Content-Type': contentType }, body };
}
