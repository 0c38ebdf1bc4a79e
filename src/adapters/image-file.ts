import { type FileHandle, open } from 'node:fs/promises';
import { BadRequestError } from '../errors.ts';
import { codeOf } from './thrown.ts';

/**
 * Reads an image from a file.
 * @param path - A path, or a `file:` URL.
 * @throws BadRequestError if it is no regular file of at most `maxBytes`, or cannot be read. `where` names the part.
 */
export async function readImageFile(
  path: string | URL,
  where: string,
  maxBytes: number,
): Promise<Uint8Array> {
  const name = String(path);
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const stats = await file.stat();
    if (!stats.isFile()) throw new BadRequestError({ message: `${where}: ${name} is not a regular file.` });
    if (stats.size <= maxBytes) return await file.readFile();
    throw new BadRequestError({
      message: `${where}: the file ${name} has ${stats.size} bytes; the limit is ${maxBytes}. Make the image smaller.`,
    });
  } catch (error) {
    if (error instanceof BadRequestError) throw error;
    throw new BadRequestError({
      message: `${where}: the file ${name} cannot be read (${codeOf(error) ?? 'unknown'}). Check its path and permissions.`,
    });
  } finally {
    await file?.close();
  }
}
