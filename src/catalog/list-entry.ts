import bounds from '../../spec/bounds.json' with { type: 'json' };
import { isJsonObject, type JsonObject } from '../core/json.ts';
import { isModelName, MEDIA, type ModelKind } from '../core/model.ts';
import type { ListShape } from '../providers/spec.ts';
import { entryValues, holds } from './list-path.ts';
import { matchesGlob } from '../providers/pattern.ts';
import { DAY_MS } from '../core/time.ts';

/** One model as its provider lists it. */
export interface ListEntry {
  readonly id: string;
  readonly kind: ModelKind;
  /** The display name, or an empty string. */
  readonly name: string;
  /** Context length in tokens. */
  readonly ctx: number | undefined;
  /** The longest answer in tokens. */
  readonly maxOutput: number | undefined;
  /** The date of the model in epoch seconds; 0 if unknown. */
  readonly created: number;
  /** Which of `tools`, `vision`, `reasoning` and the media the list reports; undefined if it reports nothing about them. */
  readonly capabilities: readonly string[] | undefined;
}

/** A larger context length is an error in the list. */
const LONGEST_CONTEXT = 1_000_000_000;
/** The usual paths of the context length. A free variant may have less than its model, so the smallest value counts. */
const USUAL_CTX = ['context_length', 'top_provider.context_length', 'context_window', 'max_model_len'];
const NUMBER = /^\d{1,10}$/;

function texts(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.filter((item: unknown): item is string => typeof item === 'string');
}

function tokens(value: unknown): number | undefined {
  const count = typeof value === 'string' && NUMBER.test(value) ? Number(value) : value;
  const sane = typeof count === 'number' && count >= 1 && count <= LONGEST_CONTEXT;
  return sane ? Math.floor(count) : undefined;
}

/** The smallest number of tokens at any of the paths. */
function smallest(entry: JsonObject, paths: readonly string[]): number | undefined {
  const lengths = paths
    .flatMap((path) => entryValues(entry, path))
    .map(tokens)
    .filter((length) => length !== undefined);
  return lengths.length === 0 ? undefined : Math.min(...lengths);
}

/** Whether a model has expired. A bare date includes its whole day in UTC. */
function isExpired(entry: JsonObject, now: number): boolean {
  const date = entry['expiration_date'];
  if (typeof date !== 'string') return false;
  const at = Date.parse(date);
  const until = /^\d{4}-\d{2}-\d{2}$/.test(date) ? at + DAY_MS : at;
  return until <= now;
}

function architectureOf(entry: JsonObject): JsonObject {
  const architecture = entry['architecture'];
  return isJsonObject(architecture) ? architecture : {};
}

/** Whether the model outputs text only. Models with image or audio output may cost extra. */
function answersInText(entry: JsonObject): boolean {
  const architecture = architectureOf(entry);
  const outputs = texts(architecture['output_modalities']);
  if (outputs !== undefined) return outputs.length > 0 && outputs.every((kind) => kind === 'text');
  const modality = architecture['modality'];
  return typeof modality !== 'string' || /(^|->)text$/.test(modality);
}

/** Whether the price is open: a negative one marks a router that bills by the chosen model (OpenRouter, 2026-05). */
function hasOpenPrice(entry: JsonObject): boolean {
  const pricing = entry['pricing'];
  return isJsonObject(pricing) && Number(pricing['prompt']) < 0;
}

function usualCapabilities(entry: JsonObject): readonly string[] | undefined {
  const parameters = texts(entry['supported_parameters']);
  const inputs = texts(architectureOf(entry)['input_modalities']);
  if (parameters === undefined && inputs === undefined) return undefined;
  return [
    ...(parameters?.includes('tools') === true ? ['tools'] : []),
    ...(inputs?.includes('image') === true ? ['vision'] : []),
    ...(parameters?.includes('reasoning') === true ? ['reasoning'] : []),
    ...MEDIA.filter((medium) => inputs?.includes(medium) === true),
  ];
}

function shapedCapabilities(
  entry: JsonObject,
  marks: NonNullable<ListShape['capabilities']>,
): readonly string[] | undefined {
  const reported = Object.entries(marks).flatMap(([capability, mark]) =>
    mark === undefined || entryValues(entry, mark.path).length === 0 ? [] : [{ capability, mark }],
  );
  // An older release of a server may not report them.
  if (reported.length === 0) return undefined;
  return reported.filter(({ mark }) => holds(entry, mark)).map(({ capability }) => capability);
}

