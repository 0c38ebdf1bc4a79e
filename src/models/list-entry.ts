/** Reads one entry of a provider's model list, whichever of the known shapes it has. */

import { isJsonObject, type JsonObject } from '../core/json-path.ts';

/** One model as a list describes it; what the list does not say is `undefined`. */
export interface ListedModel {
  readonly id: string;
  /** The name for people, or the empty string. */
  readonly name: string;
  /** Context length in tokens. */
  readonly ctx: number | undefined;
  /** When the list says that the model appeared, in seconds since 1970; 0 where it does not say. */
  readonly created: number;
  /** What the list states of `tools`, `vision`, `reasoning`; `undefined` where it states nothing. */
  readonly capabilities: readonly string[] | undefined;
}

const DAY_MS = 86_400_000;
/** A context length beyond this is a mistake in the list. */
const LONGEST_CONTEXT = 1_000_000_000;

function texts(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.filter((item: unknown): item is string => typeof item === 'string');
}

function tokens(value: unknown): number | undefined {
  const sane = typeof value === 'number' && value >= 1 && value <= LONGEST_CONTEXT;
  return sane ? Math.floor(value) : undefined;
}

/** A free variant can be served with less room than its model has: the smaller of both counts. */
function contextLength(entry: JsonObject): number | undefined {
  const best = entry['top_provider'];
  const stated = [
    tokens(entry['context_length']),
    tokens(isJsonObject(best) ? best['context_length'] : undefined),
    tokens(entry['context_window']),
    tokens(entry['max_model_len']),
  ].filter((length) => length !== undefined);
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

/** Nothing but text comes out: a model that also paints or sings is not asked to chat, and may cost extra. */
function answersInText(architecture: JsonObject): boolean {
  const outputs = texts(architecture['output_modalities']);
  if (outputs !== undefined) return outputs.length > 0 && outputs.every((kind) => kind === 'text');
  const modality = architecture['modality'];
  return typeof modality !== 'string' || modality.endsWith('->text');
}

/** A negative price marks a router whose bill depends on where it goes (OpenRouter, 2026-05). */
function openEndedPrice(entry: JsonObject): boolean {
  const pricing = entry['pricing'];
  return isJsonObject(pricing) && Number(pricing['prompt']) < 0;
}

function statedCapabilities(entry: JsonObject, architecture: JsonObject): readonly string[] | undefined {
  const parameters = texts(entry['supported_parameters']);
  const inputs = texts(architecture['input_modalities']);
  if (parameters === undefined && inputs === undefined) return undefined;
  return [
    ...(parameters?.includes('tools') === true ? ['tools'] : []),
    ...(inputs?.includes('image') === true ? ['vision'] : []),
    ...(parameters?.includes('reasoning') === true ? ['reasoning'] : []),
  ];
}

/**
 * What `entry` says, or `undefined` when it is no model that chats at `now` (epoch ms): no id, output other than text,
 * a past `expiration_date`, a price that cannot be known. The prefix `models/` of Google's ids is taken off.
 */
export function readListEntry(entry: unknown, now: number): ListedModel | undefined {
  if (!isJsonObject(entry)) return undefined;
  const { id, name, created } = entry;
  const architecture = isJsonObject(entry['architecture']) ? entry['architecture'] : {};
  if (typeof id !== 'string' || !answersInText(architecture)) return undefined;
  if (expired(entry, now) || openEndedPrice(entry)) return undefined;
  return {
    id: id.startsWith('models/') ? id.slice('models/'.length) : id,
    name: typeof name === 'string' ? name : '',
    ctx: contextLength(entry),
    created: typeof created === 'number' ? created : 0,
    capabilities: statedCapabilities(entry, architecture),
  };
}
