/** A call with events: the helper behind `stream()` and `runTools()`. */

import { EventEmitter } from 'node:events';
import type { ChatCompletionMessageFunctionToolCall, ChatCompletionMessageParam } from './chat-messages.ts';
import type { ChatCompletion, ChatCompletionChunk } from './chat-results.ts';
import { APIUserAbortError, OpenAIError } from './errors.ts';
import type { ParsedChatCompletion, ParsedChatCompletionMessage } from './parsed.ts';
import type { CompletionUsage } from './shared-types.ts';
import { Stream } from './stream.ts';

type FunctionCall = ChatCompletionMessageFunctionToolCall.Function;

/** By the name of an event: what its listeners get. */
export interface RunnerEvents {
  connect: [];
  chunk: [chunk: ChatCompletionChunk, snapshot: ChatCompletion['choices'][number]['message']];
  content: [delta: string, snapshot: string];
  'content.delta': [event: { delta: string; snapshot: string }];
  'content.done': [event: { content: string; parsed: unknown }];
  'refusal.delta': [event: { delta: string; snapshot: string }];
  'refusal.done': [event: { refusal: string }];
  'tool_calls.function.arguments.delta': [
    event: { name: string; index: number; arguments: string; arguments_delta: string },
  ];
  'tool_calls.function.arguments.done': [
    event: { name: string; index: number; arguments: string; parsed_arguments: unknown },
  ];
  chatCompletion: [completion: ChatCompletion];
  message: [message: ChatCompletionMessageParam];
  functionToolCall: [call: FunctionCall];
  functionToolCallResult: [content: string];
  finalChatCompletion: [completion: ChatCompletion];
  finalMessage: [message: ChatCompletionMessageParam];
  finalContent: [content: string];
  finalFunctionToolCall: [call: FunctionCall];
  finalFunctionToolCallResult: [content: string];
  totalUsage: [usage: CompletionUsage];
  error: [error: OpenAIError];
  abort: [error: APIUserAbortError];
  end: [];
}

type Name = keyof RunnerEvents;

/** A text of a result, which may be a list of parts. */
function textOf(content: ChatCompletionMessageParam['content']): string {
  if (typeof content === 'string') return content;
  return (content ?? []).map((part) => ('text' in part ? part.text : '')).join('');
}

function functionsIn(message: ChatCompletionMessageParam | undefined): readonly FunctionCall[] {
  const calls = message?.role === 'assistant' ? (message.tool_calls ?? []) : [];
  return calls.flatMap((call) => (call.type === 'function' ? [call.function] : []));
}

/** A call, or a loop of calls, with events. It begins by itself. Iterate a streamed one for its chunks. */
export class ChatCompletionRunner<Parsed = null> implements AsyncIterable<ChatCompletionChunk> {
  /** The conversation, with the answers and the results of the tools. */
  readonly messages: ChatCompletionMessageParam[];
  /** Aborts the run. */
  readonly controller: AbortController = new AbortController();
  readonly #emitter = new EventEmitter();
  readonly #completions: ParsedChatCompletion<Parsed>[] = [];
  readonly #done: Promise<void>;
  #ended = false;
  #error: OpenAIError | undefined;
  /** Whether someone waits for the end, and so gets its error. */
  #isAwaited = false;

