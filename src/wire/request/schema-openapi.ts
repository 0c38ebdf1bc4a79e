/** Schemas as OpenAPI 3.0 has them: one type each, `nullable` in place of null, texts in an `enum`. */

import { isJsonObject, type JsonObject, member } from '../../core/json.ts';
import { without } from './copy-on-change.ts';

const NULL = 'null';

function isNull(schema: unknown): boolean {
  return isJsonObject(schema) && Object.keys(schema).length === 1 && schema['type'] === NULL;
}

/** A list says what its elements are, even if they are anything. */
function withItems(schema: JsonObject): JsonObject {
  if (schema['type'] !== 'array' || isJsonObject(schema['items'])) return schema;
  return { ...schema, items: {} };
}

/** A list of types as one, or as an `anyOf` of them. */
function withOneType(schema: JsonObject): JsonObject {
  const { type: given, ...rest } = schema;
  if (!Array.isArray(given)) return schema;
  const types: readonly unknown[] = given.filter((type) => typeof type === 'string' && type !== NULL);
  const nullable = given.includes(NULL) ? { nullable: true } : {};
  const [type] = types;
  if (types.length === 1) return { ...rest, type, ...nullable };
  if (types.length === 0 || rest['anyOf'] !== undefined) return rest;
  return { ...rest, anyOf: types.map((one) => withItems({ type: one })), ...nullable };
}

/** Without null among the choices. */
function withNullable(schema: JsonObject): JsonObject {
  const { anyOf } = schema;
  if (!Array.isArray(anyOf) || !anyOf.some(isNull)) return schema;
  const others: readonly unknown[] = anyOf.filter((choice) => !isNull(choice));
  return others.length === 0 ? schema : { ...schema, anyOf: others, nullable: true };
}

/** The values of a text only; without values of another type, which cannot be listed. */
function withTextEnum(schema: JsonObject): JsonObject {
  const { enum: values, type = 'string' } = schema;
  if (!Array.isArray(values)) return schema;
  const texts: readonly unknown[] = values.filter((value) => typeof value === 'string');
  const hasNull = values.includes(null);
  const isText = type === 'string' && texts.length > 0 && texts.length + (hasNull ? 1 : 0) === values.length;
  if (!isText) return without(schema, (name) => name === 'enum');
  if (texts.length === values.length && schema['type'] === type) return schema;
  return { ...schema, type, enum: texts, ...(hasNull ? { nullable: true } : {}) };
}

/** Only members that the schema describes can be required. */
function withKnownRequired(schema: JsonObject): JsonObject {
  const { required, properties } = schema;
  if (!Array.isArray(required)) return schema;
  const known: readonly unknown[] = required.filter(
    (name) => typeof name === 'string' && member(properties, name) !== undefined,
  );
  if (known.length === required.length) return schema;
  return known.length === 0 ? without(schema, (name) => name === 'required') : { ...schema, required: known };
}

/** A schema in the form of OpenAPI 3.0. It accepts all that it did; the same schema if nothing changes. */
// spec 12.17
export function openApiForm(schema: JsonObject): JsonObject {
  const steps = [withOneType, withNullable, withTextEnum, withKnownRequired, withItems];
  return steps.reduce((form, step) => step(form), schema);
}
