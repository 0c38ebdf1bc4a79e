import bounds from '../../spec/bounds.json' with { type: 'json' };
import { MEDIA, type ModelSpec } from '../core/model.ts';
import type { ListShape } from '../providers/spec.ts';
import {
  costsNothing,
  listedId,
  priceOf,
  readListEntry,
  type ListEntry,
  offerTest,
  type OfferRules,
} from './list-entry.ts';
import { entryValues } from './list-path.ts';
import { capabilityTags, sizeTags } from './size-tags.ts';

export interface ReadModelListOptions extends OfferRules {
  /** Epoch ms. Models that have expired by then are skipped. */
  readonly now: number;
  /** The built-in list. Its models come first, in its order, and keep their tags. */
  readonly builtIn: readonly ModelSpec[];
  /** Where the list differs from the usual formats. */
  readonly shape?: ListShape | undefined;
  /** Whether the list names all models; if not, the built-in ones stay. Default true. */
  readonly complete?: boolean | undefined;
  /** Globs of the ids of embedding models. */
  readonly embeddings?: readonly string[] | undefined;
}

/** Providers list some hundred models; further entries are not read. */
const MOST_ENTRIES = bounds.modelList.entries;

const TAG_ORDER: readonly string[] = [
  'chat',
  'large',
  'fast',
  'small',
  'tools',
  'vision',
  'reasoning',
  ...MEDIA,
];

function entriesOf(body: unknown, path: string | undefined): readonly unknown[] {
  const places = [...(path === undefined ? [] : [path]), 'data'].flatMap((place) => entryValues(body, place));
  const list: unknown = [body, ...places].find((place) => Array.isArray(place));
  return Array.isArray(list) ? list.slice(0, MOST_ENTRIES) : [];
}

/** Each tag once: the known ones in their order, then a provider's own. */
function sortTags(tags: readonly string[]): readonly string[] {
  const given = new Set(tags);
  return [
    ...TAG_ORDER.filter((tag) => given.has(tag)),
    ...[...given].filter((tag) => !TAG_ORDER.includes(tag)),
  ];
}

function guessedTags(model: ListEntry): readonly string[] {
  const fromId = sizeTags(model.id);
  const size = fromId.length > 0 ? fromId : sizeTags(model.name);
  return ['chat', ...size, ...(model.capabilities ?? capabilityTags(model.id))];
}

function tagsFor(model: ListEntry, known?: ModelSpec): readonly string[] {
  return known?.tags === undefined ? guessedTags(model) : [...known.tags, ...(model.capabilities ?? [])];
}

/** An entry that may be offered. `free` is undefined if its price is unknown. */
interface Offered extends ListEntry {
  readonly free: boolean | undefined;
}

/** Merges an entry into its built-in spec, whose tags stay. */
// spec 10.4
function toSpec(model: Offered, known?: ModelSpec): ModelSpec {
  const free = model.free ?? known?.free;
  const { kind } = model;
  const isGuess = kind === 'chat' && known?.tags === undefined && model.capabilities === undefined;
  return {
    ...known,
    id: model.id,
    ...(kind === 'chat' ? { tags: sortTags(tagsFor(model, known)) } : { kind }),
    ...(isGuess && { guessed: true }),
    ...(model.ctx === undefined ? {} : { ctx: model.ctx }),
    ...(model.maxOutput === undefined ? {} : { maxOutput: model.maxOutput }),
    ...(free === undefined ? {} : { free }),
  };
}

/** A test whether an entry is free; undefined if the rules cannot tell. */
function freeTest({
  freePattern,
  freePrices,
}: OfferRules): (entry: unknown, id: string) => boolean | undefined {
  const pattern = freePattern === undefined ? undefined : new RegExp(freePattern);
  if (freePrices === undefined) return (entry, id) => pattern && priceOf(entry) === 0 && pattern.test(id);
  return (entry, id) => pattern?.test(id) !== false && costsNothing(entry, freePrices);
}

/**
 * The prices above 0 of models that count as free, by id: of built-in ones and of those that `freePattern` matches. Without
 * rules for what is free, a list's prices are those of a paid plan.
 */
// spec 10.8
export function listedPrices(
  body: unknown,
  {
    builtIn,
    shape,
    freePattern,
    freePrices,
  }: Pick<ReadModelListOptions, 'builtIn' | 'shape' | 'freePattern' | 'freePrices'>,
): ReadonlyMap<string, number> {
  const pattern = freePattern === undefined ? undefined : new RegExp(freePattern);
  const free = new Set(builtIn.filter((model) => model.free === true).map(({ id }) => id));
  const prices = new Map<string, number>();
  if (pattern === undefined && freePrices === undefined) return prices;
  for (const entry of entriesOf(body, shape?.list)) {
    const price = priceOf(entry, freePrices);
    const id = price === 0 ? undefined : listedId(entry, shape?.id);
    if (id !== undefined && (free.has(id) || pattern?.test(id) === true)) prices.set(id, price);
  }
  return prices;
}

/** The offered models by id. */
function offeredModels(entries: readonly unknown[], options: ReadModelListOptions): Map<string, Offered> {
  const { now, freeOnly, freePrices } = options;
  const isOffered = offerTest(options);
  const isFree = freeTest(options);
  const offered = new Map<string, Offered>();
  for (const entry of entries) {
    const model = readListEntry(entry, now, options);
    if (model === undefined || !isOffered(model.id) || offered.has(model.id)) continue;
    const free = isFree(entry, model.id);
    if (freeOnly && freePrices !== undefined && free !== true) continue;
    offered.set(model.id, { ...model, free });
  }
  return offered;
}

/**
 * The models in the answer of a list endpoint: the built-in ones in their order, then the others by context length
 * and date. Without a `shape` it reads OpenRouter's format (with `architecture`), Google's (ids with `models/`) and
 * OpenAI's plain one. Never throws on `body`: it skips unreadable entries and repeated ids, and reads at most 5,000.
 */
// spec 10.2, 10.4
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