  /**
   * @param messages - Those that the conversation begins with.
   * @param work - Makes the calls.
   */
  constructor(
    messages: readonly ChatCompletionMessageParam[],
    signal: AbortSignal | null | undefined,
    work: (runner: ChatCompletionRunner<Parsed>) => Promise<void>,
  ) {
    this.messages = [...messages];
    const onAbort = (): void => this.abort();
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    // Listeners that are added now hear everything.
    this.#done = Promise.resolve()
      .then(() => work(this))
      .then(() => this.#emitFinal())
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        signal?.removeEventListener('abort', onAbort);
        this.#ended = true;
        this.emit('end');
      });
  }

  get ended(): boolean {
    return this.#ended;
  }
  get errored(): boolean {
    return this.#error !== undefined;
  }
  get aborted(): boolean {
    return this.controller.signal.aborted;
  }

  abort(): void {
    this.controller.abort();
  }

  on<Event extends Name>(event: Event, listener: (...args: RunnerEvents[Event]) => void): this {
    this.#emitter.on(event, listener);
    return this;
  }
  once<Event extends Name>(event: Event, listener: (...args: RunnerEvents[Event]) => void): this {
    this.#emitter.once(event, listener);
    return this;
  }
  off<Event extends Name>(event: Event, listener: (...args: RunnerEvents[Event]) => void): this {
    this.#emitter.off(event, listener);
    return this;
  }

  /** Resolves with what the next event of this name has first. Rejects with the run's error. */
  async emitted<Event extends Name>(event: Event): Promise<RunnerEvents[Event][0]> {
    const next = new Promise<RunnerEvents[Event][0]>((resolve) => {
      this.once(event, (...[first]) => resolve(first));
    });
    await Promise.race([next, this.done()]);
    return next;
  }

  /** For the work of the run. */
  emit<Event extends Name>(event: Event, ...args: RunnerEvents[Event]): void {
    this.#emitter.emit(event, ...args);
  }

  /** For the work of the run: a whole answer. */
  addCompletion(completion: ParsedChatCompletion<Parsed>): ParsedChatCompletionMessage<Parsed> {
    const message = completion.choices[0]?.message;
    if (message === undefined) throw new OpenAIError('The answer has no message.');
    this.#completions.push(completion);
    this.emit('chatCompletion', completion);
    this.addMessage(message);
    return message;
  }

  /** For the work of the run. */
  addMessage(message: ChatCompletionMessageParam): void {
    this.messages.push(message);
    this.emit('message', message);
    for (const call of functionsIn(message)) this.emit('functionToolCall', call);
    if (message.role === 'tool') this.emit('functionToolCallResult', textOf(message.content));
  }

  /** Resolves when the run has ended. @throws OpenAIError (as a rejection) if it failed or was aborted. */
  done(): Promise<void> {
    this.#isAwaited = true;
    return this.#done;
  }

  allChatCompletions(): ParsedChatCompletion<Parsed>[] {
    return [...this.#completions];
  }
  async finalChatCompletion(): Promise<ParsedChatCompletion<Parsed>> {
    await this.done();
    const completion = this.#completions.at(-1);
    if (completion === undefined) throw new OpenAIError('The run ended without an answer.');
    return completion;
  }
  async finalMessage(): Promise<ParsedChatCompletionMessage<Parsed>> {
    const { choices } = await this.finalChatCompletion();
    const [choice] = choices;
    if (choice === undefined) throw new OpenAIError('The answer has no message.');
    return choice.message;
  }
  async finalContent(): Promise<string | null> {
    return (await this.finalMessage()).content;
  }
  async finalFunctionToolCall(): Promise<FunctionCall | undefined> {
    await this.done();
    return this.#lastCall();
  }
  async finalFunctionToolCallResult(): Promise<string | undefined> {
    await this.done();
    return this.#lastResult();
  }
  /** The tokens of all answers. */
  async totalUsage(): Promise<CompletionUsage> {
    await this.done();
    return this.#usage();
  }

  /** The chunks. Leaving the loop aborts the run. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ChatCompletionChunk, void, undefined> {
    const chunks: ChatCompletionChunk[] = [];
    let wake: (() => void) | undefined;
    const onChunk = (chunk: ChatCompletionChunk): void => {
      chunks.push(chunk);
      wake?.();
    };
    this.on('chunk', onChunk).once('end', () => wake?.());
    this.#isAwaited = true;
    try {
      while (!this.#ended || chunks.length > 0) {
        yield* chunks.splice(0);
        if (!this.#ended && chunks.length === 0)
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
      await this.#done;
    } finally {
      this.off('chunk', onChunk);
      if (!this.#ended) this.abort();
    }
  }

  /** The chunks as JSON lines. */
  toReadableStream(): ReadableStream<Uint8Array> {
    return new Stream(() => this[Symbol.asyncIterator](), this.controller).toReadableStream();
  }

  #fail(error: unknown): never {
    const message = error instanceof Error ? error.message : String(error);
    const failure = error instanceof OpenAIError ? error : new OpenAIError(message, { cause: error });
    this.#error = failure;
    const isAbort = failure instanceof APIUserAbortError;
    const isHeard = this.#emitter.listenerCount(isAbort ? 'abort' : 'error') > 0;
    if (isAbort) this.emit('abort', failure);
    else if (isHeard) this.emit('error', failure);
    // As the SDK does: an error that nothing looks at is an unhandled rejection.
    // oxlint-disable-next-line promise/no-promise-in-callback -- it is no callback
    if (isHeard || this.#isAwaited || isAbort) this.#done.catch(() => undefined);
    throw failure;
  }

  #emitFinal(): void {
    const completion = this.#completions.at(-1);
    const message = completion?.choices[0]?.message;
    if (completion === undefined || message === undefined) return;
    this.emit('finalChatCompletion', completion);
    this.emit('finalMessage', message);
    if (message.content !== null && message.content !== '') this.emit('finalContent', message.content);
    const [call, result] = [this.#lastCall(), this.#lastResult()];
    if (call !== undefined) this.emit('finalFunctionToolCall', call);
    if (result !== undefined) this.emit('finalFunctionToolCallResult', result);
    if (this.#completions.some(({ usage }) => usage !== undefined)) this.emit('totalUsage', this.#usage());
  }

  #lastCall(): FunctionCall | undefined {
    return this.messages.flatMap(functionsIn).at(-1);
  }

  #lastResult(): string | undefined {
    const message = this.messages.findLast(({ role }) => role === 'tool');
    return message === undefined ? undefined : textOf(message.content);
  }

  #usage(): CompletionUsage {
    const total = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
    for (const { usage } of this.#completions) {
      total.prompt_tokens += usage?.prompt_tokens ?? 0;
      total.completion_tokens += usage?.completion_tokens ?? 0;
      total.total_tokens += usage?.total_tokens ?? 0;
    }
    return total;
  }
}
