/** Puts the chunks of a stream together. */

import type { ChatCompletionMessageFunctionToolCall } from './chat-messages.ts';
import type { ChatCompletion, ChatCompletionChunk } from './chat-results.ts';
import { OpenAIError } from './errors.ts';

type Delta = ChatCompletionChunk.Choice.Delta;
type Message = ChatCompletion.Choice['message'];

/** What has come of one answer. */
interface Growing {
  readonly message: Message;
  readonly calls: ChatCompletionMessageFunctionToolCall[];
  finishReason: ChatCompletion.Choice['finish_reason'] | null;
}

/** A piece of a tool call. */
type CallDelta = NonNullable<Delta['tool_calls']>[number];

function addCall(calls: Growing['calls'], { index, id, function: called }: CallDelta): void {
  const call = (calls[index] ??= { id: '', type: 'function', function: { name: '', arguments: '' } });
  if (id !== undefined) call.id = id;
  call.function.name += called?.name ?? '';
  call.function.arguments += called?.arguments ?? '';
}

function addDelta({ message, calls }: Growing, delta: Delta): void {
  const {
    role: _role,
    content,
    refusal,
    reasoning_content: thought,
    tool_calls: pieces = [],
    ...others
  } = delta;
  if (typeof content === 'string') message.content = (message.content ?? '') + content;
  if (typeof refusal === 'string') message.refusal = (message.refusal ?? '') + refusal;
  if (thought !== undefined) message.reasoning_content = (message.reasoning_content ?? '') + thought;
  for (const piece of pieces) addCall(calls, piece);
  if (calls.length > 0) message.tool_calls = calls;
  // What a provider gives for itself comes whole.
  Object.assign(message, others);
}

/** The answer as far as it has come. */
export class ChunkCollector {
  readonly #choices: Growing[] = [];
  #last: ChatCompletionChunk | undefined;
  #usage: ChatCompletion['usage'];

  add(chunk: ChatCompletionChunk): void {
    this.#last = chunk;
    this.#usage = chunk.usage ?? this.#usage;
    for (const { index, delta, finish_reason: reason } of chunk.choices) {
      const choice = (this.#choices[index] ??= {
        message: { role: 'assistant', content: null, refusal: null },
        calls: [],
        finishReason: null,
      });
      addDelta(choice, delta);
      choice.finishReason = reason ?? choice.finishReason;
    }
  }

  /** The message of the first choice. */
  get message(): Message | undefined {
    return this.#choices[0]?.message;
  }

  /** @throws OpenAIError if the stream ended before the answer did. */
  get completion(): ChatCompletion {
    const last = this.#last;
    if (last === undefined) throw new OpenAIError('The stream ended without a chunk.');
    const { id, created, model } = last;
    const choices = this.#choices.map(({ message, finishReason }, index) => {
      if (finishReason === null) throw new OpenAIError('The stream ended before the answer did.');
      return { index, message, finish_reason: finishReason, logprobs: null };
    });
    const usage = this.#usage === undefined ? {} : { usage: this.#usage };
    return { id, object: 'chat.completion', created, model, choices, ...usage };
  }
}
