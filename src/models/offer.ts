/** Says which listed ids are offered: not the ones that no chat can use, nor what costs money when only free is asked for. */

import { matchesGlob } from '../providers/glob.ts';

/** What a provider's list is sifted by. */
export interface OfferRules {
  /** Offer only ids that match `freePattern`. Without a pattern every id passes. */
  readonly freeOnly: boolean;
  /** A regular expression over ids that are free of charge, as source text. */
  readonly freePattern?: string | undefined;
  /** Where an entry states its prices, all of which are nought where it is free; not looked at without an entry. */
  readonly freePrices?: readonly string[] | undefined;
  /** Globs over ids that are never offered; `*` stands for any run of characters. */
  readonly exclude: readonly string[];
}

/** An id that may go into a URL, a body, a log line and a file. */
const PLAIN_ID = /^[^\s\p{Cc}]{1,200}$/u;

/** The test that an id has to pass to be offered. Ids with spaces, control characters or more than 200 characters never do. */
export function offerTest(rules: OfferRules): (id: string) => boolean {
  const free = rules.freeOnly && rules.freePattern !== undefined ? new RegExp(rules.freePattern) : undefined;
  return (id) =>
    PLAIN_ID.test(id) &&
    (free === undefined || free.test(id)) &&
    !rules.exclude.some((glob) => matchesGlob(glob, id));
}
