/** What the REST routes are laid over: as little of a pool as they need. */

import type { ModelSpec } from '../core/model.ts';
import type { ChatMessage } from '../wire/request/chat-request.ts';
import type { TokenUsage, ToolCall } from '../wire/response/chat-response.ts';
import type { StreamPart } from '../wire/response/stream-part.ts';

/** What a request body asks for. */
export interface ChatCall {
  /** A list that nobody has looked into. */
  readonly messages: readonly ChatMessage[];
  /** Undefined: the pool's own. */
  readonly model: string | undefined;
  /** What goes to the model, under the wire's names. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** The body's `freelm`: options of the call, which nobody has looked at and which never go to a model. */
  readonly own: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal | undefined;
}

/** A whole answer. */
export interface Answer {
  readonly text: string;
  readonly provider: string;
  readonly model: string;
  readonly toolCalls: readonly ToolCall[];
  readonly usage: TokenUsage | undefined;
  readonly finishReason: string | undefined;
  readonly reasoning: string | undefined;
  readonly attempts: readonly unknown[];
  /** The provider's answer as it came. */
  readonly raw: unknown;
}

/** Who serves a stream. */
export interface ServingRoute {
  readonly provider: string;
  readonly model: string;
  /** Requests that the call has cost, this one included. */
  readonly attempts: number;
}

/** An answer as it comes. */
export interface AnswerStream {
  /** Undefined before the first request. */
  readonly route: ServingRoute | undefined;
  parts(): AsyncGenerator<StreamPart, void, undefined>;
  abort(reason?: unknown): void;
}

/** A model that somebody offers. */
export interface OfferedModel extends Pick<ModelSpec, 'id' | 'tags' | 'ctx'> {
  readonly provider: string;
}

/** Answers calls. */
export interface ChatBackend {
  chat(asked: ChatCall): Promise<Answer>;
  stream(asked: ChatCall): AnswerStream;
  /** The models that can be asked for by their ids. */
  models(signal: AbortSignal | undefined): Promise<readonly OfferedModel[]>;
  /** Whether a name that nobody offers is served all the same. */
  readonly takesAnyModel: boolean;
}
