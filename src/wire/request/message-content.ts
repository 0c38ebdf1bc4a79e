/** Changes of what messages say, and of who says it. */

import type { ChatMessage, ContentPart } from './chat-request.ts';
import { mapSame } from './schema-keys.ts';

type Content = ChatMessage['content'];

function isTextPart(part: ContentPart): part is ContentPart & { readonly text: string } {
  return part?.type === 'text' && typeof part['text'] === 'string';
}

function partsOf(content: Content): readonly ContentPart[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  return content ?? [];
}

/** Two contents as one: a text where both are texts, else their parts. */
function joined(first: Content, second: Content): string | readonly ContentPart[] {
  const [a, b] = [first ?? '', second ?? ''];
  if (a === '' || b === '') return a === '' ? b : a;
  if (typeof a === 'string' && typeof b === 'string') return `${a}\n\n${b}`;
  return [...partsOf(a), ...partsOf(b)];
}

function isInstruction({ role }: ChatMessage): boolean {
  return role === 'system' || role === 'developer';
}

/** A content that is a list of nothing but texts becomes one text: many servers take a list only for images. */
export function flattenText(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  return mapSame(messages, (message) => {
    const { content } = message;
    if (!Array.isArray(content)) return message;
    const parts: readonly ContentPart[] = content;
    if (!parts.every(isTextPart)) return message;
    return { ...message, content: parts.map((part) => part['text']).join('\n') };
  });
}

/** A missing content becomes an empty text. */
export function nullContentToEmpty(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  return mapSame(messages, (message) => (message.content == null ? { ...message, content: '' } : message));
}

/** The younger name of the system's role becomes the older one, which everybody knows. */
export function developerToSystem(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  return mapSame(messages, (message) =>
    message.role === 'developer' ? { ...message, role: 'system' } : message,
  );
}

/** All instructions become one message of the system, the first of the conversation. */
export function singleSystemFirst(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const instructions = messages.filter(isInstruction);
  const [first] = instructions;
  if (first === undefined) return messages;
  if (instructions.length === 1 && first === messages[0] && first.role === 'system') return messages;
  const content = instructions.map((message) => message.content).reduce(joined);
  return [{ ...first, role: 'system', content }, ...messages.filter((message) => !isInstruction(message))];
}

/** What the system says is said by the user, at the beginning of the next message: for models without such a role. */
export function systemToUser(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  if (!messages.some(isInstruction)) return messages;
  const changed: ChatMessage[] = [];
  let said: Content;
  for (const message of messages) {
    if (isInstruction(message)) {
      said = joined(said, message.content);
    } else {
      if (message.role === 'user') changed.push({ ...message, content: joined(said, message.content) });
      else if (said === undefined) changed.push(message);
      else changed.push({ role: 'user', content: said }, message);
      said = undefined;
    }
  }
  if (said !== undefined) changed.push({ role: 'user', content: said });
  return changed;
}
