/** Builds the items of an answer from its parts, and emits the events about them. */

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
import { privateFieldsOf, seal } from '../seal.ts';
import type { Tool, ToolNames } from './tools.ts';
import {
  type EventSink,
  type ItemStatus,
  type OpenItem,
  ReasoningItem,
  MessageItem,
  CallItem,
} from './output-items.ts';

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
  /** Reasoning that arrived within the text. It does not split the text. */
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
      case 'logprobs':
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

  /** Fields that the provider requires back get an item of their own, because a call has no place for them. */
  #addPrivateFields(): void {
    const { message, calls } = privateFieldsOf(messageOf(this.#collector.raw()), this.answer.toolCalls);
    if (Object.keys(message).length === 0 && Object.keys(calls).length === 0) return;
    const output_index = this.#count;
    const encrypted_content = seal({ message, calls });
    const item = { id: this.#newId(REASONING), type: 'reasoning', summary: [], encrypted_content };
    this.#sink.emit('output_item.added', { output_index, item });
    this.#close({ close: () => item }, 'completed');
  }

  /** The fields of the message that freelm does not read and that any client may see. */
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
