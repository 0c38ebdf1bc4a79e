/** JSON schemas of many shapes, each with a value that it accepts. */

import { seededRandom } from './seeded-random.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** A schema and a value that fits it. */
export interface Sample {
  readonly schema: { readonly [name: string]: Json };
  readonly value: Json;
}

const NAMES = ['title', 'tags', 'price', 'author', 'items', 'kind', 'notes', 'address', 'due', 'parent'];
const WORDS = ['red', 'a "quoted" word', 'two\nlines', 'größer', '日本', '🦊', '', '{"not": "json"}', '0'];
const MAX_DEPTH = 3;

/** Draws one sample. Each method draws a schema together with its value. */
class Sampler {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  #of<T>(list: readonly [T, ...T[]] | readonly T[]): T {
    const drawn = list[this.#below(list.length)];
    if (drawn === undefined) throw new Error('nothing to draw from');
    return drawn;
  }

  root(): Sample {
    return this.#of([
      () => this.#object(0),
      () => this.#object(0),
      () => this.#tree(),
      () => this.#shared(),
    ])();
  }

  #any(depth: number): Sample {
    const leaves = [
      () => this.#text(),
      () => this.#number(),
      () => this.#choice(),
      (): Sample => ({ schema: { type: 'boolean' }, value: this.#random() < 0.5 }),
      (): Sample => ({ schema: { const: 'fixed' }, value: 'fixed' }),
    ];
    const nests = [() => this.#object(depth), () => this.#list(depth), () => this.#union(depth)];
    return this.#of(depth < MAX_DEPTH ? [...leaves, ...nests] : leaves)();
  }

  #text(): Sample {
    const value = this.#of(WORDS);
    return { schema: { type: 'string', minLength: Math.min(1, value.length), maxLength: 40 }, value };
  }

  #number(): Sample {
    const value = this.#below(1000) - 500;
    return this.#random() < 0.5
      ? { schema: { type: 'integer', minimum: -500, maximum: 500 }, value }
      : { schema: { type: 'number' }, value: value / 8 };
  }

  #choice(): Sample {
    const value = this.#of(['low', 'middle', 'high']);
    return { schema: { type: 'string', enum: ['low', 'middle', 'high'] }, value };
  }

  #object(depth: number): Sample {
    const names = NAMES.slice(this.#below(4)).slice(0, 1 + this.#below(5));
    const members = names.map((name) => [name, this.#any(depth + 1)] as const);
    const required = names.filter(() => this.#random() < 0.7);
    const present = members.filter(([name]) => required.includes(name) || this.#random() < 0.5);
    return {
      schema: {
        type: 'object',
        properties: Object.fromEntries(members.map(([name, { schema }]) => [name, schema])),
        required,
        additionalProperties: false,
      },
      value: Object.fromEntries(present.map(([name, { value }]) => [name, value])),
    };
  }

  #list(depth: number): Sample {
    const { schema, value } = this.#any(depth + 1);
    const value2 = Array.from({ length: this.#below(4) }, () => value);
    return { schema: { type: 'array', items: schema, maxItems: 10 }, value: value2 };
  }

  #union(depth: number): Sample {
    const one = this.#any(depth + 1);
    const other = this.#of([this.#any(depth + 1).schema, { type: 'null' }]);
    return { schema: { anyOf: [other, one.schema] }, value: one.value };
  }

  /** A recursive schema. */
  #tree(): Sample {
    const grow = (depth: number): Json => ({
      name: this.#of(WORDS),
      children: depth < 3 ? Array.from({ length: this.#below(3) }, () => grow(depth + 1)) : [],
    });
    const children = { type: 'array', items: { $ref: '#/$defs/node' } };
    const node = {
      type: 'object',
      properties: { name: { type: 'string' }, children },
      required: ['name', 'children'],
      additionalProperties: false,
    };
    return { schema: { $ref: '#/$defs/node', $defs: { node } }, value: grow(0) };
  }

  /** A definition that is used twice. */
  #shared(): Sample {
    const { schema, value } = this.#object(1);
    const use = { $ref: '#/$defs/shared' };
    return {
      schema: {
        type: 'object',
        properties: { first: use, others: { type: 'array', items: use } },
        required: ['first', 'others'],
        $defs: { shared: schema },
      },
      value: { first: value, others: [value, value] },
    };
  }
}

/** The sample of a seed. */
export function sampleOf(seed: number): Sample {
  return new Sampler(seed).root();
}
