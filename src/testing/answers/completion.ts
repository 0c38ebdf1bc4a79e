/** Replies of models, and the parts of OpenAI's format that all dialects share. */

import { countTokens, type ChatRequest } from '../chat-request.ts';
import type { JsonObject } from '../exchange.ts';
import type { ProviderName } from '../model.ts';

/** The argument of a custom `reply` function. */
export interface ReplyRequest {
  readonly provider: ProviderName;
  readonly account: string;
  /** The model that answers. If the request names a router, the model that the router chose. */
  readonly model: string;
  /**
   * The text of the last message with the role `user`. Empty if there is none. If the model is asked to continue an
   * unfinished answer, the question to that answer.
   */
  readonly lastUserText: string;
  /**
   * The unfinished answer that the model is asked to continue: the last message, if it is the assistant's (prefill), or
   * the message before an instruction to continue. If the reply repeats the whole answer, the simulator removes the part
   * that the model's `continues` setting would not repeat.
   */
  readonly continuing: string | undefined;
  readonly messages: readonly JsonObject[];
  /** The whole request body. */
  readonly body: JsonObject;
}

/** A tool call in a reply. */
export interface ToolCallReply {
  readonly name: string;
  /** A string is sent unchanged, so that a test can send broken JSON. */
  readonly arguments: JsonObject | string;
  /** @defaultValue an id in the provider's format. Google sends an empty one. */
  readonly id?: string | undefined;
}

/** A reply with more than text. */
export interface ReplyDetails {
  readonly text?: string | undefined;
  readonly reasoning?: string | undefined;
  readonly toolCalls?: readonly ToolCallReply[] | undefined;
  /** @defaultValue 'tool_calls' if there are any, else 'stop' */
  readonly finishReason?: string | undefined;
  readonly promptTokens?: number | undefined;
  readonly completionTokens?: number | undefined;
}

/** Generates the answers. Called once for each served request. */
export type ReplyFunction = (request: ReplyRequest) => string | ReplyDetails;

/** A complete answer that a dialect can serialise. */
export interface Completion {
  /** The number of the completion at this provider, from 1. */
  readonly serial: number;
  readonly now: number;
  readonly model: string;
  /** `null` if there are only tool calls. */
  readonly text: string | null;
  readonly reasoning: string | undefined;
  readonly toolCalls: readonly ToolCallReply[];
  readonly finishReason: string;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** The price that the answer states. @defaultValue none; 0 at OpenRouter */
  readonly cost?: number | undefined;
}

/** The default reply: `<model> heard: <last user text>`. A continuation keeps the name of the first model. */
export function echo({ model, lastUserText, continuing = model }: ReplyRequest): string {
  const [speaker] = continuing.split(' ');
  return `${speaker} heard: ${lastUserText}`;
}

/** Completes a reply with defaults. */
export function completionOf(
  reply: string | ReplyDetails,
  chat: ChatRequest,
  made: Pick<Completion, 'serial' | 'now' | 'model' | 'cost'>,
): Completion {
  const details: ReplyDetails = typeof reply === 'string' ? { text: reply } : reply;
  const { text, reasoning, toolCalls = [] } = details;
  const generated = `${text ?? ''}${reasoning ?? ''}${toolCalls.length > 0 ? JSON.stringify(toolCalls) : ''}`;
  return {
    ...made,
    text: text ?? (toolCalls.length > 0 ? null : ''),
    reasoning,
    toolCalls,
    finishReason: details.finishReason ?? (toolCalls.length > 0 ? 'tool_calls' : 'stop'),
    promptTokens: details.promptTokens ?? chat.promptTokens,
    completionTokens: details.completionTokens ?? countTokens(generated),
  };
}

/** A completion that a content filter stopped before the first token. */
export function filteredCompletion(model: string, chat: ChatRequest, now: number): Completion {
  const reply = { text: '', finishReason: 'content_filter', completionTokens: 0 };
  return completionOf(reply, chat, { serial: 0, now, model });
}

/** A tool call in OpenAI's format. */
type ToolCall = {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: string };
};

/** The tool calls in OpenAI's format. `idOf` generates missing ids. */
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

/** The fields of `usage` that all dialects share. */
export function usageOf({ promptTokens, completionTokens, cost }: Completion): JsonObject {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    ...(cost !== undefined && { cost }),
  };
}

/** The value of `created`: seconds since the epoch. */
export function createdAt(now: number): number {
  return Math.floor(now / 1000);
}
