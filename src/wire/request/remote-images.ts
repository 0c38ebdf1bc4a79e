/** Images that a request names by URL, and what was read there for providers that fetch none. */

import { elementsOf, isJsonObject, member } from '../../core/json.ts';
import type { ChatMessage, ContentPart } from './chat-request.ts';
import { mapSame } from './copy-on-change.ts';

/** The URL of an image that the provider would have to fetch. */
function remoteUrlOf(part: unknown): string | undefined {
  if (member(part, 'type') !== 'image_url') return undefined;
  const image = member(part, 'image_url');
  const url = typeof image === 'string' ? image : member(image, 'url');
  return typeof url === 'string' && /^\s*https?:/i.test(url) ? url : undefined;
}

function withUrl(part: ContentPart, url: string): ContentPart {
  const image = part['image_url'];
  return { ...part, image_url: isJsonObject(image) ? { ...image, url } : url };
}

/** The images of one request, in all of its forms. They are read at most once. */
export class RemoteImages {
  /** Each URL once, in order. */
  readonly urls: readonly string[];
  #dataUrls: ReadonlyMap<string, string> | undefined;
  #problem: string | undefined;

  constructor(messages: readonly ChatMessage[]) {
    const found: string[] = [];
    for (const { content } of messages) {
      for (const part of elementsOf(content)) {
        const url = remoteUrlOf(part);
        if (url !== undefined) found.push(url);
      }
    }
    this.urls = found.length > 1 ? [...new Set(found)] : found;
  }

  /** Why they cannot be read. */
  get problem(): string | undefined {
    return this.#problem;
  }

  get areRead(): boolean {
    return this.#dataUrls !== undefined;
  }

  /** Takes the images as data URLs, in the order of `urls`. */
  put(dataUrls: readonly (string | undefined)[]): void {
    const read = new Map<string, string>();
    for (const [index, url] of this.urls.entries()) {
      const dataUrl = dataUrls[index];
      if (dataUrl === undefined) return this.fail('an image by URL is no PNG, JPEG, GIF or WebP image');
      read.set(url, dataUrl);
    }
    this.#dataUrls = read;
  }

  fail(problem: string): void {
    this.#problem = problem;
  }

  /** The messages with the images themselves in place of their URLs, as far as they were read. */
  inlined(messages: readonly ChatMessage[]): readonly ChatMessage[] {
    const dataUrls = this.#dataUrls;
    if (dataUrls === undefined) return messages;
    return mapSame(messages, (message) => {
      const { content } = message;
      if (!Array.isArray(content)) return message;
      const parts: readonly ContentPart[] = content;
      const changed = mapSame(parts, (part) => {
        const url = dataUrls.get(remoteUrlOf(part) ?? '');
        return url === undefined ? part : withUrl(part, url);
      });
      return changed === parts ? message : { ...message, content: changed };
    });
  }
}
