/** What the registry has to know of a provider to keep its model list. */

import type { ModelSpec } from '../core/model-spec.ts';
import type { ListShape } from '../providers/spec.ts';
import type { ModelListSource } from './fetch-list.ts';
import type { OfferRules } from './offer.ts';

/** How a provider's list is asked for, read and sifted. */
export interface ModelDiscovery extends ModelListSource, OfferRules {
  /** A call waits for the first list no longer than this, in ms. Default: as long as it waits for any. */
  readonly patienceMs?: number | undefined;
  /** The longest pause after failures, in ms. Default half an hour. */
  readonly longestPauseMs?: number | undefined;
  /** Where the list says what, other than most do. */
  readonly shape?: ListShape | undefined;
  /** `false`: the built-in models stay although the list does not name them. */
  readonly complete?: boolean | undefined;
}

/** One provider's models: where they come from, from the surest to the newest. */
export interface ModelSource {
  /** The provider's name, unique in a registry. */
  readonly name: string;
  /** Under which the list is kept on disk: provider, base URL, and whether it is of all models or the free ones; never a key. */
  readonly cacheId: string;
  /** What is known without asking, in order of preference. */
  readonly builtIn: readonly ModelSpec[];
  /** The user's own list: it replaces every other, and nothing is discovered. */
  readonly userModels?: readonly ModelSpec[] | undefined;
  /** Absent: the provider is never asked for its list. */
  readonly discovery?: ModelDiscovery | undefined;
  /** Age in ms from which a discovered list is asked for anew, beside the calls. */
  readonly cacheTtlMs: number;
}

/** What came of looking for a provider's models. */
export interface DiscoveryReport {
  readonly provider: string;
  /** `live`: the provider answered. `disk`: a kept list was taken. `failed`: the former list stands. */
  readonly outcome: 'live' | 'disk' | 'failed';
  /** How many models the list in use now has. */
  readonly models: number;
  /** `failed`: what happened, and when it is tried again. */
  readonly message?: string;
  readonly durationMs: number;
}
