/** What is known of a model before it is called. */

import table from '../../spec/aliases.json' with { type: 'json' };

/** One model of a provider. */
export interface ModelSpec {
  /** The id as the provider spells it. */
  readonly id: string;
  /** What it is good for: `chat`, `large`, `fast`, `small`, `tools`, `vision`, `reasoning`. */
  readonly tags?: readonly string[] | undefined;
  /** Context length in tokens. */
  readonly ctx?: number | undefined;
  /** How long an answer may be, in tokens. */
  readonly maxOutput?: number | undefined;
  /** Whether calling it is free of charge. */
  readonly free?: boolean | undefined;
  /** Lower is preferred; equal priorities keep the order of the list. */
  readonly priority?: number | undefined;
}

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
