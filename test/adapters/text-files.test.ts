import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { textFiles } from '../../src/adapters/text-files.ts';
import type { TextArchive } from '../../src/ports.ts';
import { temporaryFolder } from '../client/support.ts';

const MEGABYTE = 1024 * 1024;

interface Files {
  readonly folder: string;
  readonly archive: TextArchive;
  now: number;
  readonly names: () => readonly string[];
}

function files(): Files {
  const folder = join(temporaryFolder(), 'state', 'responses');
  const made: Files = {
    folder,
    now: 1000,
    archive: textFiles(
      () => folder,
      () => made.now,
    ),
    names: () => readdirSync(folder),
  };
  return made;
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

describe('texts in files', () => {
  it('are there for another process until they expire, for their owner only', () => {
    const { folder, archive, names } = files();
    expect([archive.read('a'), archive.has('a'), archive.remove('a')]).toEqual([undefined, false, false]);
    expect(archive.write('a', 'Grüße', 2000)).toBe(true);
    const other = textFiles(
      () => folder,
      () => 1999,
    );
    expect([other.read('a'), other.has('a'), other.has('b')]).toEqual(['Grüße', true, false]);
    const late = textFiles(
      () => folder,
      () => 2000,
    );
    expect([late.read('a'), late.has('a')]).toEqual([undefined, false]);
    expect([modeOf(folder), ...names().map((name) => modeOf(join(folder, name)))]).toEqual([0o700, 0o600]);
    expect(other.remove('a')).toBe(true);
    expect(names()).toEqual([]);
  });

  it('have no part of the id in their names', () => {
    const { archive, names } = files();
    archive.write('../../etc/passwd', 'x', 2000);
    expect(names()).toEqual([expect.stringMatching(/^[0-9a-z]+-1-[0-9a-f]{32}\.txt$/)]);
    expect(archive.read('../../etc/passwd')).toBe('x');
  });

  it('that have expired are removed by the next one', () => {
    const made = files();
    made.archive.write('a', 'x', 2000);
    made.now = 2000;
    made.archive.write('b', 'x', 3000);
    expect(made.names()).toHaveLength(1);
  });

  it('are at most 500, and those that expire first make room', () => {
    const { archive, names } = files();
    for (let index = 0; index < 503; index += 1) archive.write(`id ${index}`, 'x', 2000 + index);
    expect(names()).toHaveLength(500);
    expect(['id 2', 'id 3'].map((id) => archive.has(id))).toEqual([false, true]);
  });

  it('have at most 64 MiB together, and 16 MiB each', () => {
    const { archive, names } = files();
    expect(archive.write('long', 'x'.repeat(16 * MEGABYTE + 1), 9000)).toBe(false);
    for (let index = 0; index < 5; index += 1)
      expect(archive.write(`id ${index}`, 'x'.repeat(16 * MEGABYTE), 2000 + index)).toBe(true);
    expect(names()).toHaveLength(4);
    expect(archive.has('id 0')).toBe(false);
  });

  it('that were cut, and files of others, are not read and not removed', () => {
    const { folder, archive, names } = files();
    archive.write('a', 'long text', 2000);
    const [name = ''] = names();
    truncateSync(join(folder, name), 4);
    writeFileSync(join(folder, 'mine.txt'), 'x');
    expect(archive.read('a')).toBeUndefined();
    archive.write('b', 'x', 2000);
    expect(readFileSync(join(folder, 'mine.txt'), 'utf8')).toBe('x');
  });

  it('that a killed process left half written are not read, and are removed when they expire', () => {
    const made = files();
    made.archive.write('a', 'x', 2000);
    const [name = ''] = made.names();
    const draft = name.replace('.txt', `.${randomUUID()}.txt`);
    renameSync(join(made.folder, name), join(made.folder, draft));
    expect(made.archive.read('a')).toBeUndefined();
    made.archive.write('b', 'x', 3000);
    expect(made.names()).toContain(draft);
    made.now = 2000;
    made.archive.write('c', 'x', 3000);
    expect(made.names()).not.toContain(draft);
  });

  it('close a folder that others could read', () => {
    const { folder, archive } = files();
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o755);
    archive.write('a', 'x', 2000);
    expect(modeOf(folder)).toBe(0o700);
  });

  it('are not kept where there can be no folder', () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    const archive = textFiles(
      () => join(file, 'responses'),
      () => 0,
    );
    expect([archive.write('a', 'x', 1), archive.read('a'), archive.has('a'), archive.remove('a')]).toEqual([
      false,
      undefined,
      false,
      false,
    ]);
    expect(existsSync(join(file, 'responses'))).toBe(false);
  });
});
