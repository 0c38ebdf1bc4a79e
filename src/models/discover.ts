/** Turns the answer of a provider's list endpoint into model specs, best known models first. */

import { isJsonObject } from '../core/json-path.ts';
import type { ModelSpec } from '../core/model-spec.ts';
import { readListEntry, type ListedModel } from './list-entry.ts';
import { offerTest, type OfferRules } from './offer.ts';
import { capabilityTags, sizeTags } from './size-tags.ts';

/** How a list is read. */
export interface ReadModelListOptions extends OfferRules {
  /** Epoch ms: models that have expired by then are left out. */
  readonly now: number;
  /** The provider's built-in list: its models come first, in its order, and keep its tags. */
  readonly builtIn: readonly ModelSpec[];
}

/** No provider lists more than some hundreds of models; what follows is not read. */
const MOST_ENTRIES = 5000;

const TAG_ORDER: readonly string[] = ['chat', 'large', 'fast', 'small', 'tools', 'vision', 'reasoning'];

function entriesOf(body: unknown): readonly unknown[] {
  const list = isJsonObject(body) ? body['data'] : body;
  return Array.isArray(list) ? list.slice(0, MOST_ENTRIES) : [];
}

/** Each tag once, the known ones in their customary order, a provider's own after them. */
function inOrder(tags: readonly string[]): readonly string[] {
  const given = new Set(tags);
  return [
    ...TAG_ORDER.filter((tag) => given.has(tag)),
    ...[...given].filter((tag) => !TAG_ORDER.includes(tag)),
  ];
}

function guessedTags(model: ListedModel): readonly string[] {
  const fromId = sizeTags(model.id);
  const size = fromId.length > 0 ? fromId : sizeTags(model.name);
  return ['chat', ...size, ...(model.capabilities ?? capabilityTags(model.id))];
}

/** What the built-in list says of size and use stands; what the provider's list states is added. */
function toSpec(
  model: ListedModel,
  known: ModelSpec | undefined,
  freePattern: RegExp | undefined,
): ModelSpec {
  const tags =
    known?.tags === undefined ? guessedTags(model) : [...known.tags, ...(model.capabilities ?? [])];
  const free = known?.free ?? freePattern?.test(model.id);
  return {
    ...known,
    id: model.id,
    tags: inOrder(tags),
    ...(model.ctx === undefined ? {} : { ctx: model.ctx }),
    ...(free === undefined ? {} : { free }),
  };
}

/**
 * The models that a list offers for chat: first those of the built-in list in its order, then the others, those with
 * more room first, newer first among equals. Three formats are told apart by the shape of each entry: OpenRouter's
 * (with `architecture`), Google's (ids that start with `models/`) and the plain one of NIM. Never throws on `body`:
 * what is no list gives an empty one; entries that cannot be read, and repeated ids, are passed over. At most
 * 5,000 entries are read.
 */
export function readModelList(body: unknown, options: ReadModelListOptions): readonly ModelSpec[] {
  const offered = offerTest(options);
  const listed = new Map<string, ListedModel>();
  for (const entry of entriesOf(body)) {
    const model = readListEntry(entry, options.now);
    if (model !== undefined && offered(model.id) && !listed.has(model.id)) listed.set(model.id, model);
  }
  const freePattern = options.freePattern === undefined ? undefined : new RegExp(options.freePattern);
  const specs: ModelSpec[] = [];
  for (const known of options.builtIn) {
    const model = listed.get(known.id);
    if (model !== undefined) specs.push(toSpec(model, known, freePattern));
    listed.delete(known.id);
  }
  const others = [...listed.values()].toSorted(
    (a, b) => (b.ctx ?? 0) - (a.ctx ?? 0) || b.created - a.created,
  );
  for (const model of others) specs.push(toSpec(model, undefined, freePattern));
  return specs;
}
