/** Reads the parts that messages of whole answers and deltas of streams have in common. spec 13.6 */

import { elementsOf, isJsonObject, type JsonObject, member, setMember } from '../../core/json.ts';

/** The choice with index 0; if none has it, the first one. Null stands for no choice. */
export function choiceIn(choices: unknown): unknown {
  const given = elementsOf(choices);
  // Usual, and asked for every chunk.
  if (given.length === 1) return given[0] ?? undefined;
  return (
    given.find((choice) => choice !== null && isFirst(choice)) ?? given.find((choice) => choice !== null)
  );
}

/** Whether a choice is the first of its answer. */
export function isFirst(choice: unknown): boolean {
  const index = isJsonObject(choice) ? (choice['index'] ?? 0) : 0;
  return index === 0 || index === '0';
}

/** The message of a choice. The older completions have a text in its place. */
export function messageIn(choice: JsonObject, name: 'delta' | 'message'): unknown {
  const message = choice[name] ?? undefined;
  if (message !== undefined) return message;
  const { text } = choice;
  return typeof text === 'string' ? { content: text } : undefined;
}

/** The probabilities of tokens of a choice, whole or of a chunk; undefined if it has none. */
export function logprobsIn(choice: unknown): readonly unknown[] | undefined {
  const content = member(member(choice, 'logprobs'), 'content');
  return Array.isArray(content) && content.length > 0 ? content : undefined;
}

/** White space counts: between other pieces it is part of the text. */
export function textIn(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The text of a content, a string or a list of parts; undefined for an unknown shape. */
export function contentOf(content: unknown): string | undefined {
  if (typeof content === 'string') return content;
  if (content === undefined || content === null) return '';
  if (!Array.isArray(content)) return undefined;
  return content.map((part) => textIn(part) || textIn(member(part, 'text'))).join('');
}

/** The reasoning of a message or delta under its own name. */
export function namedReasoningOf({ reasoning, reasoning_content }: JsonObject): string {
  return textIn(reasoning) || textIn(reasoning_content);
}

/** The reasoning of a message or delta, which may come in several places at once. */
export function reasoningOf(message: JsonObject): string {
  const { reasoning_details: details, content } = message;
  const named = namedReasoningOf(message);
  if (named !== '' || !(Array.isArray(details) || Array.isArray(content))) return named;
  const inDetails = elementsOf(details).map(
    (detail) => textIn(member(detail, 'text')) || textIn(member(detail, 'summary')),
  );
  // Mistral sends it as parts of the content (2026).
  const inContent = elementsOf(content).map((part) => contentOf(member(part, 'thinking')) ?? '');
  return [...inDetails, ...inContent].join('');
}

/** The tool calls of a message or delta as a list without nulls. The older `function_call` is one call. */
export function callsIn({ tool_calls: calls, function_call: older }: JsonObject): unknown {
  if (isJsonObject(calls)) return [calls];
  if (Array.isArray(calls)) return calls.filter((call) => call !== null);
  return calls ?? (isJsonObject(older) ? [{ function: older }] : []);
}

/** Images and audio count as content. */
export function hasMedia({ images, audio }: JsonObject): boolean {
  return elementsOf(images).length > 0 || isJsonObject(audio);
}

const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  'role',
  'content',
  'refusal',
  'reasoning',
  'reasoning_content',
  'tool_calls',
  'function_call',
]);

/** Whether a field says something. */
export function hasContent(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== null && value !== '';
}

/** The fields of a message or delta that freelm does not read, e.g. images or citations; undefined if there are none. */
export function extraFieldsOf(message: JsonObject): JsonObject | undefined {
  let fields: Record<string, unknown> | undefined;
  // A loop, because most deltas have none and it is asked for every one.
  for (const name of Object.keys(message)) {
    if (KNOWN_FIELDS.has(name) || !hasContent(message[name])) continue;
    fields ??= {};
    setMember(fields, name, message[name]);
  }
  return fields;
}

/** Whether a text ends with the first half of a character, whose other half the next piece has. */
export function endsInHalfCharacter(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff;
}

/** Whether a delta is missing or has nothing in it. */
export function isBare(delta: unknown): boolean {
  return delta === undefined || (isJsonObject(delta) && Object.keys(delta).length === 0);
}
