/** Images that a program passes itself: as bytes, as a file or by URL. */

import { dataUrlOf } from '../adapters/data-url.ts';
import { readImageFile } from '../adapters/image-file.ts';
import { elementsOf, member } from '../core/json.ts';
import { BadRequestError } from '../errors.ts';
import { IMAGE } from '../wire/images/fetch-step.ts';
import type { ChatMessage, ContentPart } from '../wire/request/chat-request.ts';

/** An image in a message. freelm sends it as a part of the type `image_url`. */
export interface ImagePart extends ContentPart {
  readonly type: 'image';
  /**
   * The bytes of a PNG, JPEG, GIF or WebP image of at most 10 MiB; or a text: the path of a file, or an `https:`, `data:` or
   * `file:` URL. freelm looks at the bytes to learn the type.
   */
  readonly image: Uint8Array | ArrayBuffer | Blob | URL | string;
  /** How closely the model looks, if it can choose. */
  readonly detail?: 'auto' | 'low' | 'high' | undefined;
}

/** What an image is read from. */
type Source = ImagePart['image'];

const KINDS = 'must be a Uint8Array, ArrayBuffer, Blob, URL, or a text: a path or a URL';

function isImage(part: unknown): boolean {
  return member(part, 'type') === 'image';
}

function isSource(value: unknown): value is Source {
  if (typeof value === 'string') return value !== '';
  return [Uint8Array, ArrayBuffer, Blob, URL].some((kind) => value instanceof kind);
}

/** The path of the first image that only a program may pass, e.g. `messages[0].content[1]`; undefined if none. */
export function imageIn(messages: readonly unknown[]): string | undefined {
  for (const [index, message] of messages.entries()) {
    const place = elementsOf(member(message, 'content')).findIndex(isImage);
    if (place !== -1) return `messages[${index}].content[${place}]`;
  }
  return undefined;
}

/** @throws BadRequestError that names the part. */
function tooLarge(where: string, bytes: number): BadRequestError {
  return new BadRequestError({
    message: `${where}: the image has ${bytes} bytes; the limit is ${IMAGE.bytes}. Make it smaller.`,
  });
}

/** The bytes of a data URL; undefined if it is not a data URL in Base64. */
function bytesIn(url: string): Uint8Array | undefined {
  const comma = url.indexOf(',');
  const isBase64 = /^data:[^,]*;base64$/i.test(url.slice(0, Math.max(0, comma)));
  return isBase64 ? Buffer.from(url.slice(comma + 1), 'base64') : undefined;
}

/** Reads a path or a `file:` or `data:` URL. Other URLs are returned unread. */
async function bytesOfText(text: string, where: string): Promise<Uint8Array | URL> {
  if (/^https?:/i.test(text) && URL.canParse(text)) return new URL(text);
  if (/^file:/i.test(text) && URL.canParse(text)) return readImageFile(new URL(text), where, IMAGE.bytes);
  if (!/^(?:data|https?|file):/i.test(text)) return readImageFile(text, where, IMAGE.bytes);
  const bytes = bytesIn(text);
  if (bytes !== undefined) return bytes;
  throw new BadRequestError({ message: `${where}.image: is not an https:, file: or Base64 data: URL.` });
}

async function bytesOf(source: Source, where: string): Promise<Uint8Array | URL> {
  if (typeof source === 'string') return bytesOfText(source, where);
  if (source instanceof URL) return bytesOfText(source.href, where);
  if (source instanceof Uint8Array) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (source.size > IMAGE.bytes) throw tooLarge(where, source.size);
  return new Uint8Array(await source.arrayBuffer());
}

/** The part that is sent in place of an image. */
async function sentPart(part: unknown, where: string): Promise<ContentPart> {
  const image = member(part, 'image');
  if (!isSource(image)) throw new BadRequestError({ message: `${where}.image: ${KINDS}.` });
  const bytes = await bytesOf(image, where);
  if (bytes instanceof Uint8Array && bytes.byteLength > IMAGE.bytes) throw tooLarge(where, bytes.byteLength);
  const url = bytes instanceof URL ? bytes.href : dataUrlOf(bytes);
  if (url === undefined)
    throw new BadRequestError({ message: `${where}.image: is not a PNG, JPEG, GIF or WebP image.` });
  const detail = member(part, 'detail');
  return { type: 'image_url', image_url: detail === undefined ? { url } : { url, detail } };
}

/**
 * The messages with all images as parts that providers accept. An image with an `https:` URL keeps it.
 * @throws BadRequestError that names the part: it is no image, is too large or cannot be read.
 */
// spec 12.15
async function withImages(messages: readonly ChatMessage[]): Promise<readonly ChatMessage[]> {
  return Promise.all(
    messages.map(async (message, index) => {
      const { content } = message;
      if (!Array.isArray(content) || !content.some(isImage)) return message;
      const parts: readonly ContentPart[] = content;
      const sent = parts.map(async (part, place) =>
        isImage(part) ? sentPart(part, `messages[${index}].content[${place}]`) : part,
      );
      return { ...message, content: await Promise.all(sent) };
    }),
  );
}

/**
 * Builds a value from messages once their images have been read. If there are no images, it builds the value at once,
 * so that a mistake is thrown at once. Otherwise it builds the value when it is requested.
 */
export function afterImages<T>(
  messages: readonly ChatMessage[],
  make: (messages: readonly ChatMessage[]) => T,
): () => T | Promise<T> {
  if (imageIn(messages) !== undefined) return async () => make(await withImages(messages));
  const made = make(messages);
  return () => made;
}
