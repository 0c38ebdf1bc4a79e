import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const SOURCE = path.join(import.meta.dirname, '..', 'src');
/** Raised only for what a change delivers. */
const LINE_BUDGET = 42_300;

/** What `npm run generate` writes grows with the providers, not with the code. */
const GENERATED = new Set(['providers/files.ts', 'providers/presets.ts']);

interface Room {
  readonly name: string;
  /** Paths below src/ that belong to the room. */
  readonly files: RegExp;
  /** Files of other rooms that it may import. Default: every room above it. */
  readonly mayImport?: RegExp;
  /** Packages, node:* modules included, that it may import. Default: any. */
  readonly packages?: readonly string[];
}

/** The order of the rooms: a room imports from itself and from the rooms above it. */
const ROOMS: readonly Room[] = [
  { name: 'core', files: /^core\//, packages: [] },
  { name: 'wire', files: /^wire\//, packages: ['eventsource-parser'] },
  {
    name: 'ports',
    files: /^(abort|ports|errors|check|suggest|version|http-error|duration|money)\.ts$/,
    packages: ['zod/mini'],
  },
  { name: 'providers', files: /^providers\// },
  { name: 'catalog', files: /^catalog\// },
  { name: 'adapters', files: /^adapters\// },
  { name: 'engine', files: /^engine\// },
  {
    name: 'rest',
    files: /^rest\//,
    mayImport: /^((core|wire)\/|(abort|ports|errors|check|http-error)\.ts$)/,
    packages: ['zod/mini'],
  },
  { name: 'client', files: /^client\// },
  { name: 'index', files: /^index\.ts$/, packages: [] },
  { name: 'redis', files: /^redis\.ts$/, packages: [] },
  // The faces use the public entries only. If a face needs more, the public API lacks something.
  { name: 'compat', files: /^compat(\/|\.ts$)/, mayImport: /^index\.ts$/ },
  { name: 'gateway', files: /^gateway\//, mayImport: /^(index|http-error)\.ts$/ },
  { name: 'testing', files: /^testing(\/|\.ts$)/, mayImport: /^index\.ts$/ },
  {
    name: 'cli',
    files: /^cli\//,
    mayImport: /^((index|testing|version|abort|duration|money)\.ts|gateway\/index\.ts)$/,
  },
];

/** Static imports and re-exports at the start of a line, and `import('…')`; those in comments are not meant. */
const IMPORT =
  /^(?:(?:import|export)\b[^;=(]*?\bfrom |import )'(?<static>[^']+)'|^(?! *(?:\*|\/[/*])).*\bimport\('(?<dynamic>[^']+)'\)/gm;

const allFiles = readdirSync(SOURCE, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && !entry.name.endsWith('.md'))
  .map((entry) => path.relative(SOURCE, path.join(entry.parentPath, entry.name)).replaceAll('\\', '/'));

const files = allFiles.filter((file) => /\.[jt]s$/.test(file));

const textOf = (file: string): string => readFileSync(path.join(SOURCE, file), 'utf8');

function importsOf(file: string): readonly string[] {
  return Array.from(
    textOf(file).matchAll(IMPORT),
    ({ groups = {} }) => groups['static'] ?? groups['dynamic'] ?? '',
  );
}

/** The files below src/ that a file imports, types included. */
function neighboursOf(file: string): readonly string[] {
  return importsOf(file)
    .filter((name) => name.startsWith('.'))
    .map((name) => path.posix.join(path.posix.dirname(file), name))
    .filter((target) => !target.startsWith('..'));
}

const neighbours: ReadonlyMap<string, readonly string[]> = new Map(
  files.map((file) => [file, neighboursOf(file)]),
);

function roomOf(file: string): number {
  return ROOMS.findIndex((room) => room.files.test(file));
}

function mayImport(file: string, target: string): boolean {
  const from = roomOf(file);
  const to = roomOf(target);
  if (from === to) return true;
  return to !== -1 && to < from && (ROOMS[from]?.mayImport?.test(target) ?? true);
}

/** The first circle that a depth-first search finds, as a path that ends where it began. */
function findCircle(graph: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): readonly string[] => {
    const start = trail.indexOf(file);
    if (start !== -1) return [...trail.slice(start), file];
    if (done.has(file)) return [];
    for (const next of graph.get(file) ?? []) {
      const circle = visit(next, [...trail, file]);
      if (circle.length > 0) return circle;
    }
    done.add(file);
    return [];
  };
  for (const file of graph.keys()) {
    const circle = visit(file, []);
    if (circle.length > 0) return circle;
  }
  return [];
}

describe('the rooms of src/', () => {
  it('every file belongs to a room', () => {
    expect(files.filter((file) => roomOf(file) === -1)).toEqual([]);
  });

  it('no file imports from a room below its own', () => {
    const upward = files.flatMap((file) =>
      (neighbours.get(file) ?? [])
        .filter((target) => !mayImport(file, target))
        .map((target) => `${file} → ${target}`),
    );
    expect(upward).toEqual([]);
  });

  it('a room imports only the packages that it may', () => {
    const foreign = files.flatMap((file) => {
      const { packages } = ROOMS[roomOf(file)] ?? {};
      const names = importsOf(file).filter((name) => !name.startsWith('.'));
      return names.filter((name) => !(packages?.includes(name) ?? true)).map((name) => `${file} → ${name}`);
    });
    expect(foreign).toEqual([]);
  });

  it('no circle of imports exists among files, types included', () => {
    expect(
      findCircle(
        new Map([
          ['a', ['b']],
          ['b', ['c']],
          ['c', ['b']],
        ]),
      ),
    ).toEqual(['b', 'c', 'b']);
    expect(findCircle(neighbours)).toEqual([]);
  });

  it(`src without src/testing has at most ${LINE_BUDGET} lines of TypeScript`, () => {
    const counted = files.filter(
      (file) => file.endsWith('.ts') && !file.startsWith('testing/') && !GENERATED.has(file),
    );
    const lines = counted.reduce((sum, file) => sum + (textOf(file).match(/\n/g)?.length ?? 0), 0);
    console.log(`src without src/testing: ${lines} lines`);
    expect(lines).toBeLessThanOrEqual(LINE_BUDGET);
  });
});
