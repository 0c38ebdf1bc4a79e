/**
 * A synchronous store of files that any number of processes share, without a lock and without a daemon.
 *
 *   <folder>/<hash of the id>/now.<version>.<token>   an empty file, the marker: its name says which value is the current one
 *                             <version>.<token>       a sealed value
 *
 * A swap writes the new value and renames the marker. The name of a marker is never used twice, so exactly one of the
 * processes that know it can rename it, even if one of them slept in between. A process that is killed leaves the old
 * marker or the new one, and at most a file that the next reader removes. spec 2.10
 */

import { randomUUID } from 'node:crypto';
import * as nodeFs from 'node:fs';
import { join } from 'node:path';
import { DAY_MS, HOUR_MS } from '../core/time.ts';
import type { Clock, StateStore, Versioned } from '../ports.ts';
import {
  claim,
  codeOf,
  DRAFT,
  FILE_MODE,
  type FileSystem,
  FOLDER_MODE,
  ifThere,
  makeFolder,
  openFolder,
  type StateFolder,
} from './state-folder.ts';
import { systemClock } from './system.ts';

/** A stored value of a record, as the names of its files tell it. */
interface Revision {
  readonly version: number;
  readonly token: string;
}

/** What this process last saw of a record. */
interface Known {
  readonly revision: Revision;
  readonly stored: Versioned;
}

export interface FileStoreOptions {
  /** Called once for each kind of damage that the store has repaired. */
  readonly onWarning?: ((message: string) => void) | undefined;
  readonly fs?: FileSystem | undefined;
  /** Tells how old files are. */
  readonly clock?: Pick<Clock, 'now'> | undefined;
}

/** How often a waiting call checks for changes, with one `stat` for each record. */
const POLL_MS = 250;
const NOTHING: Versioned = { version: 0, value: undefined };
const MARKER = 'now.';
const NAME = /^(?:now\.)?(\d{1,15})\.([\w-]+)$/;
/** Another process may replace a value between the listing and the reading. */
const MAX_READS = 100;
/** A record that was not stored for this long is removed: no window of a provider is longer than a month. */
const UNUSED_MS = 40 * DAY_MS;
/** A file that is unfinished for this long was left by a killed process. */
const LEFT_MS = HOUR_MS;

function revisionOf(name: string): Revision | undefined {
  const [, version, token] = NAME.exec(name) ?? [];
  return version === undefined || token === undefined ? undefined : { version: Number(version), token };
}

function markerName({ version, token }: Revision): string {
  return `${MARKER}${version}.${token}`;
}

function valueName({ version, token }: Revision): string {
  return `${version}.${token}`;
}

function nextRevision(version: number): Revision {
  return { version: version + 1, token: randomUUID() };
}

/** A store that answers at once. */
export interface SyncStore extends StateStore {
  read(ids: readonly string[]): readonly Versioned[];
  swap(id: string, expectedVersion: number, next: unknown): boolean;
}

class FileStore implements SyncStore {
  readonly pollMs: number = POLL_MS;
  readonly #rootOf: () => string;
  readonly #fs: FileSystem;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #onWarning: (message: string) => void;
  readonly #warned = new Set<string>();
  readonly #known = new Map<string, Known>();
  readonly #names = new Map<string, string>();
  #folder: StateFolder | undefined;
  #swept = false;

  constructor(
    rootOf: () => string,
    { fs = nodeFs, clock = systemClock, onWarning = () => {} }: FileStoreOptions,
  ) {
    this.#rootOf = rootOf;
    this.#fs = fs;
    this.#clock = clock;
    this.#onWarning = onWarning;
  }

