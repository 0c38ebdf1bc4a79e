/** Reads content blocks of the Messages API as parts of OpenAI's messages. */

import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { ContentPart } from '../../wire/request/chat-request.ts';
import { badBody } from '../body.ts';

/** A block, and the path at which it stands in the body. */
export interface PlacedBlock {
  readonly block: JsonObject;
  readonly at: string;
}

/** The blocks of a content. A text stands for one text block. */
export function blocksOf(content: unknown, at: string): readonly PlacedBlock[] {
  if (typeof content === 'string') return [{ block: { type: 'text', text: content }, at }];
  if (!Array.isArray(content)) throw badBody(`${at}: must be a text or a list of content blocks.`);
  return content.map((block: unknown, index) => {
    const place = `${at}[${index}]`;
    if (isJsonObject(block)) return { block, at: place };
    throw badBody(`${place}: must be a content block.`);
  });
}

/** A text member. */
export function textOf({ block, at }: PlacedBlock, name: string): string {
  const value = block[name];
  if (typeof value === 'string') return value;
  throw badBody(`${at}.${name}: must be a text.`);
}

function optionalText(placed: PlacedBlock, name: string): string | undefined {
  return placed.block[name] === undefined || placed.block[name] === null ? undefined : textOf(placed, name);
}

function textPart(...lines: readonly (string | undefined)[]): ContentPart {
  return { type: 'text', text: lines.filter((line) => line !== undefined).join('\n\n') };
}

function unknown(what: string, { at }: PlacedBlock, type: unknown): Error {
  const shown = typeof type === 'string' ? type.slice(0, 100) : typeof type;
  return badBody(`${at}.type: no model here takes ${what} "${shown}". Leave it out.`);
}

function sourceOf({ block, at }: PlacedBlock): PlacedBlock {
  const { source } = block;
  if (isJsonObject(source)) return { block: source, at: `${at}.source` };
  throw badBody(`${at}.source: must be an object.`);
}

/** The URL of a source: that of its data, or its own. */
function urlOf(source: PlacedBlock): string {
  const { type } = source.block;
  if (type === 'url') return textOf(source, 'url');
  if (type === 'base64') return `data:${textOf(source, 'media_type')};base64,${textOf(source, 'data')}`;
  throw unknown('a source of the type', source, type);
}

function image(placed: PlacedBlock): readonly ContentPart[] {
  return [{ type: 'image_url', image_url: { url: urlOf(sourceOf(placed)) } }];
}

/** A text stays a text; anything else is a file. */
function document(placed: PlacedBlock): readonly ContentPart[] {
  const source = sourceOf(placed);
  const title = optionalText(placed, 'title');
  const context = optionalText(placed, 'context');
  const about = title === undefined && context === undefined ? [] : [textPart(title, context)];
  if (source.block['type'] === 'text') return [textPart(title, context, textOf(source, 'data'))];
  if (source.block['type'] === 'content')
    return [...about, ...blocksOf(source.block['content'], `${source.at}.content`).flatMap(partsOf)];
  return [
    ...(context === undefined ? [] : [textPart(context)]),
    { type: 'file', file: { filename: title ?? 'document.pdf', file_data: urlOf(source) } },
  ];
}

function searchResult(placed: PlacedBlock): readonly ContentPart[] {
  const texts = blocksOf(placed.block['content'], `${placed.at}.content`).map((one) => textOf(one, 'text'));
  return [textPart(textOf(placed, 'title'), textOf(placed, 'source'), ...texts)];
}

/** By type: what a block of the user, or of a tool's result, becomes. */
const READERS: ReadonlyMap<unknown, (placed: PlacedBlock) => readonly ContentPart[]> = new Map([
  ['text', (placed: PlacedBlock) => [{ type: 'text', text: textOf(placed, 'text') }]],
  ['image', image],
  ['document', document],
  ['search_result', searchResult],
  ['tool_reference', (placed: PlacedBlock) => [textPart(textOf(placed, 'tool_name'))]],
]);

/** The parts for a block. @throws HttpError that names a type which no model takes. */
export function partsOf(placed: PlacedBlock): readonly ContentPart[] {
  const { type } = placed.block;
  const read = READERS.get(type);
  if (read === undefined) throw unknown('a content block of the type', placed, type);
  return read(placed);
}

/** Most servers like a single text best as a string. */
export function contentOf(parts: readonly ContentPart[]): string | readonly ContentPart[] {
  const [only] = parts;
  if (only === undefined) return '';
  return parts.length === 1 && typeof only['text'] === 'string' ? only['text'] : parts;
}
