/** Ollama's list of models, and its description of one. */

import type { JsonObject } from '../../core/json.ts';
import { kindOf, readModelName, tagsOf } from '../../core/model.ts';
import type { ChatBackend, OfferedModel } from '../chat-backend.ts';
import { type Listed, listedModels, modelNamed } from '../model-list.ts';

/** No provider reports when a model was created. */
const UNKNOWN_TIME = '1970-01-01T00:00:00Z';

/** Clients that know no tags add this one. */
const USUAL_TAG = ':latest';

/** By freelm's tag: Ollama's name for what a model can do. */
const CAPABILITIES: ReadonlyMap<string, string> = new Map([
  ['tools', 'tools'],
  ['vision', 'vision'],
  ['reasoning', 'thinking'],
  ['audio', 'audio'],
]);

/** The models that a name stands for. For a chain that the user named, nothing more is known. */
function meantBy(name: string, offered: readonly OfferedModel[]): readonly OfferedModel[] {
  const query = readModelName(name);
  if ('id' in query) return offered.filter(({ id }) => id === name);
  return offered.filter((model) => query.tags.every((tag) => tagsOf(model).includes(tag)));
}

function capabilitiesOf(model: Listed, offered: readonly OfferedModel[]): readonly string[] {
  if (kindOf(model) === 'embedding') return ['embedding'];
  const tags = new Set(meantBy(model.id, offered).flatMap(tagsOf));
  return ['completion', ...[...CAPABILITIES].flatMap(([tag, name]) => (tags.has(tag) ? [name] : []))];
}

function detailsOf({ ownedBy, ctx }: Listed): JsonObject {
  return {
    parent_model: '',
    format: '',
    family: ownedBy,
    families: [ownedBy],
    parameter_size: '',
    quantization_level: '',
    ...(ctx === undefined ? {} : { context_length: ctx }),
  };
}

function listObject(model: Listed, offered: readonly OfferedModel[]): JsonObject {
  return {
    name: model.id,
    model: model.id,
    modified_at: UNKNOWN_TIME,
    size: 0,
    digest: '',
    details: detailsOf(model),
    capabilities: capabilitiesOf(model, offered),
  };
}

type Names = Parameters<typeof listedModels>[1];

export function tagList(offered: readonly OfferedModel[], names: Names): JsonObject {
  return { models: listedModels(offered, names).map((model) => listObject(model, offered)) };
}

/** The description of a model; undefined if no model has that name. */
export function shownModel(
  name: string,
  offered: readonly OfferedModel[],
  names: Names,
): JsonObject | undefined {
  const model = modelNamed(name, offered, names);
  if (model === undefined) return undefined;
  const family = model.ownedBy;
  return {
    license: '',
    modelfile: '',
    parameters: '',
    template: '',
    details: detailsOf(model),
    model_info: {
      'general.architecture': family,
      'general.basename': model.id,
      ...(model.ctx === undefined ? {} : { [`${family}.context_length`]: model.ctx }),
    },
    capabilities: capabilitiesOf(model, offered),
    modified_at: UNKNOWN_TIME,
  };
}

/** The name without the tag that clients add, unless a model has the whole name. */
export async function knownName(
  name: string,
  backend: ChatBackend,
  signal: AbortSignal | undefined,
): Promise<string> {
  if (!name.endsWith(USUAL_TAG)) return name;
  const offered = await backend.models(signal);
  return offered.some(({ id }) => id === name) ? name : name.slice(0, -USUAL_TAG.length);
}
