/** References within a JSON schema, for providers that take none. */

import { elementsOf, isJsonObject, type JsonObject, jsonText, member } from '../../core/json.ts';
import { without } from './copy-on-change.ts';

/** Keywords that constrain nothing. */
const ANNOTATIONS: ReadonlySet<string> = new Set([
  '$comment',
  'default',
  'deprecated',
  'description',
  'examples',
  'readOnly',
  'title',
  'writeOnly',
]);
/** Keywords that mean something only beside another one. */
const DEPENDENT: ReadonlySet<string> = new Set([
  'additionalItems',
  'additionalProperties',
  'else',
  'if',
  'items',
  'maxContains',
  'minContains',
  'then',
  'unevaluatedItems',
  'unevaluatedProperties',
]);

function stepOf(text: string): string {
  let step = text;
  try {
    step = decodeURIComponent(text);
  } catch {
    // The text is no escape.
  }
  return step.replaceAll('~1', '/').replaceAll('~0', '~');
}

/** What a reference points to within its document; undefined if it leads elsewhere or to nothing. */
export function targetOf(root: JsonObject, ref: string): unknown {
  if (ref === '#') return root;
  if (!ref.startsWith('#/')) return undefined;
  let found: unknown = root;
  for (const step of ref.slice(2).split('/').map(stepOf))
    found = Array.isArray(found) ? found[Number(step)] : member(found, step);
  return found;
}

/** Without keywords that have no effect, as that beside which they would mean something is missing. */
function settled(schema: JsonObject): JsonObject {
  const has = (name: string): boolean => Object.hasOwn(schema, name);
  return without(
    schema,
    (name) =>
      (!has('contains') && (name === 'minContains' || name === 'maxContains')) ||
      (!has('if') && (name === 'then' || name === 'else')),
  );
}

function haveOwnMembers(a: JsonObject, b: JsonObject): boolean {
  return Object.keys(a).every((name) => !Object.hasOwn(b, name));
}

/** One value for a keyword that two schemas have; undefined if both cannot be written as one. */
function mergedValue(name: string, a: unknown, b: unknown): unknown {
  if (jsonText(a) === jsonText(b)) return a;
  if (name === 'required' && Array.isArray(a) && Array.isArray(b))
    return [...new Set([...elementsOf(a), ...elementsOf(b)])];
  return name === 'properties' && isJsonObject(a) && isJsonObject(b) && haveOwnMembers(a, b)
    ? { ...a, ...b }
    : undefined;
}

/**
 * Two schemas that hold together as one, which accepts all that both accept. If a keyword of `beside` cannot be joined with that of
 * `target`, only the annotations of `beside` stay.
 */
export function joined(target: unknown, beside: JsonObject): unknown {
  if (!isJsonObject(target)) return target === false ? target : beside;
  const merged: Record<string, unknown> = {};
  let canJoin = true;
  for (const [name, value] of Object.entries(beside)) {
    const isNew = ANNOTATIONS.has(name) || !Object.hasOwn(target, name);
    merged[name] = isNew ? value : mergedValue(name, target[name], value);
    canJoin &&= merged[name] !== undefined;
  }
  const kept = without(merged, (name) => !ANNOTATIONS.has(name) && (!canJoin || DEPENDENT.has(name)));
  return { ...settled(target), ...kept };
}
