/** The list of models as the Messages API has it. */

import type { JsonObject } from '../../core/json.ts';
import { LISTED_NAMES } from '../../core/known-names.ts';
import { kindOf } from '../../core/model.ts';
import type { OfferedModel } from '../chat-backend.ts';
import { type Listed, listedModels } from '../model-list.ts';

/** No provider tells when a model was made. */
const UNKNOWN_TIME = '1970-01-01T00:00:00Z';

export function messagesModel({
  id,
  ctx = null,
}: Pick<Listed, 'id'> & { ctx?: Listed['ctx'] | null }): JsonObject {
  return {
    type: 'model',
    id,
    display_name: id,
    created_at: UNKNOWN_TIME,
    max_input_tokens: ctx,
    max_tokens: null,
    capabilities: null,
    lifecycle: 'active',
    line: null,
    deprecated_at: null,
    retires_at: null,
  };
}

/** The models that can chat. Some clients show their users only names that they know, so those are listed as well. */
export function messagesModelList(
  offered: readonly OfferedModel[],
  names: Parameters<typeof listedModels>[1],
): JsonObject {
  const chats = listedModels(offered, names, LISTED_NAMES).filter((model) => kindOf(model) === 'chat');
  const ids = chats.map(({ id }) => id);
  return {
    data: chats.map(messagesModel),
    has_more: false,
    first_id: ids[0] ?? null,
    last_id: ids.at(-1) ?? null,
  };
}
