/** What a model name asks for: a virtual model, or one concrete id used exactly. */

import table from '../../spec/aliases.json' with { type: 'json' };

/** A virtual model asks for tags that a model must all have. */
export type ModelQuery = { readonly tags: readonly string[] } | { readonly id: string };

const aliases: ReadonlyMap<string, readonly string[]> = new Map(Object.entries(table.aliases));
const capabilities: ReadonlySet<string> = new Set(table.capabilities);

/** The names of all virtual models, for messages. */
export const ALIAS_NAMES: readonly string[] = [...aliases.keys()];

/** `chat:fast` → tags; `chat:tools` → tags; anything else → a concrete id. */
export function readModelName(name: string): ModelQuery {
  const tags = aliases.get(name);
  if (tags !== undefined) return { tags };
  const [base = '', ...rest] = name.split(':');
  const baseTags = aliases.get(base);
  if (baseTags !== undefined && rest.length > 0 && rest.every((tag) => capabilities.has(tag))) {
    return { tags: [...new Set([...baseTags, ...rest])] };
  }
  return { id: name };
}
