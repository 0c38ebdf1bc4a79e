/** Names of paid models that agents ask for without being told to, and what stands in for them. */

import table from '../../spec/known-names.json' with { type: 'json' };

const rows = table.names.map(({ pattern, models }) => ({ pattern: new RegExp(pattern, 'i'), models }));

/** Known names for lists that clients choose from. */
export const LISTED_NAMES: readonly string[] = table.names.flatMap(({ listed }) => listed);

/** The chain of models that stands in for a known name; undefined for any other name. */
// spec 9.11
export function substitutesFor(name: string): readonly string[] | undefined {
  return rows.find(({ pattern }) => pattern.test(name))?.models;
}
