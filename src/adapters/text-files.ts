import { createHash, randomUUID } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { TextArchive } from '../ports.ts';
import { FILE_MODE, FOLDER_MODE } from './state-folder.ts';

/** The limits of a folder of texts. The texts that expire first make room. */
const MAX_FILES = 500;
const MAX_BYTES = 64 * 1024 * 1024;
/** A longer text is not kept, and no longer file is read. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** A file as its name describes it. Listing the folder is therefore enough to find files and to count them. */
interface TextFile {
  readonly name: string;
  readonly expiresAt: number;
  readonly bytes: number;
  readonly hash: string;
  /** Whether it is still being written, or was left by a process that was killed. */
  readonly isDraft: boolean;
}

const NAME = /^([0-9a-z]{1,9})-([0-9a-z]{1,6})-([0-9a-f]{32})(\.[0-9a-f-]{36})?\.txt$/;
const RADIX = 36;

function fileIn(name: string): TextFile | undefined {
  const [, expiresAt = '', bytes = '', hash = '', draft] = NAME.exec(name) ?? [];
  if (hash === '') return undefined;
  return {
    name,
    hash,
    expiresAt: Number.parseInt(expiresAt, RADIX),
    bytes: Number.parseInt(bytes, RADIX),
    isDraft: draft !== undefined,
  };
}

/** An id may come from outside, so it must not become part of a path. */
function hashOf(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 32);
}

class TextFiles implements TextArchive {
  readonly #folder: () => string;
  readonly #now: () => number;

  constructor(folder: () => string, now: () => number) {
    this.#folder = folder;
    this.#now = now;
  }

  write(id: string, text: string, expiresAt: number): boolean {
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_FILE_BYTES) return false;
    try {
      this.#makeRoom(bytes);
      this.#put(`${expiresAt.toString(RADIX)}-${bytes.toString(RADIX)}-${hashOf(id)}`, text);
      return true;
    } catch {
      return false;
    }
  }

  read(id: string): string | undefined {
    try {
      const file = this.#find(id);
      if (file === undefined) return undefined;
      const path = join(this.#folder(), file.name);
      // If a file was cut, or another program wrote it, its size differs from the one in its name.
      if (file.bytes > MAX_FILE_BYTES || statSync(path).size !== file.bytes) return undefined;
      return readFileSync(path, 'utf8');
    } catch {
      return undefined;
    }
  }

  has(id: string): boolean {
    return this.#find(id) !== undefined;
  }

  remove(id: string): boolean {
    const file = this.#find(id);
    if (file !== undefined) this.#remove(file);
    return file !== undefined;
  }

  /** Writes to a draft and renames it, so that a reader sees all of the text or nothing. */
  #put(name: string, text: string): void {
    const folder = this.#folder();
    const draft = join(folder, `${name}.${randomUUID()}.txt`);
    try {
      writeFileSync(draft, text, { mode: FILE_MODE, flag: 'wx' });
      renameSync(draft, join(folder, `${name}.txt`));
    } catch (error) {
      rmSync(draft, { force: true });
      throw error;
    }
  }

  /** Creates the folder, and removes expired and excess files to make room for `bytes` more. */
  #makeRoom(bytes: number): void {
    const folder = this.#folder();
    mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
    if (process.platform !== 'win32' && (statSync(folder).mode & 0o077) !== 0) chmodSync(folder, FOLDER_MODE);
    const files = this.#files().toSorted((a, b) => a.expiresAt - b.expiresAt);
    let count = files.length + 1;
    let total = files.reduce((sum, file) => sum + file.bytes, bytes);
    const now = this.#now();
    for (const file of files) {
      if (file.expiresAt > now && count <= MAX_FILES && total <= MAX_BYTES) break;
      this.#remove(file);
      count -= 1;
      total -= file.bytes;
    }
  }

  #files(): readonly TextFile[] {
    try {
      return readdirSync(this.#folder()).flatMap((name) => fileIn(name) ?? []);
    } catch {
      return [];
    }
  }

  #find(id: string): TextFile | undefined {
    const hash = hashOf(id);
    const now = this.#now();
    return this.#files().find((file) => file.hash === hash && !file.isDraft && file.expiresAt > now);
  }

  #remove({ name }: TextFile): void {
    try {
      rmSync(join(this.#folder(), name), { force: true });
    } catch {
      // The next writer removes it.
    }
  }
}

/**
 * Keeps texts in files (mode 0600) of a folder, which is created (mode 0700) with the first of them. It is synchronous,
 * so that all processes can read a text before a client gets its id.
 * @param now - Epoch ms.
 */
export function textFiles(folder: () => string, now: () => number): TextArchive {
  return new TextFiles(folder, now);
}
