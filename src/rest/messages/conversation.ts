/** Reads the messages of the Messages API as OpenAI's. */

import { isJsonObject, type JsonObject, jsonText } from '../../core/json.ts';
import type { ChatMessage, ContentPart } from '../../wire/request/chat-request.ts';
import { badBody } from '../body.ts';
import { blocksOf, contentOf, partsOf, type PlacedBlock, textOf } from './blocks.ts';
import { NOTHING, unseal } from '../seal.ts';

/** Stands before the text of a tool that failed. */
const FAILED = 'Error: ';
/** Stands for a result whose images and files follow in the next message, because a result is a text. */
const SHOWN_NEXT = 'The next message shows the result.';

interface ToolResult {
  readonly message: ChatMessage;
  /** What is no text, for the user's message behind it. */
  readonly media: readonly ContentPart[];
}

function toolResult(placed: PlacedBlock): ToolResult {
  const { content = '', is_error: isError } = placed.block;
  const parts = blocksOf(content ?? '', `${placed.at}.content`).flatMap(partsOf);
  const texts = parts.flatMap(({ text }) => (typeof text === 'string' ? [text] : []));
  const media = parts.filter(({ text }) => typeof text !== 'string');
  const text = texts.length === 0 && media.length > 0 ? SHOWN_NEXT : texts.join('\n');
  const toolCallId = textOf(placed, 'tool_use_id');
  return {
    message: { role: 'tool', tool_call_id: toolCallId, content: isError === true ? FAILED + text : text },
    media,
  };
}

/** Results come directly after their calls, so they stand before all else that the user says. */
function userMessages(blocks: readonly PlacedBlock[]): readonly ChatMessage[] {
  const results = blocks.flatMap((placed) =>
    placed.block['type'] === 'tool_result' ? [toolResult(placed)] : [],
  );
  const parts = [
    ...results.flatMap(({ media }) => media),
    ...blocks.flatMap((placed) => (placed.block['type'] === 'tool_result' ? [] : partsOf(placed))),
  ];
  const said: readonly ChatMessage[] =
    parts.length === 0 && results.length > 0 ? [] : [{ role: 'user', content: contentOf(parts) }];
  return [...results.map(({ message }) => message), ...said];
}

function toolCall(placed: PlacedBlock, extra: JsonObject | undefined): JsonObject {
  const { input = {} } = placed.block;
  return {
    ...extra,
    id: textOf(placed, 'id'),
    type: 'function',
    function: { name: textOf(placed, 'name'), arguments: jsonText(input) },
  };
}

/** The last sealed text has all that was given. */
function privateFieldsIn(blocks: readonly PlacedBlock[]): typeof NOTHING {
  const sealed = blocks.flatMap(({ block: { type, signature, data } }) => {
    if (type === 'thinking') return unseal(signature) ?? [];
    return type === 'redacted_thinking' ? (unseal(data) ?? []) : [];
  });
  return sealed.at(-1) ?? NOTHING;
}

function assistantMessage(blocks: readonly PlacedBlock[]): ChatMessage {
  const own = privateFieldsIn(blocks);
  const parts: ContentPart[] = [];
  const calls: JsonObject[] = [];
  let thoughts = '';
  for (const placed of blocks) {
    const { type, id } = placed.block;
    if (type === 'thinking') thoughts += textOf(placed, 'thinking');
    else if (type === 'tool_use') calls.push(toolCall(placed, own.calls[String(id)]));
    else if (type !== 'redacted_thinking') parts.push(...partsOf(placed));
  }
  return {
    ...own.message,
    role: 'assistant',
    content: parts.length === 0 && calls.length > 0 ? null : contentOf(parts),
    ...(thoughts === '' ? {} : { reasoning_content: thoughts }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

function messagesOf(message: unknown, at: string): readonly ChatMessage[] {
  if (!isJsonObject(message)) throw badBody(`${at}: must be a message { role, content }.`);
  const blocks = blocksOf(message['content'], `${at}.content`);
  switch (message['role']) {
    case 'user':
      return userMessages(blocks);
    case 'assistant':
      return [assistantMessage(blocks)];
    case 'system':
      return [{ role: 'system', content: contentOf(blocks.flatMap(partsOf)) }];
    default:
      throw badBody(`${at}.role: must be user, assistant or system.`);
  }
}

/** The system prompt and the messages. @throws HttpError that names what cannot be read. */
export function readConversation(system: unknown, messages: readonly unknown[]): readonly ChatMessage[] {
  const instructions = system === undefined ? [] : blocksOf(system, 'system').flatMap(partsOf);
  const first: readonly ChatMessage[] =
    instructions.length === 0 ? [] : [{ role: 'system', content: contentOf(instructions) }];
  return [...first, ...messages.flatMap((message, index) => messagesOf(message, `messages[${index}]`))];
}
