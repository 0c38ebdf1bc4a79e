/** Requests and answers as plain data, independent of the transport. */

/** A request to a simulated provider. */
export interface SimulatedRequest {
  readonly method: string;
  /** Path and query of the URL, e.g. `/api/v1/chat/completions`. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Empty if there is none. */
  readonly body: string;
}

/** One chunk of bytes of a stream. */
export interface StreamPiece {
  readonly bytes: Uint8Array;
  /** The delay after the previous piece, in milliseconds. */
  readonly delayMs: number;
}

/** A body that is sent in pieces. */
export interface StreamBody {
  /** Lazy, because a stream may be endless. Can be iterated once. */
  readonly pieces: Iterable<StreamPiece>;
  /** What follows the last piece: the end of the body, a connection reset, or silence. */
  readonly ends: 'close' | 'reset' | 'hang';
}

/** The body of a streamed answer. */
export interface SimulatedStream extends StreamBody {
  /** Call this when the client disconnects. If it has not received everything, the call counts as `abandoned`. */
  readonly abandon: () => void;
}

/** The answer of a simulated provider. */
export interface SimulatedAnswer {
  /** 0 if no answer is sent. `fault` is then `reset` or `hang`. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A string is sent at once, a stream in pieces as they fall due. */
  readonly body: string | SimulatedStream;
  /** The time to the first byte, in milliseconds. */
  readonly delayMs: number;
  /**
   * `reset`: the connection is reset without an answer. `hang`: no answer is sent. `cut`: the connection breaks in the
   * middle of a string body.
   */
  readonly fault?: 'reset' | 'hang' | 'cut';
}

/** The part of an answer that a dialect decides. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A reply with a streamed body. */
export interface StreamReply extends Omit<Reply, 'body'> {
  readonly body: StreamBody;
}

/** A JSON object with unknown fields. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A JSON reply. `headers` can replace the content type. */
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

/** Adds the header `Retry-After`, if there is a value for it. */
export function withRetryAfter<Any extends Pick<Reply, 'headers'>>(
  reply: Any,
  seconds: number | undefined,
): Any {
  if (seconds === undefined) return reply;
  return { ...reply, headers: { ...reply.headers, 'Retry-After': String(seconds) } };
}

/** The first half of a body that is cut or truncated. */
export function firstHalf(text: string): string {
  return text.slice(0, Math.floor(text.length / 2));
}

/** A reply that is not JSON. */
export function textReply(status: number, body: string, contentType = 'text/plain; charset=utf-8'): Reply {
  return { status, headers: { 'Content-Type': contentType }, body };
}
