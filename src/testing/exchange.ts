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

/** What a simulated provider does with a request. */
export interface SimulatedAnswer {
  /** 0 when no answer comes at all (`fault` is then `reset` or `hang`). */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A list is sent chunk by chunk. */
  readonly body: string | readonly string[];
  /** How long the provider takes before its first byte, in milliseconds. */
  readonly delayMs: number;
  /** `reset`: the connection breaks, no answer. `hang`: silence. `cut`: the connection breaks in mid-body. */
  readonly fault?: 'reset' | 'hang' | 'cut';
}

/** A status, its headers and its body: what a provider's dialect decides. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | readonly string[];
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
