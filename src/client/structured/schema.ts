/** Schemas of structured output: zod 4, any Standard Schema that has a JSON schema, or a JSON schema itself. */

import { isJsonObject, type JsonObject, member } from '../../core/json.ts';
import { ConfigError } from '../../errors.ts';
import { type JsonAnswer, jsonAnswer } from '../../wire/repair/json-answer.ts';
import { type SchemaProblem, soundValue, valueAtPath } from '../../wire/repair/sound-arguments.ts';
import type { OutputFormat } from '../../wire/request/output-format.ts';
import { loadChecks, schemaCheck } from '../schema-check.ts';

/** What a Standard Schema's `validate` returns (https://standardschema.dev, version 1). */
type Validated<T> =
  | { readonly value: T; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly unknown[] | undefined;
      }[];
    };

/** A Standard Schema that can be written as a JSON schema, e.g. one of zod 4.2 or later, valibot or arktype. */
export interface StandardSchema<T> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Validated<T> | Promise<Validated<T>>;
    readonly jsonSchema: {
      readonly input: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown>;
    };
    readonly types?: { readonly input: unknown; readonly output: T } | undefined;
  };
}

/** A schema of type `T`. A value that a plain JSON schema accepts is `unknown`. */
export type Schema<T> = StandardSchema<T> | JsonObject;

/** A value of which members and elements may still be missing. */
export type Growing<T> = T extends readonly (infer Item)[]
  ? readonly Growing<Item>[]
  : T extends object
    ? { readonly [Name in keyof T]?: Growing<T[Name]> }
    : T;

/** A schema as a call uses it. */
export interface ReadSchema<T> {
  readonly format: OutputFormat;
  /** The value of an answer's text, or what is wrong with it. */
  readonly read: (text: string) => Promise<JsonAnswer<T>>;
  /** Whether a value lacks nothing but members that are still to come. */
  readonly mayGrow: (value: unknown) => value is Growing<T>;
}

function isStandard<T>(schema: Schema<T>): schema is StandardSchema<T> {
  const standard =
    (typeof schema === 'object' || typeof schema === 'function') && schema !== null
      ? Reflect.get(schema, '~standard')
      : undefined;
  return isJsonObject(standard) && typeof standard['validate'] === 'function';
}

const NO_JSON_SCHEMA =
  'options.schema: cannot be written as a JSON schema. Pass a zod schema (4.2 or later), a Standard Schema with jsonSchema, or a JSON schema.';

function jsonSchemaOf(schema: Schema<unknown>): JsonObject {
  if (!isStandard(schema)) {
    if (isJsonObject(schema)) return schema;
    throw new ConfigError(NO_JSON_SCHEMA);
  }
  try {
    const { $schema: _dialect, ...written } = schema['~standard'].jsonSchema.input({
      target: 'draft-2020-12',
    });
    return written;
  } catch (error) {
    throw new ConfigError(NO_JSON_SCHEMA, error);
  }
}

/** A step of an issue's path: a key, or an object that has one. */
function stepOf(step: unknown): string | number {
  const key = isJsonObject(step) ? member(step, 'key') : step;
  return typeof key === 'number' ? key : String(key);
}

async function validated<T>(schema: StandardSchema<T>, value: unknown): Promise<JsonAnswer<T>> {
  const result = await schema['~standard'].validate(value);
  if (result.issues === undefined) return { ok: true, value: result.value };
  const problems = result.issues.map(({ message, path = [] }): SchemaProblem => ({
    message,
    path: path.map(stepOf),
  }));
  return { ok: false, problems };
}

const LAWFUL_NAME = /^[\w-]{1,64}$/;

/**
 * Reads a schema.
 * @throws ConfigError if it cannot be written as a JSON schema, or its name is unlawful.
 */
export function readSchema<T>(schema: Schema<T>, name = 'answer'): ReadSchema<T> {
  if (!LAWFUL_NAME.test(name))
    throw new ConfigError('options.schemaName: must be at most 64 letters, digits, "_" and "-".');
  const jsonSchema = jsonSchemaOf(schema);
  const problemsOf = (value: unknown): readonly SchemaProblem[] => schemaCheck(jsonSchema)?.(value) ?? [];
  // Without a Standard Schema, the JSON schema is all that says what a value is.
  const fits = (value: unknown): value is T => problemsOf(value).length === 0;
  return {
    format: { name, schema: jsonSchema },
    mayGrow: (value): value is Growing<T> =>
      value !== undefined && problemsOf(value).every(({ path }) => valueAtPath(value, path) === undefined),
    async read(text) {
      await loadChecks();
      const check = schemaCheck(jsonSchema);
      const found = jsonAnswer(text, (value) => soundValue(value, jsonSchema, check, text.length));
      if (!found.ok) return found;
      if (isStandard(schema)) return validated(schema, found.value);
      return fits(found.value) ? { ok: true, value: found.value } : { ok: false, problems: [] };
    },
  };
}
