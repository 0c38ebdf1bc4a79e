/** The items of an answer, made from its parts, with the events that tell of them. */

import type { JsonObject } from '../../core/json.ts';
import { PRIVATE_FIELDS } from '../../wire/request/request-shape.ts';
import { extraFieldsOf } from '../../wire/response/message.ts';
import {
  type CollectedAnswer,
  messageOf,
  PartCollector,
  type StreamPart,
} from '../../wire/response/stream-part.ts';
import type { ToolCallPart } from '../../wire/response/tool-calls.ts';
import { annotationsOf } from './annotations.ts';
import { privateFieldsOf, seal } from '../seal.ts';
import { inputOfArguments, type Tool, type ToolNames } from './tools.ts';

/** Receives events by their types without `response.`, and their fields. */
export interface EventSink {
  emit(type: string, fields: JsonObject): void;
  /** Prepares events that differ in their `delta` only, since a stream has hundreds of them. */
  deltas(type: string, fields: JsonObject): (delta: string) => void;
}

type ItemStatus = 'completed' | 'incomplete';

/** An item of which more may come. */
interface OpenItem {
  /** The whole item. */
  close(status: ItemStatus): JsonObject;
}

class ReasoningItem implements OpenItem {
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

class MessageItem implements OpenItem {
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
class CallItem implements OpenItem {
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
    // The input of a freeform tool is known only when its arguments are whole.
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

const REASONING = 'rs';
const MESSAGE = 'msg';

function idPrefixOf({ kind }: Tool): string {
  return kind === 'function' ? 'fc' : 'ctc';
}

/** Makes the items of an answer one after the other, as OpenAI does. */
export class OutputBuilder {
  readonly #collector = new PartCollector();
  readonly #items: JsonObject[] = [];
  readonly #suffix: string;
  readonly #names: ToolNames;
  readonly #sink: EventSink;
  #count = 0;
  #text: MessageItem | undefined;
  #thought: ReasoningItem | undefined;
  /** Reasoning that came within the text. The text stays one. */
  #lateThoughts = '';
  readonly #calls = new Map<number, CallItem>();

  /** @param suffix - Makes the ids of the items unique. */
  constructor(suffix: string, names: ToolNames, sink: EventSink) {
    this.#suffix = suffix;
    this.#names = names;
    this.#sink = sink;
  }

  /** The items that are whole. */
  get items(): readonly JsonObject[] {
    return this.#items;
  }

  get answer(): CollectedAnswer {
    return this.#collector.answer();
  }

  add(part: StreamPart): void {
    this.#collector.add(part);
    switch (part.type) {
      case 'reasoning':
        this.#addReasoning(part.text);
        break;
      case 'text':
        this.#addText(part.text);
        break;
      case 'tool-call':
        this.#addCall(part);
        break;
      case 'finish':
        this.#end(part.reason);
        break;
      case 'extra':
      case 'usage':
    }
  }

  #addReasoning(text: string): void {
    if (this.#text !== undefined || this.#calls.size > 0) {
      this.#lateThoughts += text;
      return;
    }
    if (this.#thought === undefined && text.trim() === '') return;
    this.#thought ??= new ReasoningItem(this.#newId(REASONING), this.#count, this.#sink);
    this.#thought.add(text);
  }

  #addText(text: string): void {
    this.#closeThought();
    this.#closeCalls('completed');
    this.#text ??= new MessageItem(this.#newId(MESSAGE), this.#count, this.#sink, () => this.#extras());
    this.#text.add(text);
  }

  #addCall(part: ToolCallPart): void {
    this.#closeThought();
    this.#closeText('completed');
    let call = this.#calls.get(part.index);
    if (call === undefined) {
      const tool = this.#names.toolFor(part.name);
      const place = this.#count + this.#calls.size;
      call = new CallItem(this.#newId(idPrefixOf(tool), place), place, this.#sink, part, tool);
      this.#calls.set(part.index, call);
    }
    call.add(part.argumentsDelta);
  }

  #end(reason: string): void {
    const status = isIncomplete(reason) ? 'incomplete' : 'completed';
    this.#closeThought();
    this.#closeText(status);
    this.#closeCalls(status);
    this.#addPrivateFields();
  }

  /** What the provider wants back has an item of its own: a call has no place for it. */
  #addPrivateFields(): void {
    const { message, calls } = privateFieldsOf(messageOf(this.#collector.raw()), this.answer.toolCalls);
    if (Object.keys(message).length === 0 && Object.keys(calls).length === 0) return;
    const output_index = this.#count;
    const encrypted_content = seal({ message, calls });
    const item = { id: this.#newId(REASONING), type: 'reasoning', summary: [], encrypted_content };
    this.#sink.emit('output_item.added', { output_index, item });
    this.#close({ close: () => item }, 'completed');
  }

  /** The fields of the message that freelm does not read, and that are for everyone. */
  #extras(): JsonObject {
    const fields = Object.entries(extraFieldsOf(messageOf(this.#collector.raw())) ?? {});
    return Object.fromEntries(fields.filter(([name]) => !PRIVATE_FIELDS.has(name)));
  }

  #closeThought(): void {
    if (this.#thought !== undefined) this.#close(this.#thought, 'completed');
    this.#thought = undefined;
  }

  #closeText(status: ItemStatus): void {
    if (this.#text === undefined) return;
    this.#close(this.#text, status);
    this.#text = undefined;
    this.#addLateThoughts();
  }

  #closeCalls(status: ItemStatus): void {
    if (this.#calls.size === 0) return;
    for (const call of this.#calls.values()) this.#close(call, status);
    this.#calls.clear();
    this.#addLateThoughts();
  }

  #addLateThoughts(): void {
    const thoughts = this.#lateThoughts;
    this.#lateThoughts = '';
    this.#addReasoning(thoughts);
    this.#closeThought();
  }

  #close(open: OpenItem, status: ItemStatus): void {
    const item = open.close(status);
    this.#sink.emit('output_item.done', { output_index: this.#count, item });
    this.#items.push(item);
    this.#count += 1;
  }

  #newId(prefix: string, place = this.#count): string {
    return `${prefix}_${this.#suffix}${place}`;
  }
}

/** Whether an answer ended before it was whole. */
export function isIncomplete(reason: string | undefined): boolean {
  return reason === 'length' || reason === 'content_filter';
}
