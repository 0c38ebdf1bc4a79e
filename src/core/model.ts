/** Models and virtual model names. */

import table from '../../spec/aliases.json' with { type: 'json' };
import type { EmbeddingFacts } from './embedding.ts';

/**
 * Why calls are free. `hard-stop`: the provider documents that it stops rather than bills. `no-card`: the account has no
 * means of payment. `own-machine`: nothing leaves it. `listed-price-0`: the provider's list or price page says 0.
 * `answered-cost-0`: the model's answers state a price of 0. `unproven`: the model is said to be free.
 */
export type FreeReason =
  | 'hard-stop'
  | 'no-card'
  | 'own-machine'
  | 'listed-price-0'
  | 'answered-cost-0'
  | 'unproven';

/** What a request may have besides texts and images. Each is also the tag of the models that take it. */
export const MEDIA = ['audio', 'file', 'video'] as const;
export type Medium = (typeof MEDIA)[number];

/** What a model does: it answers chats, or turns texts into vectors. */
export type ModelKind = 'chat' | 'embedding';

/** One model of a provider. */
export interface ModelSpec {
  /** The id as the provider spells it. */
  readonly id: string;
  /** Default `chat`. */
  readonly kind?: ModelKind | undefined;
  /** Its uses: `chat`, `large`, `fast`, `small`, `tools`, `vision`, `reasoning`, `audio`, `file`, `video`. */
  readonly tags?: readonly string[] | undefined;
  /** Whether the tags were guessed from the id or the name, so that the model may be able to do more. */
  readonly guessed?: boolean | undefined;
  /** Context length in tokens. */
  readonly ctx?: number | undefined;
  /** The longest answer in tokens. */
  readonly maxOutput?: number | undefined;
  /** Whether it is free of charge. */
  readonly free?: boolean | undefined;
  /** Why it is free, if that differs from the reason of the provider's tier. */
  readonly freeBecause?: FreeReason | undefined;
  /** Lower is preferred; equal priorities keep the order of the list. */
  readonly priority?: number | undefined;
  /** What is known of an embedding model. Default: what the provider's file says. */
  readonly embedding?: EmbeddingFacts | undefined;
}

/** The kind of a listed model. */
export function kindOf({ kind = 'chat' }: Pick<ModelSpec, 'kind'>): ModelKind {
  return kind;
}

/** The tags of a listed model. A chat model without tags has `chat`. */
export function tagsOf(model: Pick<ModelSpec, 'kind' | 'tags'>): readonly string[] {
  return model.tags ?? (kindOf(model) === 'chat' ? ['chat'] : []);
}

/** The tags that a model must have, or its exact id. */
export type ModelQuery = { readonly tags: readonly string[] } | { readonly id: string };

/** Control characters, also those that change the direction of a text, ends of lines, and halves of characters. */
const UNFIT_FOR_NAMES = /[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069]/u;
const MAX_NAME_LENGTH = 500;

/** Whether a text can be the name of a model: it can be shown in a line, and stand in a header and in a URL. spec 9.1 */
export function isModelName(name: string): boolean {
  return name !== '' && name.length <= MAX_NAME_LENGTH && !UNFIT_FOR_NAMES.test(name);
}

const aliases: ReadonlyMap<string, readonly string[]> = new Map(Object.entries(table.aliases));
const capabilities: ReadonlySet<string> = new Set(table.capabilities);

/** The names of all virtual models, for messages. */
export const ALIAS_NAMES: readonly string[] = [...aliases.keys()];

/** Aliases such as `chat:fast` and `chat:tools` give tags; any other name is an id. spec 9.1 */
export function readModelName(name: string): ModelQuery {
  const tags = aliases.get(name);
  if (tags !== undefined) return { tags };
  const [base = '', ...rest] = name.split(':');
  const baseTags = aliases.get(base);
  if (baseTags !== undefined && rest.length > 0 && rest.every((tag) => capabilities.has(tag))) {
    return { tags: [...new Set([...baseTags, ...rest])] };
  }
  return { id: name };
}