function capabilitiesOf(entry: JsonObject, marks: ListShape['capabilities']): readonly string[] | undefined {
  return marks === undefined ? usualCapabilities(entry) : shapedCapabilities(entry, marks);
}

function chats(entry: JsonObject, conditions: ListShape['chat'] = []): boolean {
  return answersInText(entry) && conditions.every((condition) => holds(entry, condition));
}

/** The id, without the prefix that Google's list adds. */
function idOf(entry: JsonObject, path = 'id'): string | undefined {
  const [id] = entryValues(entry, path);
  return typeof id === 'string' ? id.replace(/^models\//, '') : undefined;
}

/** How the entries of a list are read. */
export interface EntryRules {
  readonly shape?: ListShape | undefined;
  /** Globs of the ids of embedding models. */
  readonly embeddings?: readonly string[] | undefined;
}

/**
 * Reads one entry of a list. Returns undefined if it is no usable model at `now` (epoch ms): it has no id, has expired, has
 * an open price, or is no embedding model and outputs more than text or fails a condition of the shape.
 */
// spec 10.2, 10.3
export function readListEntry(
  entry: unknown,
  now: number,
  { shape = {}, embeddings = [] }: EntryRules = {},
): ListEntry | undefined {
  if (!isJsonObject(entry) || isExpired(entry, now) || hasOpenPrice(entry)) return undefined;
  const id = idOf(entry, shape.id);
  if (id === undefined) return undefined;
  const kind = embeddings.some((glob) => matchesGlob(glob, id)) ? 'embedding' : 'chat';
  if (kind === 'chat' && !chats(entry, shape.chat)) return undefined;
  const { name, created } = entry;
  return {
    id,
    kind,
    name: typeof name === 'string' ? name : '',
    ctx: smallest(entry, shape.ctx ?? USUAL_CTX),
    maxOutput: smallest(entry, shape.maxOutput === undefined ? [] : [shape.maxOutput]),
    created: typeof created === 'number' ? created : 0,
    capabilities: capabilitiesOf(entry, shape.capabilities),
  };
}

/** Where lists state their prices, as OpenRouter does. */
const USUAL_PRICES = ['pricing.prompt', 'pricing.completion', 'pricing.request'];

/** The highest price that an entry states; 0 if it states none. */
export function priceOf(entry: unknown, paths: readonly string[] = USUAL_PRICES): number {
  const prices = paths.flatMap((path) => entryValues(entry, path)).map(Number);
  return Math.max(0, ...prices.filter(Number.isFinite));
}

/** The id that an entry states. */
export function listedId(entry: unknown, path: string | undefined): string | undefined {
  return isJsonObject(entry) ? idOf(entry, path) : undefined;
}

/** Whether the prices at all these paths are zero. A missing price may be any. */
export function costsNothing(entry: unknown, prices: readonly string[]): boolean {
  return prices.every((path) => {
    const found = entryValues(entry, path);
    return found.length > 0 && found.every((price) => price !== '' && Number(price) === 0);
  });
}

/** The rules by which a list is filtered. */
export interface OfferRules {
  /** Offer only free models, as far as `freePattern` and `freePrices` tell. */
  readonly freeOnly: boolean;
  /** The source of a regular expression that matches free ids. */
  readonly freePattern?: string | undefined;
  /** The paths of an entry's prices, all of which are zero if the model is free. */
  readonly freePrices?: readonly string[] | undefined;
  /** Globs of ids that are never offered. */
  readonly exclude: readonly string[];
}

/** Whether an id is safe in a URL, a body, a log line and a file. */
function isPlainId(id: string): boolean {
  return id.length <= bounds.modelList.idCharacters && isModelName(id) && !/\s/.test(id);
}

/** A test for ids that may be offered. Ids with spaces, control characters or more than 200 characters never pass. */
export function offerTest(rules: OfferRules): (id: string) => boolean {
  const free = rules.freeOnly && rules.freePattern !== undefined ? new RegExp(rules.freePattern) : undefined;
  return (id) =>
    isPlainId(id) &&
    (free === undefined || free.test(id)) &&
    !rules.exclude.some((glob) => matchesGlob(glob, id));
}
