/** OpenAI's list of models. The virtual models, such as `auto`, come first. */

import type { JsonObject } from '../core/json.ts';
import { ALIAS_NAMES, isModelName, kindOf, type ModelKind, readModelName, tagsOf } from '../core/model.ts';
import type { ChatBackend, OfferedModel } from './chat-backend.ts';

interface Listed {
  readonly id: string;
  /** Default `chat`. */
  readonly kind?: ModelKind | undefined;
  readonly ownedBy: string;
  readonly ctx?: number | undefined;
}

/** The owner of the virtual models. */
const OURS = 'freelm';

/** OpenAI's `model` object. No provider tells when a model was created. */
function modelObject({ id, kind, ownedBy, ctx }: Listed): JsonObject {
  const known = ctx === undefined ? {} : { context_length: ctx };
  return { id, object: 'model', created: 0, owned_by: ownedBy, kind: kindOf({ kind }), ...known };
}

/** Whether a name is a virtual model that at least one offered model matches. */
function isVirtual(name: string, offered: readonly OfferedModel[]): boolean {
  const query = readModelName(name);
  if ('id' in query) return false;
  return offered.some((model) => query.tags.every((tag) => tagsOf(model).includes(tag)));
}

/** OpenAI's `list` object. A model that several providers offer appears once, under the first of them. */
export function modelList(offered: readonly OfferedModel[], ownNames: readonly string[]): JsonObject {
  const listed = new Map<string, Listed>(ownNames.map((id) => [id, { id, ownedBy: OURS }]));
  for (const id of ALIAS_NAMES) {
    if (!listed.has(id) && isVirtual(id, offered)) listed.set(id, { id, ownedBy: OURS });
  }
  for (const { id, kind, provider, ctx } of offered) {
    if (!listed.has(id)) listed.set(id, { id, kind, ownedBy: provider, ctx });
  }
  return { object: 'list', data: [...listed.values()].map(modelObject) };
}

/** The model of that name, or undefined if there is none. */
export function modelNamed(
  name: string,
  offered: readonly OfferedModel[],
  { ownNames, takesAnyModel }: Pick<ChatBackend, 'ownNames' | 'takesAnyModel'>,
): JsonObject | undefined {
  if (ownNames.includes(name)) return modelObject({ id: name, ownedBy: OURS });
  const known = offered.find(({ id }) => id === name);
  if (known !== undefined) return modelObject({ ...known, ownedBy: known.provider });
  if ((takesAnyModel && isModelName(name)) || isVirtual(name, offered))
    return modelObject({ id: name, ownedBy: OURS });
  return undefined;
}
