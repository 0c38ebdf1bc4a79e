import * as z from 'zod/mini';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runners as classification } from './vectors/classification.ts';
import { runners as continuation } from './vectors/continuation.ts';
import { runners as core } from './vectors/core.ts';
import { runners as dislikes } from './vectors/dislikes.ts';
import { runners as embeddings } from './vectors/embeddings.ts';
import { runners as images } from './vectors/images.ts';
import { runners as learning } from './vectors/learning.ts';
import { runners as models } from './vectors/models.ts';
import { runners as pace } from './vectors/pace.ts';
import { runners as repair } from './vectors/repair.ts';
import { runners as wire } from './vectors/wire.ts';

const folder = new URL('../spec/vectors/', import.meta.url);
const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
const names = files.map((file) => file.slice(0, -'.json'.length));

const tables = [
  continuation,
  core,
  classification,
  dislikes,
  embeddings,
  images,
  learning,
  models,
  pace,
  repair,
  wire,
];
const runners = new Map(tables.flatMap((table) => Object.entries(table)));

const vectorsSchema = z.strictObject({
  $schema: z.optional(z.string()),
  about: z.string(),
  cases: z
    .array(z.strictObject({ name: z.string(), input: z.unknown(), expect: z.unknown() }))
    .check(z.minLength(1)),
});

function read(name: string): z.output<typeof vectorsSchema> {
  return vectorsSchema.parse(JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')));
}

describe('the vectors', () => {
  it('exist', () => {
    expect(names).not.toEqual([]);
  });

  it('are JSON files only', () => {
    expect(readdirSync(folder)).toEqual(files);
  });

  it('have a runner for each file, and a file for each runner', () => {
    expect([...runners.keys()].toSorted()).toEqual(names.toSorted());
  });

  it('have only one runner per file', () => {
    expect(tables.flatMap((table) => Object.keys(table))).toHaveLength(runners.size);
  });
});

describe.each(names)('%s', (name) => {
  const { cases } = read(name);
  const run = runners.get(name);

  it('has a unique name for each case', () => {
    expect(new Set(cases.map((one) => one.name)).size).toBe(cases.length);
  });

  it.each(cases.map((one) => [one.name, one] as const))('%s', (_, { input, expect: expected }) => {
    if (run === undefined) throw new Error(`spec/vectors/${name}.json has no runner in test/vectors/`);
    expect(run(input)).toEqual(expected);
  });
});
