/** Turns the answer of a provider's list endpoint into model specs, best known models first. */

import type { ModelSpec } from '../core/model.ts';
import type { ListShape } from '../providers/spec.ts';
import { costsNothing, readListEntry, type ListedModel, offerTest, type OfferRules } from './list-entry.ts';
import { entryValues } from './list-path.ts';
import { capabilityTags, sizeTags } from './size-tags.ts';

/** How a list is read. */
export interface ReadModelListOptions extends OfferRules {
  /** Epoch ms: models that have expired by then are left out. */
  readonly now: number;
  /** The provider's built-in list: its models come first, in its order, and keep its tags. */
  readonly builtIn: readonly ModelSpec[];
  /** Where the list says what, other than most do. */
  readonly shape?: ListShape | undefined;
  /** `false`: models may be served that the list does not name, so that the built-in ones stay. Default true. */
  readonly complete?: boolean | undefined;
}

/** No provider lists more than some hundreds of models; what follows is not read. */
const MOST_ENTRIES = 5000;

const TAG_ORDER: readonly string[] = ['chat', 'large', 'fast', 'small', 'tools', 'vision', 'reasoning'];

function entriesOf(body: unknown, path: string | undefined): readonly unknown[] {
  const places = [...(path === undefined ? [] : [path]), 'data'].flatMap((place) => entryValues(body, place));
  const list: unknown = [body, ...places].find((place) => Array.isArray(place));
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

/** An entry of a list, and whether it is known to cost nothing, or something. */
interface Offered extends ListedModel {
  readonly free: boolean | undefined;
}

/** What the built-in list says of size and use stands; what the provider's list states is added. */
function toSpec(model: Offered, known?: ModelSpec): ModelSpec {
  const tags =
    known?.tags === undefined ? guessedTags(model) : [...known.tags, ...(model.capabilities ?? [])];
  const free = model.free ?? known?.free;
  return {
    ...known,
    id: model.id,
    tags: inOrder(tags),
    ...(model.ctx === undefined ? {} : { ctx: model.ctx }),
    ...(model.maxOutput === undefined ? {} : { maxOutput: model.maxOutput }),
    ...(free === undefined ? {} : { free }),
  };
}

/** Says of an entry whether it is free, as far as the rules can tell. */
function freeTest({
  freePattern,
  freePrices,
}: OfferRules): (entry: unknown, id: string) => boolean | undefined {
  const pattern = freePattern === undefined ? undefined : new RegExp(freePattern);
  if (freePrices === undefined) return (_entry, id) => pattern?.test(id);
  return (entry, id) => pattern?.test(id) !== false && costsNothing(entry, freePrices);
}

/** The models of a list that are offered, by id. */
function offeredModels(entries: readonly unknown[], options: ReadModelListOptions): Map<string, Offered> {
  const { now, shape, freeOnly, freePrices } = options;
  const isOffered = offerTest(options);
  const isFree = freeTest(options);
  const offered = new Map<string, Offered>();
  for (const entry of entries) {
    const model = readListEntry(entry, now, shape);
    if (model === undefined || !isOffered(model.id) || offered.has(model.id)) continue;
    const free = isFree(entry, model.id);
    if (freeOnly && freePrices !== undefined && free !== true) continue;
    offered.set(model.id, { ...model, free });
  }
  return offered;
}

/**
 * The models that a list offers for chat: first those of the built-in list in its order, then the others, those with
 * more room first, newer first among equals. Without a `shape` three formats are told apart by each entry: OpenRouter's
 * (with `architecture`), Google's (ids that start with `models/`) and the plain one of NIM. Never throws on `body`:
 * what is no list gives an empty one; entries that cannot be read, and repeated ids, are passed over. At most
 * 5,000 entries are read.
 */
export function readModelList(body: unknown, options: ReadModelListOptions): readonly ModelSpec[] {
  const entries = entriesOf(body, options.shape?.list);
  if (entries.length === 0) return [];
  const offered = offeredModels(entries, options);
  const specs: ModelSpec[] = [];
  for (const known of options.builtIn) {
    const model = offered.get(known.id);
    if (model !== undefined) specs.push(toSpec(model, known));
    else if (options.complete === false) specs.push(known);
    offered.delete(known.id);
  }
  const others = [...offered.values()].toSorted(
    (a, b) => (b.ctx ?? 0) - (a.ctx ?? 0) || b.created - a.created,
  );
  for (const model of others) specs.push(toSpec(model));
  return specs;
}
