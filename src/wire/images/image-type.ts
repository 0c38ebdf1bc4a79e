/** The types of images that models read. */
export type ImageType = 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp';

/** The bytes by which a type is known, each with its place. */
type Signature = readonly (readonly [place: number, bytes: string])[];

const SIGNATURES: readonly (readonly [ImageType, Signature])[] = [
  ['image/png', [[0, '\u0089PNG\r\n\u001a\n']]],
  ['image/jpeg', [[0, '\u00ff\u00d8\u00ff']]],
  ['image/gif', [[0, 'GIF87a']]],
  ['image/gif', [[0, 'GIF89a']]],
  [
    'image/webp',
    [
      [0, 'RIFF'],
      [8, 'WEBP'],
    ],
  ],
];

function hasAt(bytes: Uint8Array, place: number, sign: string): boolean {
  for (let index = 0; index < sign.length; index += 1)
    if (bytes[place + index] !== sign.charCodeAt(index)) return false;
  return true;
}

/** The type of an image by its first bytes. Names and headers are not asked: they may be wrong. */
// spec 12.15
export function imageType(bytes: Uint8Array): ImageType | undefined {
  return SIGNATURES.find(([, signature]) =>
    signature.every(([place, sign]) => hasAt(bytes, place, sign)),
  )?.[0];
}
