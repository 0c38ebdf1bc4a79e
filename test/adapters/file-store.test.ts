import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import * as nodeFs from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type FileStoreOptions, fileStore, type SyncStore } from '../../src/adapters/file-store.ts';
import type { FileSystem } from '../../src/adapters/state-folder.ts';
import type { Versioned } from '../../src/ports.ts';
import { stateStoreContract } from '../contracts/state-store.ts';

function newRoot(): string {
  const folder = mkdtempSync(join(tmpdir(), 'freelm-files-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return join(folder, 'state');
}

/** All files below a folder. */
function filesIn(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The files of current and former values. */
function valuesIn(root: string): readonly string[] {
  return filesIn(root).filter((file) => /^\d+\./.test(basename(file)));
}

function one(root: string): string {
  const [value, ...others] = valuesIn(root);
  if (value === undefined || others.length > 0) throw new Error(`${others.length + 1} values`);
  return value;
}

function secretOf(root: string): string {
  return filesIn(root).find((file) => basename(file) === 'secret') ?? 'none';
}

/** A store as another process has it: it shares nothing but the folder. */
function another(
  root: string,
  options: FileStoreOptions = {},
): { store: SyncStore; get: (id: string) => Versioned | undefined; warnings: string[] } {
  const warnings: string[] = [];
  const store = fileStore(root, { onWarning: (message) => warnings.push(message), ...options });
  return { store, get: (id) => store.read([id])[0], warnings };
}

function addOne({ store, get }: ReturnType<typeof another>): void {
  for (;;) {
    const { version, value } = get('sum') ?? { version: 0, value: undefined };
    if (store.swap('sum', version, (typeof value === 'number' ? value : 0) + 1)) return;
  }
}

describe('the contract', () => {
  stateStoreContract(() => fileStore(newRoot()));
});

describe('processes that share a folder', () => {
  it('see what another one stores, at once', () => {
    const root = newRoot();
    const [a, b] = [another(root), another(root)];
    for (let version = 0; version < 5; version += 1) {
      const [from, to] = version % 2 === 0 ? [a, b] : [b, a];
      expect(from.store.swap('id', version, { version })).toBe(true);
      expect(to.get('id')).toEqual({ version: version + 1, value: { version } });
    }
    expect(valuesIn(root)).toHaveLength(1);
  });

  it('do not swap what they read before another one swapped, however often it did', () => {
    const root = newRoot();
    const [awake, asleep] = [another(root), another(root)];
    awake.store.swap('id', 0, 'first');
    expect(asleep.get('id')?.version).toBe(1);
    for (let version = 1; version < 9; version += 1) awake.store.swap('id', version, version);
    for (let version = 0; version < 9; version += 1)
      expect(asleep.store.swap('id', version, 'stale')).toBe(false);
    expect(awake.get('id')).toEqual({ version: 9, value: 8 });
    expect(valuesIn(root)).toHaveLength(1);
  });

  it('create the folder and a record at the same time, and one of them wins', () => {
    const root = newRoot();
    // Each creates its part of the folder while the one before is in the middle of it.
    const racers = Array.from({ length: 5 }, () => another(root));
    const won: boolean[] = [];
    const race = (turn: number): void => {
      const racer = racers[turn];
      if (racer === undefined) return;
      let isFirst = true;
      const renameSync: FileSystem['renameSync'] = (from, to) => {
        if (isFirst) race(turn + 1);
        isFirst = false;
        nodeFs.renameSync(from, to);
      };
      won.push(fileStore(root, { fs: { ...nodeFs, renameSync } }).swap('id', 0, turn));
    };
    race(0);
    expect(won.filter(Boolean)).toHaveLength(1);
    const values = racers.map(({ get }) => get('id'));
    expect(new Set(values.map((value) => JSON.stringify(value))).size).toBe(1);
    expect(values[0]?.version).toBe(1);
    expect(readdirSync(root)).toEqual(['1']);
  });

  it('lose no update, whichever instants they interrupt each other at', () => {
    const root = newRoot();
    const other = another(root);
    let calls = 0;
    let adds = 0;
    let isNested = false;
    // Before each thirteenth operation on files, the other process adds one: in the end, before each kind of operation.
    const interrupted = new Proxy<FileSystem>(
      { ...nodeFs },
      {
        get(target, name) {
          calls += 1;
          if (calls % 13 === 0 && !isNested) {
            isNested = true;
            addOne(other);
            adds += 1;
            isNested = false;
          }
          const member: unknown = Reflect.get(target, name);
          return member;
        },
      },
    );
    const mine = another(root, { fs: interrupted });
    for (let turn = 0; turn < 60; turn += 1) addOne(mine);
    expect(adds).toBeGreaterThan(20);
    expect(other.get('sum')?.value).toBe(60 + adds);
  });
});

describe('the folder', () => {
  it('is not created by reading', () => {
    const root = newRoot();
    expect(another(root).get('id')).toEqual({ version: 0, value: undefined });
    expect(readdirSync(dirname(root))).toEqual([]);
  });

  it.skipIf(process.platform === 'win32')('and its files are only for the user', () => {
    const root = newRoot();
    mkdirSync(root);
    chmodSync(root, 0o755);
    another(root).store.swap('id', 0, {});
    for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
      const { mode } = statSync(join(entry.parentPath, entry.name));
      expect([entry.name, mode & 0o777]).toEqual([entry.name, entry.isDirectory() ? 0o700 : 0o600]);
    }
    expect(statSync(root).mode & 0o777).toBe(0o700);
  });

  it('tells no id and no value without the secret', () => {
    const root = newRoot();
    another(root).store.swap('account:openrouter:abc', 0, { keys: { '3f0c9a3f0c9a3f0c': {} } });
    const all = filesIn(root)
      .map((file) => file + readFileSync(file, 'latin1'))
      .join('\n');
    expect(all).not.toMatch(/account|openrouter|keys|3f0c9a/);
  });

  it('loses what killed processes left, and records that were not stored for 40 days', () => {
    const root = newRoot();
    const { store } = another(root);
    const DAY_S = 24 * 60 * 60;
    const nowS = Date.now() / 1000;
    for (const id of ['unused', 'used', 'cut']) store.swap(id, 0, id);
    const [unused = '', used = '', cut = ''] = valuesIn(root)
      .toSorted((a, b) => statSync(a).ino - statSync(b).ino)
      .map((file) => dirname(file));
    // A process was killed before it renamed the marker, and another one before it removed the former value.
    writeFileSync(join(cut, '2.killed-before'), 'half a val');
    utimesSync(unused, nowS - 41 * DAY_S, nowS - 41 * DAY_S);
    utimesSync(used, nowS - 39 * DAY_S, nowS - 39 * DAY_S);
    const draft = join(dirname(used), 'draft-of-a-killed-process');
    mkdirSync(draft);
    utimesSync(draft, nowS - DAY_S, nowS - DAY_S);
    const next = another(root);
    next.store.swap('new', 0, 'new');
    next.store.swap('cut', 1, 'cut again');
    expect(another(root).get('cut')).toEqual({ version: 2, value: 'cut again' });
    expect(next.get('unused')?.version).toBe(0);
    expect(next.get('used')?.version).toBe(1);
    expect(readdirSync(dirname(used)).filter((name) => name.startsWith('draft-'))).toEqual([]);
    expect(valuesIn(root)).toHaveLength(3);
  });
});

describe('damage', () => {
  const damages: readonly (readonly [string, (file: string) => void])[] = [
    [
      'cut to nothing',
      (file) => {
        truncateSync(file, 0);
      },
    ],
    [
      'cut in the middle',
      (file) => {
        truncateSync(file, statSync(file).size - 5);
      },
    ],
    [
      'of a version to come',
      (file) => {
        writeFileSync(file, `FLM2${readFileSync(file, 'latin1').slice(4)}`, 'latin1');
      },
    ],
    [
      'plain JSON',
      (file) => {
        writeFileSync(file, '{"v":1}');
      },
    ],
    [
      'overwritten with rubbish',
      (file) => {
        writeFileSync(file, Buffer.alloc(5000, 7));
      },
    ],
    [
      'removed',
      (file) => {
        rmSync(file);
      },
    ],
  ];

  it.each(damages)('a value that is %s is forgotten with one warning, and stored again', (_what, damage) => {
    const root = newRoot();
    another(root).store.swap('id', 0, 'before');
    damage(one(root));
    const { store, get, warnings } = another(root);
    expect([get('id'), get('id')]).toEqual([
      { version: 1, value: undefined },
      { version: 1, value: undefined },
    ]);
    expect(warnings).toEqual([expect.stringMatching(/^A file in .*state was damaged\./)]);
    expect(store.swap('id', 1, 'after')).toBe(true);
    expect(another(root).get('id')).toEqual({ version: 2, value: 'after' });
  });

  it.each(damages)('a value that is %s is what the process last knew', (_what, damage) => {
    const root = newRoot();
    const knowing = another(root);
    knowing.store.swap('id', 0, 'known');
    another(root).store.swap('id', 1, 'unknown');
    damage(one(root));
    expect(knowing.get('id')).toEqual({ version: 2, value: 'known' });
    expect(knowing.warnings).toHaveLength(1);
  });

  it.each(damages)(
    'a secret that is %s begins a new generation, which all processes find',
    (_what, damage) => {
      const root = newRoot();
      const old = another(root);
      old.store.swap('id', 0, 'known');
      damage(secretOf(root));
      const fresh = another(root);
      expect(fresh.get('id')).toEqual({ version: 0, value: undefined });
      expect(fresh.store.swap('id', 0, 'fresh')).toBe(true);
      expect(old.store.swap('id', 1, 'late')).toBe(false);
      expect(() => old.get('id')).toThrow('were removed');
      expect(old.get('id')).toEqual({ version: 1, value: 'fresh' });
      expect(readdirSync(root)).toEqual(['2']);
    },
  );

  it('a record without its marker is stored anew', () => {
    const root = newRoot();
    another(root).store.swap('id', 0, 'before');
    rmSync(filesIn(root).find((file) => basename(file).startsWith('now.')) ?? '');
    const { store, get } = another(root);
    expect(get('id')).toEqual({ version: 0, value: undefined });
    expect(store.swap('id', 0, 'after')).toBe(true);
    expect(another(root).get('id')).toEqual({ version: 1, value: 'after' });
  });

  it.each([
    ['the whole folder', (root: string) => root],
    ['the records', (root: string) => dirname(dirname(one(root)))],
    ['one record', (root: string) => dirname(one(root))],
  ])('%s may be removed: the next reading says so once, and all is empty', (_what, partOf) => {
    const root = newRoot();
    const { store, get } = another(root);
    store.swap('id', 0, 'first');
    store.swap('id', 1, 'second');
    rmSync(partOf(root), { recursive: true });
    expect(store.swap('id', 2, 'late')).toBe(false);
    expect(() => get('id')).toThrow(`files in ${root} were removed`);
    expect(get('id')).toEqual({ version: 0, value: undefined });
    expect(store.swap('id', 0, 'again')).toBe(true);
    expect(another(root).get('id')).toEqual({ version: 1, value: 'again' });
  });

  it('a removed folder that another process made again is the one that counts', () => {
    const root = newRoot();
    const first = another(root);
    first.store.swap('id', 0, 'old');
    rmSync(root, { recursive: true });
    another(root).store.swap('id', 0, 'new');
    expect(() => first.get('id')).toThrow('were removed');
    expect(first.get('id')).toEqual({ version: 1, value: 'new' });
  });
});

describe('a file system that fails', () => {
  it.each(['ENOSPC', 'EROFS', 'EACCES', 'EIO'])(
    'by %s makes swap throw, and leaves nothing behind',
    (code) => {
      const root = newRoot();
      const { store, get } = another(root);
      store.swap('id', 0, 'before');
      let isBroken = true;
      const write: FileSystem['writeFileSync'] = (file, data, options) => {
        if (isBroken && !String(file).includes('draft')) nodeFs.writeFileSync(file, 'hal');
        if (isBroken) throw Object.assign(new Error(`${code}: no`), { code });
        nodeFs.writeFileSync(file, data, options);
      };
      const failing = fileStore(root, { fs: { ...nodeFs, writeFileSync: write } });
      expect(() => failing.swap('id', 1, 'after')).toThrow(code);
      expect(() => failing.swap('another', 0, 'after')).toThrow(code);
      expect(get('id')).toEqual({ version: 1, value: 'before' });
      expect(valuesIn(root)).toHaveLength(1);
      isBroken = false;
      expect(failing.swap('id', 1, 'after')).toBe(true);
      expect(failing.swap('another', 0, 'after')).toBe(true);
    },
  );

  it('throws if a file stands in the place of the folder', () => {
    const root = newRoot();
    writeFileSync(root, '');
    const { store } = another(root);
    expect(() => store.read(['id'])).toThrow('ENOTDIR');
    expect(() => store.swap('id', 0, {})).toThrow(/EEXIST|ENOTDIR/);
  });

  it.each([
    ['NFS', 0x69_69],
    ['SMB', 0xfe_53_4d_42],
    ['SMB, as a negative number', 0xfe_53_4d_42 - 2 ** 32],
  ])('is not used if it is a network’s: %s', (_name, type) => {
    const root = newRoot();
    const statfsSync = (): { type: number } => ({ type });
    const fs = { ...nodeFs, statfsSync };
    expect(() => fileStore(root, { fs }).swap('id', 0, {})).toThrow('is on a network file system');
    another(root).store.swap('id', 0, {});
    expect(() => fileStore(root, { fs }).read(['id'])).toThrow('is on a network file system');
  });
});
