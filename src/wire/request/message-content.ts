import { elementsOf, member } from '../../core/json.ts';
import type { ChatMessage, ChatRequest, ContentPart } from './chat-request.ts';
import { mapSame, without } from './copy-on-change.ts';

type Content = ChatMessage['content'];

type TextPart = ContentPart & { readonly text: string };

function isTextPart(part: ContentPart): part is TextPart {
  return part?.type === 'text' && typeof part['text'] === 'string';
}

function isPlainTextPart(part: ContentPart): part is TextPart {
  return isTextPart(part) && Object.keys(part).length === 2;
}

function partsOf(content: Content): readonly ContentPart[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  return content ?? [];
}

/** Joins two contents: as a text if both are texts, else as a list of parts. */
function joinContent(first: Content, second: Content): string | readonly ContentPart[] {
  const [a, b] = [first ?? '', second ?? ''];
  if (a === '' || b === '') return a === '' ? b : a;
  if (typeof a === 'string' && typeof b === 'string') return `${a}\n\n${b}`;
  return [...partsOf(a), ...partsOf(b)];
}

function isInstruction({ role }: ChatMessage): boolean {
  return role === 'system' || role === 'developer';
}

function flattened(
  messages: readonly ChatMessage[],
  isFlat: (part: ContentPart) => part is TextPart,
): readonly ChatMessage[] {
  return mapSame(messages, (message) => {
    const { content } = message;
    if (!Array.isArray(content)) return message;
    const parts: readonly ContentPart[] = content;
    if (!parts.every(isFlat)) return message;
    return { ...message, content: parts.map(({ text }) => text).join('\n') };
  });
}

/** Joins contents that are lists of texts only: many servers accept a list only for images. */
export function flattenText(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  return flattened(messages, isTextPart);
}

/** Joins lists of texts that carry nothing else, e.g. no mark for a cache. */
export function flattenPlainText(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  return flattened(messages, isPlainTextPart);
}

/** Some models refuse an empty content beside calls. */
export function emptyContentToNull(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  return mapSame(messages, (message) =>
    message.content === '' && elementsOf(message.tool_calls).length > 0
      ? { ...message, content: null }
      : message,
  );
}

export function nullContentToEmpty(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  return mapSame(messages, (message) => (message.content == null ? { ...message, content: '' } : message));
}

export function developerToSystem(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  return mapSame(messages, (message) =>
    message.role === 'developer' ? { ...message, role: 'system' } : message,
  );
}

export function singleSystemFirst(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const instructions = messages.filter(isInstruction);
  const [first] = instructions;
  if (first === undefined) return messages;
  if (instructions.length === 1 && first === messages[0] && first.role === 'system') return messages;
  const content = instructions.map((message) => message.content).reduce(joinContent);
  return [{ ...first, role: 'system', content }, ...messages.filter((message) => !isInstruction(message))];
}

/** Moves instructions to the beginning of the next user message, for models without a `system` role. */
export function systemToUser(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  if (!messages.some(isInstruction)) return messages;
  const changed: ChatMessage[] = [];
  let pending: Content;
  for (const message of messages) {
    if (isInstruction(message)) {
      pending = joinContent(pending, message.content);
    } else {
      if (message.role === 'user')
        changed.push({ ...message, content: joinContent(pending, message.content) });
      else if (pending === undefined) changed.push(message);
      else changed.push({ role: 'user', content: pending }, message);
      pending = undefined;
    }
  }
  if (pending !== undefined) changed.push({ role: 'user', content: pending });
  return changed;
}

const IN_JSON = 'Answer in JSON.';

/** Says that the answer is to be JSON: some models want to read the word before they take `json_object`. */
export function nameJson(request: ChatRequest): ChatRequest {
  const { messages, fields } = request;
  if (member(fields['response_format'], 'type') !== 'json_object') return request;
  if (/json/i.test(JSON.stringify(messages))) return request;
  const [first, ...rest] = messages;
  if (first === undefined || !isInstruction(first))
    return { messages: [{ role: 'system', content: IN_JSON }, ...messages], fields };
  return { messages: [{ ...first, content: joinContent(first.content, IN_JSON) }, ...rest], fields };
}

/** Stands for the content of a message that only calls tools. */
const CALLING = 'Calling the tools.';

/** Some models refuse a content that is empty as well as one that is null. */
export function fillEmptyContent(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  return mapSame(messages, (message) =>
    elementsOf(message.tool_calls).length > 0 && (message.content ?? '') === ''
      ? { ...message, content: CALLING }
      : message,
  );
}

/** Says that the conversation begins, where the assistant does not speak first. */
const OPENING = 'Hello.';
const CONTINUE = 'Go on from exactly where your last message ends.';

function joinMessages(first: ChatMessage, second: ChatMessage): ChatMessage {
  const content = joinContent(first.content, second.content);
  const calls = [...elementsOf(first.tool_calls), ...elementsOf(second.tool_calls)];
  const joined = { ...first, ...second, content, ...(calls.length > 0 && { tool_calls: calls }) };
  return first.name === second.name ? joined : without(joined, (name) => name === 'name');
}

/** Joins consecutive messages of the user and of the assistant, after one system message; the user speaks first. */
export function alternateRoles(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const ordered = singleSystemFirst(messages);
  const changed: ChatMessage[] = [];
  for (const message of ordered) {
    const last = changed.at(-1);
    const { role } = message;
    if (last?.role === role && (role === 'user' || role === 'assistant')) {
      changed[changed.length - 1] = joinMessages(last, message);
      continue;
    }
    const begins = last === undefined || last.role === 'system';
    if (begins && (role === 'assistant' || role === 'tool')) changed.push({ role: 'user', content: OPENING });
    changed.push(message);
  }
  return changed.length === ordered.length && changed.every((message, index) => message === ordered[index])
    ? ordered
    : changed;
}

/** Asks for the rest of a last assistant message, for models that do not continue it by themselves. */
export function continueByInstruction(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  return messages.at(-1)?.role === 'assistant'
    ? [...messages, { role: 'user', content: CONTINUE }]
    : messages;
}

const REASONING: ReadonlySet<string> = new Set(['reasoning', 'reasoning_content', 'reasoning_details']);

export function stripReasoning(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  return mapSame(messages, (message) => without(message, (name) => REASONING.has(name)));
}

/** Stands for the reasoning that another model did not send. Some models take an empty text for none. */
const NO_REASONING = ' ';

/** Gives each assistant message a `reasoning_content`: some models refuse a conversation without. */
export function reasoningBack(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  return mapSame(messages, (message) => {
    const { role, reasoning, reasoning_content: given } = message;
    if (role !== 'assistant' || (typeof given === 'string' && given !== '')) return message;
    const known = typeof reasoning === 'string' && reasoning !== '' ? reasoning : NO_REASONING;
    return { ...message, reasoning_content: known };
  });
}

const MESSAGE_FIELDS: ReadonlySet<string> = new Set([
  'role',
  'content',
  'name',
  'tool_calls',
  'tool_call_id',
]);

export function coreMessageFields(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  return mapSame(messages, (message) => without(message, (name) => !MESSAGE_FIELDS.has(name)));
}
