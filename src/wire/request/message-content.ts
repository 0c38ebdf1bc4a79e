import { elementsOf, member, setMembers } from '../../core/json.ts';
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

/** Joins contents: texts as one text, from the first list on as a list of parts. Empty ones do not count. */
function joinContents(contents: readonly Content[]): string | readonly ContentPart[] {
  const given = contents.map((content) => content ?? '').filter((content) => content !== '');
  const [only = ''] = given;
  if (given.length < 2) return only;
  const firstList = given.findIndex((content) => typeof content !== 'string');
  const before = firstList === -1 ? given : given.slice(0, firstList);
  const text = before.filter((content) => typeof content === 'string').join('\n\n');
  return firstList === -1 ? text : [...partsOf(text), ...given.slice(firstList).flatMap(partsOf)];
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
  // A single one keeps its content, also if that is null.
  const content =
    instructions.length === 1 ? first.content : joinContents(instructions.map((message) => message.content));
  return [{ ...first, role: 'system', content }, ...messages.filter((message) => !isInstruction(message))];
}

/** Moves instructions to the beginning of the next user message, for models without a `system` role. */
export function systemToUser(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  if (!messages.some(isInstruction)) return messages;
  const changed: ChatMessage[] = [];
  let pending: Content[] = [];
  for (const message of messages) {
    if (isInstruction(message)) {
      pending.push(message.content);
    } else {
      if (message.role === 'user')
        changed.push({ ...message, content: joinContents([...pending, message.content]) });
      else if (pending.length === 0) changed.push(message);
      else changed.push({ role: 'user', content: joinContents(pending) }, message);
      pending = [];
    }
  }
  if (pending.length > 0) changed.push({ role: 'user', content: joinContents(pending) });
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
  return { messages: [{ ...first, content: joinContents([first.content, IN_JSON]) }, ...rest], fields };
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

/** Consecutive messages of one role. */
type Run = [ChatMessage, ...ChatMessage[]];

function joinRun(run: Run): ChatMessage {
  const [first] = run;
  if (run.length === 1) return first;
  const members: Record<string, unknown> = {};
  for (const message of run) setMembers(members, message);
  const content = joinContents(run.map((message) => message.content));
  const calls = run.flatMap((message) => elementsOf(message.tool_calls));
  const joined = { ...members, role: first.role, content, ...(calls.length > 0 && { tool_calls: calls }) };
  return run.every(({ name }) => name === first.name) ? joined : without(joined, (name) => name === 'name');
}

/** Joins consecutive messages of the user and of the assistant, after one system message; the user speaks first. */
export function alternateRoles(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const ordered = singleSystemFirst(messages);
  const runs: Run[] = [];
  for (const message of ordered) {
    const { role } = message;
    const run = role === 'user' || role === 'assistant' ? runs.at(-1) : undefined;
    if (run?.[0].role === role) run.push(message);
    else runs.push([message]);
  }
  const joined = runs.length === ordered.length ? ordered : runs.map(joinRun);
  const begin = joined[0]?.role === 'system' ? 1 : 0;
  const speaker = joined[begin]?.role;
  if (speaker !== 'assistant' && speaker !== 'tool') return joined;
  return [...joined.slice(0, begin), { role: 'user', content: OPENING }, ...joined.slice(begin)];
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
