/** A streamed answer as the server-sent events of the Messages API. */

import type { JsonObject } from '../../core/json.ts';
import { type HttpErrorInit, messagesError } from '../../http-error.ts';
import type { ToolCall } from '../../wire/response/chat-response.ts';
import type { TokenUsage } from '../../wire/response/token-usage.ts';
import { messageOf, PartCollector, type StreamPart } from '../../wire/response/stream-part.ts';
import type { EventWriter } from '../protocol.ts';
import {
  lastUsage,
  messageObject,
  privateBlock,
  stopReasonOf,
  textBlock,
  thinkingBlock,
  toolUseBlock,
} from './message.ts';
import { NOTHING, type PrivateFields, privateFieldsOf, seal } from '../seal.ts';

type Kind = 'text' | 'thinking';

function event(type: string, data: JsonObject = {}): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
}

/** Writes the parts of one answer as content blocks, one after the other. */
export class MessageWriter implements EventWriter {
  readonly #id: string;
  /** The calls, which are written when all have come: a block ends before the next one begins. */
  readonly #collector = new PartCollector();
  #hasBegun = false;
  #open: Kind | undefined;
  #index = 0;
  #sealed: PrivateFields = NOTHING;
  #usage: TokenUsage | undefined;

  constructor(id: string) {
    this.#id = id;
  }

  write(part: StreamPart, model: string): string {
    switch (part.type) {
      case 'text':
        return this.#begun(model) + this.#piece('text', { type: 'text_delta', text: part.text });
      case 'reasoning':
        return this.#begun(model) + this.#piece('thinking', { type: 'thinking_delta', thinking: part.text });
      case 'tool-call':
      case 'extra':
        this.#collector.add(part);
        return this.#begun(model);
      case 'logprobs':
        return '';
      case 'usage':
        this.#usage = part.usage;
        return '';
      case 'finish':
        return this.#begun(model) + this.#end(part.reason);
    }
  }

  fail(error: HttpErrorInit): string {
    return `event: error\ndata: ${JSON.stringify(messagesError(error))}\n\n`;
  }

  #begun(model: string): string {
    if (this.#hasBegun) return '';
    this.#hasBegun = true;
    const message = messageObject(this.#id, { model, usage: undefined });
    return event('message_start', { message }) + event('ping');
  }

  #piece(kind: Kind, delta: JsonObject): string {
    let events = '';
    if (this.#open !== kind) {
      events = this.#stop() + this.#start(kind === 'text' ? textBlock('') : thinkingBlock('', ''));
      this.#open = kind;
    }
    return events + this.#delta(delta);
  }

  #start(block: JsonObject): string {
    return event('content_block_start', { index: this.#index, content_block: block });
  }

  #delta(delta: JsonObject): string {
    return event('content_block_delta', { index: this.#index, delta });
  }

  /** Ends the open block. The signature of thoughts has what their provider wants back with them. */
  #stop(): string {
    if (this.#open === undefined) return '';
    let events = '';
    if (this.#open === 'thinking') {
      this.#sealed = privateFieldsOf(messageOf(this.#collector.raw()));
      events = this.#delta({ type: 'signature_delta', signature: seal(this.#sealed) });
    }
    this.#open = undefined;
    return events + this.#ended();
  }

  #ended(): string {
    const events = event('content_block_stop', { index: this.#index });
    this.#index += 1;
    return events;
  }

  #call(call: ToolCall): string {
    const json = { type: 'input_json_delta', partial_json: call.function.arguments };
    return this.#start(toolUseBlock(call, {})) + this.#delta(json) + this.#ended();
  }

  #end(reason: string): string {
    const stopped = this.#stop();
    const { toolCalls } = this.#collector.answer();
    const fields = privateFieldsOf(messageOf(this.#collector.raw()), toolCalls);
    const carried = privateBlock(fields, this.#sealed).map((block) => this.#start(block) + this.#ended());
    const calls = toolCalls.map((call) => this.#call(call));
    const delta = {
      stop_reason: stopReasonOf(reason),
      stop_sequence: null,
      stop_details: null,
      container: null,
    };
    const last = event('message_delta', { delta, usage: lastUsage(this.#usage) });
    return stopped + carried.join('') + calls.join('') + last + event('message_stop');
  }
}
