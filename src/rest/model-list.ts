/** The models in OpenAI's shape: virtual ones first. */

import type { JsonObject } from '../core/json.ts';
import { ALIAS_NAMES, readModelName } from '../core/model.ts';
import type { OfferedModel } from './chat-backend.ts';

interface Listed {
  readonly id: string;
  readonly ownedBy: string;
  readonly ctx?: number | undefined;
}

/** Virtual models belong to nobody else. */
const OURS = 'freelm';

/** The object `model`. Nobody knows when it was made. */
function modelObject({ id, ownedBy, ctx }: Listed): JsonObject {
  const known = ctx === undefined ? {} : { context_length: ctx };
  return { id, object: 'model', created: 0, owned_by: ownedBy, ...known };
}

/** Whether a name is a virtual model that some model on offer can stand for. */
function isVirtual(name: string, offered: readonly OfferedModel[]): boolean {
  const query = readModelName(name);
  if ('id' in query) return false;
  return offered.some(({ tags = ['chat'] }) => query.tags.every((tag) => tags.includes(tag)));
}

/** The object `list`. A model that several providers have is named once, with the first of them. */
export function modelList(offered: readonly OfferedModel[]): JsonObject {
  const listed = new Map<string, Listed>();
  for (const id of ALIAS_NAMES) {
    if (isVirtual(id, offered)) listed.set(id, { id, ownedBy: OURS });
  }
  for (const { id, provider, ctx } of offered) {
    if (!listed.has(id)) listed.set(id, { id, ownedBy: provider, ctx });
  }
  return { object: 'list', data: [...listed.values()].map(modelObject) };
}

/** One model by its name; undefined when there is none. */
export function modelNamed(
  name: string,
  offered: readonly OfferedModel[],
  takesAny: boolean,
): JsonObject | undefined {
  const known = offered.find(({ id }) => id === name);
  if (known !== undefined) return modelObject({ ...known, ownedBy: known.provider });
  if (takesAny || isVirtual(name, offered)) return modelObject({ id: name, ownedBy: OURS });
  return undefined;
}
