import { imageType } from '../wire/images/image-type.ts';

/** An image as a data URL; undefined if models cannot read its format. */
export function dataUrlOf(image: Uint8Array): string | undefined {
  const type = imageType(image);
  if (type === undefined) return undefined;
  const { buffer, byteOffset, byteLength } = image;
  return `data:${type};base64,${Buffer.from(buffer, byteOffset, byteLength).toString('base64')}`;
}
