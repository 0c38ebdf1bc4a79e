/** How many bytes the character has that begins with this byte. */
function lengthOf(byte: number): number {
  if (byte < 0xc0) return 1;
  if (byte < 0xe0) return 2;
  return byte < 0xf0 ? 3 : 4;
}

/** How many bytes at the end belong to a character that may go on. */
function unfinished(bytes: Uint8Array): number {
  for (let count = 1; count <= 3; count += 1) {
    const byte = bytes.at(-count);
    if (byte === undefined) return 0;
    const isFirst = (byte & 0xc0) !== 0x80;
    if (isFirst) return lengthOf(byte) > count ? count : 0;
  }
  return 0;
}

/**
 * Decodes a body that arrives in pieces. With `stream: true`, the decoder of Node takes several times as long, and its
 * texts have two bytes for each character, so that all that reads them is slower, too.
 */
export class Utf8Stream {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  /** The beginning of a character. */
  #held: Uint8Array = new Uint8Array();

  decode(piece: Uint8Array): string {
    const bytes = this.#withHeld(piece);
    const end = bytes.byteLength - unfinished(bytes);
    // A copy, because the buffer of a piece may be large.
    this.#held = new Uint8Array(bytes.subarray(end));
    return this.#decoder.decode(end === bytes.byteLength ? bytes : bytes.subarray(0, end));
  }

  /** What is held at the end of the body. */
  end(): string {
    return this.#decoder.decode(this.#held);
  }

  #withHeld(piece: Uint8Array): Uint8Array {
    const held = this.#held;
    if (held.byteLength === 0) return piece;
    const joined = new Uint8Array(held.byteLength + piece.byteLength);
    joined.set(held);
    joined.set(piece, held.byteLength);
    return joined;
  }
}
