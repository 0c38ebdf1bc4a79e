/** What a model says, and the shape in which OpenAI's dialect says it. */

import { countTokens, type ChatRequest } from '../chat-request.ts';
import type { JsonObject } from '../exchange.ts';
import type { ProviderName } from '../model.ts';

/** What a model is asked, for those who write their own `reply`. */
export interface ReplyRequest {
  readonly provider: ProviderName;
  readonly account: string;
  /** The model that answers; where a router was asked, the one that it chose. */
  readonly model: string;
  /**
   * Text of the last message with the role `user`; empty when there is none. Where the model is asked to go on with an
   * unfinished answer, the text to which that answer was begun.
   */
  readonly lastUserText: string;
  /**
   * The unfinished answer that the model is asked to go on with: a last message of the assistant (prefill), or one
   * before an instruction to continue. A reply that gives the whole answer again is cut to what is left of it, as the
   * model's `continues` says.
   */
  readonly continuing: string | undefined;
  readonly messages: readonly JsonObject[];
  /** The whole request body. */
  readonly body: JsonObject;
}

/** A call of a tool. */
export interface ToolCallReply {
  readonly name: string;
  /** A text is sent as it is, so that broken JSON can be tried out. */
  readonly arguments: JsonObject | string;
  /** @defaultValue the provider's own kind; Google sends an empty one */
  readonly id?: string | undefined;
}

/** An answer in detail. */
export interface ReplyDetails {
  readonly text?: string | undefined;
  readonly reasoning?: string | undefined;
  readonly toolCalls?: readonly ToolCallReply[] | undefined;
  /** @defaultValue 'tool_calls' when there are any, else 'stop' */
  readonly finishReason?: string | undefined;
  readonly promptTokens?: number | undefined;
  readonly completionTokens?: number | undefined;
}

/** What the models say. Called once for every request that is served. */
export type ReplyFunction = (request: ReplyRequest) => string | ReplyDetails;

/** An answer with nothing left open, before a provider's dialect writes it down. */
export interface Completion {
  /** Unique in this provider: counts its completions from 1. */
  readonly serial: number;
  readonly now: number;
  readonly model: string;
  /** `null` where there are only tool calls. */
  readonly text: string | null;
  readonly reasoning: string | undefined;
  readonly toolCalls: readonly ToolCallReply[];
  readonly finishReason: string;
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** The default reply: `<model> heard: <last user text>`. It goes on in the name of the model that began. */
export function echo({ model, lastUserText, continuing = model }: ReplyRequest): string {
  const [speaker] = continuing.split(' ');
  return `${speaker} heard: ${lastUserText}`;
}

/** Fills in what a reply leaves open. */
export function completionOf(
  reply: string | ReplyDetails,
  chat: ChatRequest,
  made: { readonly serial: number; readonly now: number; readonly model: string },
): Completion {
  const details: ReplyDetails = typeof reply === 'string' ? { text: reply } : reply;
  const { text, reasoning, toolCalls = [] } = details;
  const said = `${text ?? ''}${reasoning ?? ''}${toolCalls.length > 0 ? JSON.stringify(toolCalls) : ''}`;
  return {
    ...made,
    text: text ?? (toolCalls.length > 0 ? null : ''),
    reasoning,
    toolCalls,
    finishReason: details.finishReason ?? (toolCalls.length > 0 ? 'tool_calls' : 'stop'),
    promptTokens: details.promptTokens ?? chat.promptTokens,
    completionTokens: details.completionTokens ?? countTokens(said),
  };
}

/** A completion that a filter stopped: no text, nothing generated. */
export function filteredCompletion(model: string, chat: ChatRequest, now: number): Completion {
  const reply = { text: '', finishReason: 'content_filter', completionTokens: 0 };
  return completionOf(reply, chat, { serial: 0, now, model });
}

/** A call of a tool on the wire. */
type ToolCall = {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: string };
};

/** The calls of tools on the wire; `idOf` names those that have no id of their own. */
export function toolCallsOf({ toolCalls }: Completion, idOf: (index: number) => string): ToolCall[] {
  return toolCalls.map((call, index) => ({
    id: call.id ?? idOf(index),
    type: 'function',
    function: {
      name: call.name,
      arguments: typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments),
    },
  }));
}

/** `usage` as all four dialects have it. */
export function usageOf({ promptTokens, completionTokens }: Completion): JsonObject {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}

/** Seconds since the epoch, as `created` counts. */
export function createdAt(now: number): number {
  return Math.floor(now / 1000);
}
