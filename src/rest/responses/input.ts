/** The items of a conversation as messages. */

import { elementsOf, type JsonObject, member } from '../../core/json.ts';
import type { ChatMessage, ContentPart } from '../../wire/request/chat-request.ts';
import { badBody } from '../body.ts';
import { type Content, isTextPart, readContent, shownName } from './content.ts';
import { NOTHING, type PrivateFields, unseal } from '../seal.ts';
import { argumentsForInput, type ToolNames } from './tools.ts';

/** An item with its place in the body, for error messages. */
export interface PlacedItem {
  readonly item: JsonObject;
  readonly place: string;
}

/** The content of one turn of the assistant. Its items become one message. */
interface Turn {
  content: Content | undefined;
  reasoning: string;
  readonly calls: { readonly id: string; readonly called: JsonObject }[];
  /** Fields that only the provider understands. */
  own: PrivateFields;
}

const ROLES = ['user', 'assistant', 'system', 'developer'] as const;
/** Media that a tool returned follow in a message of the user: Chat Completions allows only text in a result. */
const MEDIA_FOLLOW = 'The next message of the user has the content.';
const MEDIA = 'This is what the tool returned:';

function textIn(item: JsonObject, name: string, place: string): string {
  const text = item[name];
  if (typeof text !== 'string') throw badBody(`${place}.${name}: must be a text.`);
  return text;
}

/** The text of a reasoning item. Clients keep only its summary. */
function reasoningIn({ content, summary }: JsonObject): string {
  const parts = elementsOf(content).length > 0 ? content : summary;
  return elementsOf(parts)
    .map((part) => member(part, 'text'))
    .filter((text) => typeof text === 'string')
    .join('\n\n');
}

function joined(before: Content | undefined, next: Content): Content {
  if (before === undefined) return next;
  if (typeof before === 'string' && typeof next === 'string') return `${before}\n\n${next}`;
  const parts = [before, next].map((content): readonly ContentPart[] =>
    typeof content === 'string' ? [{ type: 'text', text: content }] : content,
  );
  return parts.flat();
}

/** Models accept an assistant's message only as one text. */
function spoken(content: Content): Content {
  if (typeof content === 'string' || !content.every(isTextPart)) return content;
  return content.map(({ text }) => text).join('');
}

type Reader = (conversation: Conversation, item: JsonObject, place: string) => void;

const READERS: Readonly<Record<string, Reader>> = {
  message: (conversation, item, place) => conversation.addMessage(item, place),
  reasoning: (conversation, item) => conversation.addReasoning(item),
  function_call: (conversation, item, place) =>
    conversation.addCall(item, place, textIn(item, 'arguments', place)),
  custom_tool_call: (conversation, item, place) =>
    conversation.addCall(item, place, argumentsForInput(textIn(item, 'input', place))),
  function_call_output: (conversation, item, place) => conversation.addResult(item, place),
  custom_tool_call_output: (conversation, item, place) => conversation.addResult(item, place),
  // The tools of this item were read with those of the request.
  additional_tools: () => undefined,
};

class Conversation {
  readonly #names: ToolNames;
  readonly #messages: ChatMessage[] = [];
  #turn: Turn | undefined;
  /** Media that tools returned. The results of one turn must follow each other, so the media come after them. */
  #media: ContentPart[] = [];

  constructor(names: ToolNames) {
    this.#names = names;
  }

  addMessage({ role, content }: JsonObject, place: string): void {
    const known = ROLES.find((one) => one === role);
    if (known === undefined) throw badBody(`${place}.role: must be one of ${ROLES.join(', ')}.`);
    const read = readContent(content, `${place}.content`);
    if (known !== 'assistant') {
      this.#close();
      this.#messages.push({ role: known, content: read });
      return;
    }
    // A text between calls and their results belongs to the message with the calls.
    if (this.#turn?.content !== undefined && this.#turn.calls.length === 0) this.#close();
    const turn = this.#open();
    turn.content = joined(turn.content, spoken(read));
  }

  addReasoning(item: JsonObject): void {
    const turn = this.#open();
    const text = reasoningIn(item);
    if (text !== '') turn.reasoning += turn.reasoning === '' ? text : `\n\n${text}`;
    const { own } = turn;
    const { message, calls } = unseal(item['encrypted_content']) ?? NOTHING;
    turn.own = { message: { ...own.message, ...message }, calls: { ...own.calls, ...calls } };
  }

  addCall(item: JsonObject, place: string, given: string): void {
    const { namespace } = item;
    const id = textIn(item, 'call_id', place);
    const tool = textIn(item, 'name', place);
    const name = this.#names.functionFor(tool, typeof namespace === 'string' ? namespace : undefined);
    this.#open().calls.push({ id, called: { name, arguments: given } });
  }

  addResult(item: JsonObject, place: string): void {
    this.#closeTurn();
    const read = readContent(item['output'], `${place}.output`);
    const media = typeof read === 'string' ? [] : read.filter((part) => !isTextPart(part));
    this.#media.push(...media);
    const texts = typeof read === 'string' ? read : read.filter(isTextPart);
    const content = media.length > 0 && texts.length === 0 ? MEDIA_FOLLOW : texts;
    this.#messages.push({ role: 'tool', tool_call_id: textIn(item, 'call_id', place), content });
  }

  messages(): readonly ChatMessage[] {
    this.#close();
    return this.#messages;
  }

  /** The current turn of the assistant, or a new one. */
  #open(): Turn {
    if (this.#turn !== undefined) return this.#turn;
    this.#close();
    this.#turn = { content: undefined, reasoning: '', calls: [], own: NOTHING };
    return this.#turn;
  }

  #close(): void {
    this.#closeTurn();
    if (this.#media.length === 0) return;
    this.#messages.push({ role: 'user', content: [{ type: 'text', text: MEDIA }, ...this.#media] });
    this.#media = [];
  }

  #closeTurn(): void {
    if (this.#turn === undefined) return;
    const { content = null, reasoning, calls, own } = this.#turn;
    this.#turn = undefined;
    const tool_calls = calls.map(({ id, called }) => ({
      ...own.calls[id],
      id,
      type: 'function',
      function: called,
    }));
    this.#messages.push({
      ...own.message,
      role: 'assistant',
      content,
      ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
      ...(tool_calls.length === 0 ? {} : { tool_calls }),
    });
  }
}

/** The type of an item. Messages and references may leave it out. */
export function typeOf({ type, role, id }: JsonObject): unknown {
  if (type !== undefined && type !== null) return type;
  if (role !== undefined) return 'message';
  return typeof id === 'string' ? 'item_reference' : undefined;
}

/** @throws HttpError naming the item that is wrong or not known. */
export function messagesOf(items: readonly PlacedItem[], names: ToolNames): readonly ChatMessage[] {
  const conversation = new Conversation(names);
  for (const { item, place } of items) {
    const type = typeOf(item);
    const read = typeof type === 'string' && Object.hasOwn(READERS, type) ? READERS[type] : undefined;
    if (read === undefined)
      throw badBody(
        `${place}.type: items of the type ${shownName(type)} are not known here. Known are item_reference, ${Object.keys(READERS).join(', ')}.`,
      );
    read(conversation, item, place);
  }
  return conversation.messages();
}
