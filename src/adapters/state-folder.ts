/**
 * The folder of a file store: `<root>/<generation>/secret`, and beside it a folder with the records, whose name follows
 * from the secret. The newest generation is used. If its secret is damaged or its records are removed, a new one
 * begins.
 */

import { randomBytes, randomUUID } from 'node:crypto';
import type * as nodeFs from 'node:fs';
import { join } from 'node:path';
import { SECRET_BYTES, Seal } from './state-seal.ts';

/** The part of `node:fs` that a file store uses. */
export interface FileSystem extends SyncFunctions {
  statfsSync(path: string): { readonly type: number };
}

type SyncFunctions = Pick<
  typeof nodeFs,
  | 'chmodSync'
  | 'existsSync'
  | 'mkdirSync'
  | 'readdirSync'
  | 'readFileSync'
  | 'renameSync'
  | 'rmSync'
  | 'statSync'
  | 'unlinkSync'
  | 'writeFileSync'
>;

/** An open folder of records. */
export interface StateFolder {
  readonly path: string;
  readonly seal: Seal;
}

export const FOLDER_MODE = 0o700;
export const FILE_MODE = 0o600;
/** The prefix of names of unfinished folders and files, until they are renamed. */
export const DRAFT = 'draft-';

/** The `f_type` of Linux's network file systems: NFS, SMB, CIFS, SMB 2, AFS, NCP, Coda, Ceph. */
const NETWORK_TYPES = new Set([
  0x69_69, 0x51_7b, 0xff_53_4d_42, 0xfe_53_4d_42, 0x53_46_41_4f, 0x56_4c, 0x73_75_72_45, 0x00_c3_64_00,
]);

/** The code of a system error, e.g. `ENOENT`. */
export function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined;
}

/** Runs `action`; undefined if a file or folder on its path does not exist. */
export function ifThere<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Renames a folder to a name that only one of many processes can get. Returns whether this process got it: a folder
 * that is not empty cannot be replaced. This needs neither a lock nor a hard link, and works on every file system.
 */
export function claim(fs: FileSystem, draft: string, path: string): boolean {
  try {
    fs.renameSync(draft, path);
    return true;
  } catch (error) {
    const isTaken = fs.existsSync(path);
    fs.rmSync(draft, { recursive: true, force: true });
    if (isTaken) return false;
    throw error;
  }
}

/** On a network file system, other machines see changes late, and a server that is gone would block this process. */
function refuseNetwork(fs: FileSystem, root: string): void {
  if (root.startsWith(String.raw`\\`) || NETWORK_TYPES.has(fs.statfsSync(root).type >>> 0))
    throw new Error(`${root} is on a network file system`);
}

/** The name of the folder with the records proves the secret. */
function folderOf(generation: string, secret: Buffer): StateFolder {
  const seal = new Seal(secret);
  return { path: join(generation, seal.nameOf('records')), seal };
}

function newestGeneration(fs: FileSystem, root: string): number {
  const names = ifThere(() => fs.readdirSync(root)) ?? [];
  return Math.max(0, ...names.filter((name) => /^\d{1,9}$/.test(name)).map(Number));
}

/** Opens the newest generation; undefined if there is none whose secret is whole. */
export function openFolder(fs: FileSystem, root: string): StateFolder | undefined {
  const generation = newestGeneration(fs, root);
  if (generation === 0) return undefined;
  refuseNetwork(fs, root);
  const path = join(root, String(generation));
  const secret = ifThere(() => fs.readFileSync(join(path, 'secret')));
  if (secret?.length !== SECRET_BYTES) return undefined;
  const folder = folderOf(path, secret);
  return fs.existsSync(folder.path) ? folder : undefined;
}

/** Begins the generation after `last`, the newest one when it could not be opened, unless another process did. */
function beginGeneration(fs: FileSystem, root: string, last: number): void {
  const secret = randomBytes(SECRET_BYTES);
  const draft = join(root, `${DRAFT}${randomUUID()}`);
  fs.mkdirSync(folderOf(draft, secret).path, { recursive: true, mode: FOLDER_MODE });
  try {
    fs.writeFileSync(join(draft, 'secret'), secret, { mode: FILE_MODE });
  } catch (error) {
    fs.rmSync(draft, { recursive: true, force: true });
    throw error;
  }
  const isOurs = claim(fs, draft, join(root, String(last + 1)));
  // Processes that hold the damaged secret in memory notice that their folder is gone, and open the new one.
  if (isOurs && last > 0) fs.rmSync(join(root, String(last)), { recursive: true, force: true });
}

/** Several processes may begin generations at once; each attempt makes one. */
const ATTEMPTS = 5;

/** Opens the folder, and makes what is missing. */
export function makeFolder(fs: FileSystem, root: string): StateFolder {
  fs.mkdirSync(root, { recursive: true, mode: FOLDER_MODE });
  refuseNetwork(fs, root);
  if (process.platform !== 'win32' && (fs.statSync(root).mode & 0o077) !== 0) fs.chmodSync(root, FOLDER_MODE);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    // Before the look: a generation that another process begins after it must not be replaced.
    const last = newestGeneration(fs, root);
    const folder = openFolder(fs, root);
    if (folder !== undefined) return folder;
    beginGeneration(fs, root, last);
  }
  throw new Error(`no secret can be kept in ${root}`);
}
