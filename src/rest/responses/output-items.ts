/** The items of an answer while they grow, and the events about them. */

import type { JsonObject } from '../../core/json.ts';
import type { ToolCallPart } from '../../wire/response/tool-calls.ts';
import { annotationsOf } from './annotations.ts';
import { inputOfArguments, type Tool } from './tools.ts';

/** Receives events: the type without `response.`, and the fields. */
export interface EventSink {
  emit(type: string, fields: JsonObject): void;
  /** Prepares events that differ in their `delta` only, since a stream has hundreds of them. */
  deltas(type: string, fields: JsonObject): (delta: string) => void;
}

export type ItemStatus = 'completed' | 'incomplete';

/** An item that is not complete yet. */
export interface OpenItem {
  /** The whole item. */
  close(status: ItemStatus): JsonObject;
}

export class ReasoningItem implements OpenItem {
  readonly #place: JsonObject;
  readonly #sink: EventSink;
  readonly #delta: (delta: string) => void;
  readonly #id: string;
  #text = '';

  constructor(id: string, output_index: number, sink: EventSink) {
    this.#id = id;
    this.#sink = sink;
    this.#place = { item_id: id, output_index, summary_index: 0 };
    this.#delta = sink.deltas('reasoning_summary_text.delta', this.#place);
    sink.emit('output_item.added', { output_index, item: { id, type: 'reasoning', summary: [] } });
    sink.emit('reasoning_summary_part.added', { ...this.#place, part: { type: 'summary_text', text: '' } });
  }

  add(delta: string): void {
    this.#text += delta;
    this.#delta(delta);
  }

  close(): JsonObject {
    const part = { type: 'summary_text', text: this.#text };
    this.#sink.emit('reasoning_summary_text.done', { ...this.#place, text: this.#text });
    this.#sink.emit('reasoning_summary_part.done', { ...this.#place, part });
    return { id: this.#id, type: 'reasoning', summary: [part] };
  }
}

export class MessageItem implements OpenItem {
  readonly #place: JsonObject;
  readonly #sink: EventSink;
  readonly #delta: (delta: string) => void;
  readonly #id: string;
  readonly #extras: () => JsonObject;
  #text = '';

  /** @param extras - The fields that the provider added to the message. */
  constructor(id: string, output_index: number, sink: EventSink, extras: () => JsonObject) {
    this.#id = id;
    this.#sink = sink;
    this.#extras = extras;
    this.#place = { item_id: id, output_index, content_index: 0 };
    this.#delta = sink.deltas('output_text.delta', { ...this.#place, logprobs: [] });
    sink.emit('output_item.added', { output_index, item: this.#item('in_progress', []) });
    sink.emit('content_part.added', { ...this.#place, part: this.#part([]) });
  }

  add(delta: string): void {
    this.#text += delta;
    this.#delta(delta);
  }

  close(status: ItemStatus): JsonObject {
    const { annotations: given, ...extras } = this.#extras();
    const annotations = annotationsOf(given);
    for (const [annotation_index, annotation] of annotations.entries())
      this.#sink.emit('output_text.annotation.added', { ...this.#place, annotation_index, annotation });
    const part = this.#part(annotations);
    this.#sink.emit('output_text.done', { ...this.#place, text: this.#text, logprobs: [] });
    this.#sink.emit('content_part.done', { ...this.#place, part });
    return { ...extras, ...this.#item(status, [part]) };
  }

  #part(annotations: readonly JsonObject[]): JsonObject {
    return { type: 'output_text', text: this.#text, annotations, logprobs: [] };
  }

  #item(status: ItemStatus | 'in_progress', content: readonly JsonObject[]): JsonObject {
    return { id: this.#id, type: 'message', status, role: 'assistant', content };
  }
}

/** A call of a function, or of the freeform tool that the function stands for. */
export class CallItem implements OpenItem {
  readonly index: number;
  readonly #place: { readonly item_id: string; readonly output_index: number };
  readonly #sink: EventSink;
  readonly #callId: string;
  readonly #tool: Tool;
  #arguments = '';

  constructor(
    item_id: string,
    output_index: number,
    sink: EventSink,
    { index, id }: ToolCallPart,
    tool: Tool,
  ) {
    this.index = index;
    this.#place = { item_id, output_index };
    this.#sink = sink;
    this.#callId = id;
    this.#tool = tool;
    sink.emit('output_item.added', { output_index, item: this.#item('in_progress', '') });
  }

  add(delta: string): void {
    this.#arguments += delta;
    // The input of a freeform tool is known only when its arguments are complete.
    if (delta !== '' && this.#tool.kind === 'function')
      this.#sink.emit('function_call_arguments.delta', { ...this.#place, delta });
  }

  close(status: ItemStatus): JsonObject {
    if (this.#tool.kind === 'function') {
      const { name } = this.#tool;
      this.#sink.emit('function_call_arguments.done', { ...this.#place, name, arguments: this.#arguments });
      return this.#item(status, this.#arguments);
    }
    const input = inputOfArguments(this.#arguments);
    this.#sink.emit('custom_tool_call_input.delta', { ...this.#place, delta: input });
    this.#sink.emit('custom_tool_call_input.done', { ...this.#place, input });
    return this.#item(status, input);
  }

  #item(status: ItemStatus | 'in_progress', given: string): JsonObject {
    const { kind, name, namespace } = this.#tool;
    return {
      id: this.#place.item_id,
      ...(kind === 'function'
        ? { type: 'function_call', status, arguments: given }
        : { type: 'custom_tool_call', status, input: given }),
      call_id: this.#callId,
      name,
      ...(namespace === undefined ? {} : { namespace }),
    };
  }
}
