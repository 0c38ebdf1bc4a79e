/** Reads the messages of Ollama's API as OpenAI's. */

import { elementsOf, isJsonObject, type JsonObject, jsonText } from '../../core/json.ts';
import { imageType } from '../../wire/images/image-type.ts';
import type { ChatMessage, ContentPart } from '../../wire/request/chat-request.ts';
import { PRIVATE_FIELDS } from '../../wire/request/request-shape.ts';
import { badBody } from '../body.ts';

/** So many characters of base64 reveal the type of an image. */
const HEAD_LENGTH = 24;

/** Media that Ollama's API may add later. */
const NOT_TAKEN = ['audio', 'audios', 'videos'] as const;

/** A call that has no result yet. */
interface OpenCall {
  readonly id: string;
  readonly name: string;
}

function textOf(value: unknown, at: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  throw badBody(`${at}: must be a text.`);
}

function imagePart(image: unknown, at: string): ContentPart {
  if (typeof image !== 'string') throw badBody(`${at}: must be an image as base64.`);
  if (image.startsWith('data:')) return { type: 'image_url', image_url: { url: image } };
  const type = imageType(Buffer.from(image.slice(0, HEAD_LENGTH), 'base64'));
  if (type === undefined) throw badBody(`${at}: must be a PNG, JPEG, GIF or WebP image as base64.`);
  return { type: 'image_url', image_url: { url: `data:${type};base64,${image}` } };
}

/** A text with images, or the text alone. */
export function contentOf(text: string, images: unknown, at: string): string | readonly ContentPart[] {
  if (images !== undefined && images !== null && !Array.isArray(images))
    throw badBody(`${at}: must be a list of images.`);
  const shown = elementsOf(images).map((image, index) => imagePart(image, `${at}[${index}]`));
  return shown.length === 0 ? text : [{ type: 'text', text }, ...shown];
}

function privateIn(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => PRIVATE_FIELDS.has(name)));
}

/**
 * Matches results with calls. Clients that name neither an id nor a tool send the results in the order of the calls.
 */
class Calls {
  readonly #open: OpenCall[] = [];

  /** Reads a call as OpenAI's. If the client dropped the id, the call gets `madeUp`. */
  read(call: unknown, at: string, madeUp: string): JsonObject {
    if (!isJsonObject(call) || !isJsonObject(call['function']))
      throw badBody(`${at}: must be a call { function: { name, arguments } }.`);
    const { id: given, function: called } = call;
    const { name, arguments: input = {} } = called;
    if (typeof name !== 'string' || name === '') throw badBody(`${at}.function.name: must be a text.`);
    if (!isJsonObject(input)) throw badBody(`${at}.function.arguments: must be an object.`);
    const id = typeof given === 'string' && given !== '' ? given : madeUp;
    this.#open.push({ id, name });
    return { ...privateIn(call), id, type: 'function', function: { name, arguments: jsonText(input) } };
  }

  /** The id of the call that a result belongs to. */
  idFor({ tool_call_id: id, tool_name: name }: JsonObject, at: string): string {
    const isMeant = (call: OpenCall): boolean => {
      if (typeof id === 'string' && id !== '') return call.id === id;
      return typeof name !== 'string' || name === '' || call.name === name;
    };
    const index = this.#open.findIndex(isMeant);
    const [call] = index === -1 ? [] : this.#open.splice(index, 1);
    if (call !== undefined) return call.id;
    throw badBody(`${at}: no call of a tool comes before this result. Send the assistant's message with it.`);
  }
}

function assistantMessage(message: JsonObject, content: string, calls: readonly JsonObject[]): ChatMessage {
  const { thinking } = message;
  return {
    ...privateIn(message),
    role: 'assistant',
    content: content === '' && calls.length > 0 ? null : content,
    ...(typeof thinking === 'string' && thinking !== '' ? { reasoning_content: thinking } : {}),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

function messageOf(message: unknown, index: number, calls: Calls): ChatMessage {
  const at = `messages[${index}]`;
  if (!isJsonObject(message)) throw badBody(`${at}: must be a message { role, content }.`);
  for (const name of NOT_TAKEN) {
    if (message[name] !== undefined && message[name] !== null)
      throw badBody(
        `${at}.${name}: is not taken here. Send it to …/v1/chat/completions as input_audio or video_url.`,
      );
  }
  const text = textOf(message['content'], `${at}.content`);
  const role = typeof message['role'] === 'string' ? message['role'].toLowerCase() : '';
  switch (role) {
    case 'system':
      return { role, content: text };
    case 'user':
      return { role, content: contentOf(text, message['images'], `${at}.images`) };
    case 'assistant': {
      const called = elementsOf(message['tool_calls']).map((call, place) =>
        calls.read(call, `${at}.tool_calls[${place}]`, `call_${index}_${place}`),
      );
      return assistantMessage(message, text, called);
    }
    case 'tool':
      return { role, tool_call_id: calls.idFor(message, at), content: text };
    default:
      throw badBody(`${at}.role: must be system, user, assistant or tool.`);
  }
}

/** @throws HttpError that names what cannot be read. */
export function readConversation(messages: readonly unknown[]): readonly ChatMessage[] {
  const calls = new Calls();
  return messages.map((message, index) => messageOf(message, index, calls));
}
