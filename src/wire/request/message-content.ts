import type { ChatMessage, ContentPart } from './chat-request.ts';
import { mapSame } from './copy-on-change.ts';

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
