/** OpenAI's list of models. The virtual models, such as `auto`, come first. */

import type { JsonObject } from '../core/json.ts';
import { substitutesFor } from '../core/known-names.ts';
import { ALIAS_NAMES, isModelName, kindOf, type ModelKind, readModelName, tagsOf } from '../core/model.ts';
import type { ChatBackend, OfferedModel } from './chat-backend.ts';

/** A model of a list. */
export interface Listed {
  readonly id: string;
  /** Default `chat`. */
  readonly kind?: ModelKind | undefined;
  readonly ownedBy: string;
  readonly ctx?: number | undefined;
}

/** The owner of the virtual models. */
const OURS = 'freelm';

/** OpenAI's `model` object. No provider tells when a model was created. */
export function modelObject({ id, kind, ownedBy, ctx }: Listed): JsonObject {
  const known = ctx === undefined ? {} : { context_length: ctx };
  return { id, object: 'model', created: 0, owned_by: ownedBy, kind: kindOf({ kind }), ...known };
}

/** Whether a name is a virtual model that at least one offered model matches. */
function isVirtual(name: string, offered: readonly OfferedModel[]): boolean {
  const query = readModelName(name);
  if ('id' in query) return false;
  return offered.some((model) => query.tags.every((tag) => tagsOf(model).includes(tag)));
}

type Names = Pick<ChatBackend, 'ownNames' | 'windowOf' | 'takesAnyModel'>;

/** A name that stands for several models. */
function virtual(id: string, { windowOf }: Names): Listed {
  return { id, ownedBy: OURS, ctx: windowOf(id) };
}

/**
 * All models. One that several providers offer appears once, under the first of them.
 * @param more - Names that are served, and come first after the user's own.
 */
export function listedModels(
  offered: readonly OfferedModel[],
  names: Names,
  more: readonly string[] = [],
): readonly Listed[] {
  const aliases = ALIAS_NAMES.filter((id) => isVirtual(id, offered));
  const listed = new Map<string, Listed>();
  for (const id of [...names.ownNames, ...more, ...aliases]) listed.set(id, virtual(id, names));
  for (const { id, kind, provider, ctx } of offered) {
    if (!listed.has(id)) listed.set(id, { id, kind, ownedBy: provider, ctx });
  }
  return [...listed.values()];
}

/** OpenAI's `list` object. */
export function modelList(offered: readonly OfferedModel[], names: Names): JsonObject {
  return { object: 'list', data: listedModels(offered, names).map(modelObject) };
}

/** The model of that name, or undefined if there is none. A known name of a paid model is served by others. */
export function modelNamed(name: string, offered: readonly OfferedModel[], names: Names): Listed | undefined {
  if (names.ownNames.includes(name)) return virtual(name, names);
  const known = offered.find(({ id }) => id === name);
  if (known !== undefined) return { ...known, ownedBy: known.provider };
  const isServed = substitutesFor(name) !== undefined || (names.takesAnyModel && isModelName(name));
  return isServed || isVirtual(name, offered) ? virtual(name, names) : undefined;
}
