import { elementsOf, member } from '../../core/json.ts';
import { type ChatRequest, isOptionalField } from './chat-request.ts';

/** What a model may not like about a request: its roles, parts and fields, as a short sorted text. spec 8.5 */
export function featuresOf({ messages, fields }: ChatRequest): string {
  const found = new Set<string>();
  let before: string | undefined;
  for (const { role, content, tool_calls: calls } of messages) {
    if (role !== 'user') found.add(role);
    if (role === before) found.add(`repeated-${role}`);
    before = role;
    if (Array.isArray(content)) found.add('list');
    for (const part of elementsOf(content)) found.add(`part-${String(member(part, 'type')).slice(0, 20)}`);
    if (elementsOf(calls).length > 0) found.add('calls');
  }
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined && name !== 'stream') found.add(isOptionalField(name, value) ? `-${name}` : name);
  }
  return [...found].slice(0, 40).toSorted().join(' ');
}
