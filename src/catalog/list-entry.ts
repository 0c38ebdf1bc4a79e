/** Reads one entry of a provider's model list, whichever of the known shapes it has. */

import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { ListShape } from '../providers/spec.ts';
import { entryValues, holds } from './list-path.ts';
import { matchesGlob } from '../providers/pattern.ts';
import { DAY_MS } from '../core/time.ts';

/** One model as a list describes it; what the list does not say is `undefined`. */
export interface ListedModel {
  readonly id: string;
  /** The name for people, or the empty string. */
  readonly name: string;
  /** Context length in tokens. */
  readonly ctx: number | undefined;
  /** How long an answer may be, in tokens. */
  readonly maxOutput: number | undefined;
  /** When the list says that the model appeared, in seconds since 1970; 0 where it does not say. */
  readonly created: number;
  /** What the list states of `tools`, `vision`, `reasoning`; `undefined` where it states nothing. */
  readonly capabilities: readonly string[] | undefined;
}

/** A context length beyond this is a mistake in the list. */
const LONGEST_CONTEXT = 1_000_000_000;
/** Where lists say how much room a model has; a free variant can be served with less than its model: the smallest counts. */
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

/** The smallest number of tokens that is stated at one of these paths. */
function smallest(entry: JsonObject, paths: readonly string[]): number | undefined {
  const stated = paths
    .flatMap((path) => entryValues(entry, path))
    .map(tokens)
    .filter((length) => length !== undefined);
  return stated.length === 0 ? undefined : Math.min(...stated);
}

/** A bare date still holds for the whole of that day, UTC. */
function expired(entry: JsonObject, now: number): boolean {
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

/** Nothing but text comes out: a model that also paints or sings is not asked to chat, and may cost extra. */
function answersInText(entry: JsonObject): boolean {
  const architecture = architectureOf(entry);
  const outputs = texts(architecture['output_modalities']);
  if (outputs !== undefined) return outputs.length > 0 && outputs.every((kind) => kind === 'text');
  const modality = architecture['modality'];
  return typeof modality !== 'string' || /(^|->)text$/.test(modality);
}

/** A negative price marks a router whose bill depends on where it goes (OpenRouter, 2026-05). */
function openEndedPrice(entry: JsonObject): boolean {
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
  ];
}

function shapedCapabilities(
  entry: JsonObject,
  marks: NonNullable<ListShape['capabilities']>,
): readonly string[] | undefined {
  const told = Object.entries(marks).flatMap(([capability, mark]) =>
    mark === undefined || entryValues(entry, mark.path).length === 0 ? [] : [{ capability, mark }],
  );
  // An older release of a server may not tell them.
  if (told.length === 0) return undefined;
  return told.filter(({ mark }) => holds(entry, mark)).map(({ capability }) => capability);
}

function capabilitiesOf(entry: JsonObject, marks: ListShape['capabilities']): readonly string[] | undefined {
  return marks === undefined ? usualCapabilities(entry) : shapedCapabilities(entry, marks);
}

function isAvailable(entry: JsonObject, now: number, chat: ListShape['chat'] = []): boolean {
  const isOver = expired(entry, now) || openEndedPrice(entry);
  return !isOver && answersInText(entry) && chat.every((condition) => holds(entry, condition));
}

/** Google's ids carry a prefix in its list. */
function idOf(entry: JsonObject, path = 'id'): string | undefined {
  const [id] = entryValues(entry, path);
  return typeof id === 'string' ? id.replace(/^models\//, '') : undefined;
}

/**
 * What `entry` says, or `undefined` when it is no model that chats at `now` (epoch ms): no id, output other than text,
 * a past `expiration_date`, a price that cannot be known, a condition of the shape that does not hold. The prefix
 * `models/` of Google's ids is taken off.
 */
export function readListEntry(entry: unknown, now: number, shape: ListShape = {}): ListedModel | undefined {
  if (!isJsonObject(entry) || !isAvailable(entry, now, shape.chat)) return undefined;
  const id = idOf(entry, shape.id);
  if (id === undefined) return undefined;
  const { name, created } = entry;
  return {
    id,
    name: typeof name === 'string' ? name : '',
    ctx: smallest(entry, shape.ctx ?? USUAL_CTX),
    maxOutput: smallest(entry, shape.maxOutput === undefined ? [] : [shape.maxOutput]),
    created: typeof created === 'number' ? created : 0,
    capabilities: capabilitiesOf(entry, shape.capabilities),
  };
}

/** Whether an entry costs nothing at each of these paths; what it does not price may cost anything. */
export function costsNothing(entry: unknown, prices: readonly string[]): boolean {
  return prices.every((path) => {
    const found = entryValues(entry, path);
    return found.length > 0 && found.every((price) => price !== '' && Number(price) === 0);
  });
}

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
