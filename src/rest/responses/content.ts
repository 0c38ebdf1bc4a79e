/** The contents of messages and of tools' results. */

import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { ContentPart } from '../../wire/request/chat-request.ts';
import { badBody } from '../body.ts';

export type Content = string | readonly ContentPart[];

type TextPart = ContentPart & { readonly type: 'text'; readonly text: string };

const LONGEST_SHOWN = 60;

/** A name from outside in a message. */
export function shownName(value: unknown): string {
  return typeof value === 'string' ? `"${value.slice(0, LONGEST_SHOWN)}"` : typeof value;
}

function textPart(text: unknown, place: string): TextPart {
  if (typeof text !== 'string') throw badBody(`${place}: must be a text.`);
  return { type: 'text', text };
}

/** Only OpenAI's own service stores files, so freelm cannot resolve the id of one. */
function refuseFileId({ file_id: id }: JsonObject, place: string): void {
  if (typeof id === 'string')
    throw badBody(`${place}.file_id: there are no stored files here. Send the file itself, or its URL.`);
}

function imagePart(part: JsonObject, place: string): ContentPart {
  refuseFileId(part, place);
  const { image_url: url, detail } = part;
  if (typeof url !== 'string') throw badBody(`${place}.image_url: must be an https or data URL.`);
  // Chat Completions knows no "original", and "auto" is the default.
  const known = detail === 'original' ? 'high' : detail;
  return { type: 'image_url', image_url: { url, ...(typeof known === 'string' ? { detail: known } : {}) } };
}

function filePart(part: JsonObject, place: string): ContentPart {
  refuseFileId(part, place);
  const { file_data: data, file_url: url, filename } = part;
  const content = data ?? url;
  if (typeof content !== 'string') throw badBody(`${place}: must have file_data or file_url.`);
  return {
    type: 'file',
    file: { ...(typeof filename === 'string' ? { filename } : {}), file_data: content },
  };
}

const READERS: Readonly<Record<string, (part: JsonObject, place: string) => ContentPart>> = {
  input_text: ({ text }, place) => textPart(text, `${place}.text`),
  output_text: ({ text }, place) => textPart(text, `${place}.text`),
  text: ({ text }, place) => textPart(text, `${place}.text`),
  refusal: ({ refusal }, place) => textPart(refusal, `${place}.refusal`),
  input_image: imagePart,
  input_file: filePart,
  input_audio: ({ input_audio: audio }) => ({ type: 'input_audio', input_audio: audio }),
};

function partOf(part: unknown, place: string): ContentPart {
  if (!isJsonObject(part)) throw badBody(`${place}: must be an object.`);
  const { type } = part;
  const read = typeof type === 'string' && Object.hasOwn(READERS, type) ? READERS[type] : undefined;
  if (read === undefined)
    throw badBody(
      `${place}.type: ${shownName(type)} is not known here. Known are ${Object.keys(READERS).join(', ')}.`,
    );
  return read(part, place);
}

export function isTextPart(part: ContentPart): part is TextPart {
  return part.type === 'text';
}

/**
 * The content of a message, or the result of a tool. A list of one text is that text.
 * @throws HttpError naming the part.
 */
export function readContent(content: unknown, place: string): Content {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw badBody(`${place}: must be a text or a list of parts.`);
  const parts = content.map((part: unknown, index) => partOf(part, `${place}[${index}]`));
  const [only] = parts;
  return parts.length === 1 && only !== undefined && isTextPart(only) ? only.text : parts;
}
