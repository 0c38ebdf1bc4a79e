/** What a protocol is to the routes: a room that translates between its own messages and a call of the backend. */

import type { HttpErrorInit } from '../http-error.ts';
import type { Clock, TextArchive } from '../ports.ts';
import type { StreamPart } from '../wire/response/stream-part.ts';
import type { ChatBackend } from './chat-backend.ts';
import type { ErrorPorts } from './error-response.ts';

/** The parts of a `Request` that the routes use. */
export interface RestRequest {
  readonly method: string;
  /** The path of the URL, still percent-encoded. */
  readonly path: string;
  readonly headers: Headers;
  readonly signal: AbortSignal | undefined;
  text(): Promise<string>;
}

export interface RestPorts extends ErrorPorts, Pick<Clock, 'yieldIfBusy'> {
  /** A unique id, for an answer or an object in it. It begins with `prefix`, such as `chatcmpl-`. */
  newId(prefix: string): string;
  /** Keeps answers for later processes. Undefined: they are kept in memory only. */
  readonly archive?: TextArchive | undefined;
  /** Tells the pool's listeners of something that the caller may want to know. */
  warn(message: string): void;
}

export interface RestContext {
  readonly backend: ChatBackend;
  readonly ports: RestPorts;
}

/** Writes the parts of one answer as the events of a protocol. */
export interface EventWriter {
  /**
   * The events for a part; empty if it has none of its own.
   * @param answer - The index of its answer, where a stream has several.
   */
  write(part: StreamPart, model: string, answer?: number): string;
  /** The events that end a stream which broke. */
  fail(error: HttpErrorInit): string;
}

export interface RestRoute {
  /** Matches the end of a path. What it captures is the route's `tail`. */
  readonly path: RegExp;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** How a message for unknown paths shows it. */
  readonly shown: string;
  /** Answers a request, or throws an error that the handler reports in the words of the protocol. */
  answer(context: RestContext, request: RestRequest, tail: string): Promise<Response>;
}
