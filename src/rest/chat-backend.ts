/** The interface under the REST routes: as much of a pool as they need. */

import type { InputType } from '../core/embedding.ts';
import type { ModelSpec } from '../core/model.ts';
import type { ChatMessage } from '../wire/request/chat-request.ts';
import type { ToolCall } from '../wire/response/chat-response.ts';
import type { TokenUsage } from '../wire/response/token-usage.ts';
import type { StreamPart } from '../wire/response/stream-part.ts';

/** A call as a request body describes it. Only the outer shape of the body has been checked. */
export interface ChatCall {
  readonly messages: readonly ChatMessage[];
  /** Undefined selects the pool's own. */
  readonly model: string | undefined;
  /** The fields for the model, under their names on the wire. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** The body's `freelm` object: options of the call, which never go to a model. */
  readonly callOptions: Readonly<Record<string, unknown>>;
  /** The client's mark of the conversation. Undefined if it gives none. */
  readonly session?: string | undefined;
  readonly signal: AbortSignal | undefined;
}

export interface Answer {
  readonly text: string;
  readonly provider: string;
  readonly model: string;
  readonly toolCalls: readonly ToolCall[];
  readonly usage: TokenUsage | undefined;
  readonly finishReason: string | undefined;
  readonly reasoning: string | undefined;
  readonly attempts: readonly unknown[];
  /** The provider's unchanged response body. */
  readonly raw: unknown;
}

/** The route that serves a stream. */
export interface ServingRoute {
  readonly provider: string;
  readonly model: string;
  /** How many requests the call has sent so far, the current one included. */
  readonly attempts: number;
}

export interface AnswerStream {
  /** Undefined before the first request. */
  readonly route: ServingRoute | undefined;
  parts(): AsyncGenerator<StreamPart, void, undefined>;
  abort(reason?: unknown): void;
}

/** A request for vectors as its body describes it. */
export interface EmbedCall {
  readonly input: string | readonly string[];
  readonly model: string | undefined;
  readonly dimensions: number | undefined;
  readonly inputType: InputType | undefined;
  /** The body's `freelm` object. */
  readonly callOptions: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal | undefined;
}

export interface EmbedAnswer {
  readonly vectors: readonly (readonly number[])[];
  readonly model: string;
  readonly usage: TokenUsage;
  readonly providers: readonly string[];
  readonly attempts: readonly unknown[];
}

export interface OfferedModel extends Pick<ModelSpec, 'id' | 'kind' | 'tags' | 'ctx'> {
  readonly provider: string;
}

export interface ChatBackend {
  chat(call: ChatCall): Promise<Answer>;
  stream(call: ChatCall): AnswerStream;
  /** About how many tokens the prompt of a call has; rather too many than too few. */
  countTokens(call: ChatCall): number;
  embed(call: EmbedCall): Promise<EmbedAnswer>;
  /** The models that can be requested by id. */
  models(signal: AbortSignal | undefined): Promise<readonly OfferedModel[]>;
  /** Further names that can be requested, of the user's own. */
  readonly ownNames: readonly string[];
  /** The context length in tokens that clients are told of a name that stands for several models. */
  windowOf(name: string): number | undefined;
  /** Whether a model that no provider offers is served anyway. */
  readonly takesAnyModel: boolean;
}
