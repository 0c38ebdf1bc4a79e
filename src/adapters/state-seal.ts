/** Names and seals stored records, so that a file without the secret neither reveals nor confirms a key. */

import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

/** The format of a sealed file: this mark, a nonce, a tag, and the encrypted JSON. */
const MARK = Buffer.from('FLM1');
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = MARK.length + NONCE_BYTES + TAG_BYTES;
const CIPHER = 'aes-256-gcm';
export const SECRET_BYTES = 32;

/** A record contains hashes of keys. A guessed key cannot be confirmed by its hash without the secret. */
export class Seal {
  readonly #secret: Buffer;

  /** @param secret - {@link SECRET_BYTES} random bytes. */
  constructor(secret: Buffer) {
    this.#secret = secret;
  }

  /** A name for a text, the same in every process that has the secret. */
  nameOf(text: string): string {
    return createHmac('sha256', this.#secret).update(text).digest('hex').slice(0, 32);
  }

  seal(value: unknown): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#secret, nonce);
    const body = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()]);
    return Buffer.concat([MARK, nonce, cipher.getAuthTag(), body]);
  }

  /** @throws if the file is cut, damaged, of another format, or sealed with another secret. */
  open(file: Buffer): unknown {
    if (file.length < HEAD_BYTES || !file.subarray(0, MARK.length).equals(MARK))
      throw new Error('the file has another format');
    const tagAt = MARK.length + NONCE_BYTES;
    const decipher = createDecipheriv(CIPHER, this.#secret, file.subarray(MARK.length, tagAt));
    decipher.setAuthTag(file.subarray(tagAt, HEAD_BYTES));
    const text = Buffer.concat([decipher.update(file.subarray(HEAD_BYTES)), decipher.final()]);
    const value: unknown = JSON.parse(text.toString('utf8'));
    return value;
  }
}