  read(ids: readonly string[]): readonly Versioned[] {
    return this.#orForget(() => {
      const folder = this.#open();
      return ids.map((id) => this.#read(id, folder));
    });
  }

  swap(id: string, expectedVersion: number, next: unknown): boolean {
    return this.#orForget(() => this.#swap(id, expectedVersion, next));
  }

  /** After an error, forgets all known values. */
  #orForget<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      this.#use(undefined);
      this.#known.clear();
      throw error;
    }
  }

  #swap(id: string, expectedVersion: number, next: unknown): boolean {
    if (expectedVersion === 0) return this.#create(id, next);
    const folder = this.#open();
    if (folder === undefined) return false;
    const path = this.#pathOf(id, folder);
    const known = this.#known.get(id)?.revision;
    const current = known?.version === expectedVersion ? known : this.#currentIn(path);
    if (current?.version !== expectedVersion) return false;
    const revision = nextRevision(expectedVersion);
    if (!this.#writeValue(join(path, valueName(revision)), folder.seal.seal(next))) return false;
    const isOurs = this.#replaceMarker(path, current, revision);
    this.#remove(join(path, valueName(isOurs ? current : revision)));
    if (isOurs) this.#know(id, revision, next);
    return isOurs;
  }

  #read(id: string, folder: StateFolder | undefined): Versioned {
    const known = this.#known.get(id);
    if (folder === undefined) return this.#missing(known);
    const path = this.#pathOf(id, folder);
    // A marker's name is never used again, so the value is current while the marker exists.
    if (known !== undefined && this.#fs.existsSync(join(path, markerName(known.revision))))
      return known.stored;
    for (let reads = 0; reads < MAX_READS; reads += 1) {
      const revision = this.#currentIn(path);
      if (revision === undefined) return this.#missing(known);
      const file = ifThere(() => this.#fs.readFileSync(join(path, valueName(revision))));
      if (file === undefined && !this.#fs.existsSync(join(path, markerName(revision)))) continue;
      return this.#know(id, revision, this.#valueOf(file, folder, known));
    }
    throw new Error(`the state in ${path} changes too fast to be read`);
  }

  #know(id: string, revision: Revision, value: unknown): Versioned {
    const stored = { version: revision.version, value };
    this.#known.set(id, { revision, stored });
    return stored;
  }

  /** The value in a file. If it is damaged, the last value that this process saw, if any. */
  #valueOf(file: Buffer | undefined, { seal }: StateFolder, known: Known | undefined): unknown {
    try {
      if (file !== undefined) return seal.open(file);
    } catch {
      // Reported below.
    }
    this.#warn(
      `A file in ${this.#rootOf()} was damaged. freelm replaces it with what this process knew of it.`,
    );
    return known?.stored.value;
  }

  /** @throws Error once if a record that this process knew is gone. */
  #missing(known: Known | undefined): Versioned {
    if (known === undefined) return NOTHING;
    throw new Error(`files in ${this.#rootOf()} were removed`);
  }

  /** Stores a record that is not stored yet. */
  #create(id: string, next: unknown): boolean {
    const folder = makeFolder(this.#fs, this.#rootOf());
    this.#use(folder);
    this.#sweep(folder.path);
    const path = this.#pathOf(id, folder);
    const draft = join(folder.path, `${DRAFT}${randomUUID()}`);
    if (this.#fs.existsSync(path) && !this.#setAside(path, `${draft}-damaged`)) return false;
    const revision = nextRevision(0);
    try {
      this.#fs.mkdirSync(draft, { mode: FOLDER_MODE });
      this.#fs.writeFileSync(join(draft, valueName(revision)), folder.seal.seal(next), { mode: FILE_MODE });
      this.#fs.writeFileSync(join(draft, markerName(revision)), '', { mode: FILE_MODE });
    } catch (error) {
      this.#fs.rmSync(draft, { recursive: true, force: true });
      throw error;
    }
    if (!claim(this.#fs, draft, path)) return false;
    this.#know(id, revision, next);
    return true;
  }

  /** Moves a record's folder away if it has no marker. Returns whether the name is free then. */
  #setAside(path: string, aside: string): boolean {
    if (this.#currentIn(path) !== undefined) return false;
    if (ifThere(() => this.#fs.renameSync(path, aside) ?? true) === undefined) return true;
    if (this.#currentIn(aside) === undefined) return true;
    // Another process has just stored the record.
    claim(this.#fs, aside, path);
    return false;
  }

  #open(): StateFolder | undefined {
    if (this.#folder === undefined) this.#use(openFolder(this.#fs, this.#rootOf()));
    return this.#folder;
  }

  #use(folder: StateFolder | undefined): void {
    if (folder?.path !== this.#folder?.path) this.#names.clear();
    this.#folder = folder;
  }

  #pathOf(id: string, folder: StateFolder): string {
    let name = this.#names.get(id);
    if (name === undefined) {
      name = folder.seal.nameOf(id);
      this.#names.set(id, name);
    }
    return join(folder.path, name);
  }

  /** The current revision of a record. Older values, which killed processes have left, are removed. */
  #currentIn(path: string): Revision | undefined {
    const names = ifThere(() => this.#fs.readdirSync(path)) ?? [];
    const current = names
      .flatMap((name) => (name.startsWith(MARKER) ? (revisionOf(name) ?? []) : []))
      .reduce<Revision | undefined>(
        (newest, one) => (one.version > (newest?.version ?? 0) ? one : newest),
        undefined,
      );
    if (current === undefined) return undefined;
    for (const name of names) {
      const revision = revisionOf(name);
      if (revision !== undefined && revision.version <= current.version && revision.token !== current.token)
        this.#remove(join(path, name));
    }
    return current;
  }

  /** Returns whether it wrote the value. It does not if the record's folder is gone. */
  #writeValue(path: string, value: Buffer): boolean {
    try {
      this.#fs.writeFileSync(path, value, { mode: FILE_MODE, flag: 'wx' });
      return true;
    } catch (error) {
      this.#remove(path);
      if (codeOf(error) === 'ENOENT') return false;
      throw error;
    }
  }

  #replaceMarker(path: string, from: Revision, to: Revision): boolean {
    const next = join(path, markerName(to));
    try {
      this.#fs.renameSync(join(path, markerName(from)), next);
      return true;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false;
      this.#remove(join(path, valueName(to)));
      throw error;
    }
  }

  /** Removes unused records and the remains of killed processes, once per process. */
  #sweep(folder: string): void {
    if (this.#swept) return;
    this.#swept = true;
    const now = this.#clock.now();
    for (const name of this.#fs.readdirSync(folder)) {
      const path = join(folder, name);
      const { mtimeMs = now } = ifThere(() => this.#fs.statSync(path)) ?? {};
      if (now - mtimeMs <= (name.startsWith(DRAFT) ? LEFT_MS : UNUSED_MS)) continue;
      this.#fs.rmSync(path, { recursive: true, force: true });
    }
  }

  /** A later reader removes what cannot be removed now. */
  #remove(path: string): void {
    try {
      this.#fs.unlinkSync(path);
    } catch {
      // The file is gone, or the folder has become read-only. In the latter case, the next swap fails.
    }
  }

  #warn(message: string): void {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.#onWarning(message);
  }
}

/**
 * A store of files below `root`, which is created (mode 0700) with the first swap. Its answers are synchronous, and its
 * methods throw what the file system throws, e.g. `ENOSPC` if the disk is full. The files are sealed with a secret beside
 * them. They survive a killed process. After a power failure a record may be damaged, which makes it start anew.
 */
export function fileStore(root: string | (() => string), options: FileStoreOptions = {}): SyncStore {
  return new FileStore(typeof root === 'string' ? () => root : root, options);
}
