/** Images for tests: the smallest files of each type, and a source of images that are fetched. */

import type { ImageSource } from '../../src/index.ts';

/** A PNG of one pixel. */
export const PNG: Uint8Array = new Uint8Array(
  Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  ),
);
export const PNG_URL = `data:image/png;base64,${Buffer.from(PNG).toString('base64')}`;

/** Bytes that begin as an image of a type does. */
export const BEGINNINGS: Readonly<Record<string, Uint8Array>> = {
  'image/png': PNG,
  'image/jpeg': new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1, 1]),
  'image/gif': new Uint8Array(Buffer.from('GIF89a\u0001\u0000\u0001\u0000\u0000\u0000\u0000;', 'latin1')),
  'image/webp': new Uint8Array(Buffer.from('RIFF\u0004\u0000\u0000\u0000WEBPVP8 ', 'latin1')),
};

export interface RecordedImages extends ImageSource {
  /** The URLs of each fetch. */
  readonly fetched: readonly (readonly string[])[];
}

/** A source that has a PNG at every URL, or fails with a message. */
export function recordedImages(problem?: string): RecordedImages {
  const fetched: (readonly string[])[] = [];
  return {
    fetched,
    fetch: (urls) => {
      fetched.push(urls);
      return problem === undefined
        ? Promise.resolve(urls.map(() => PNG))
        : Promise.reject(new Error(problem));
    },
    close: () => undefined,
  };
}
