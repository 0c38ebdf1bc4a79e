/** A provider as data: the shape of `spec/providers/*.json`, and their only reader. */

import google from '../../spec/providers/google.json' with { type: 'json' };
import nim from '../../spec/providers/nim.json' with { type: 'json' };
import openrouter from '../../spec/providers/openrouter.json' with { type: 'json' };
import type { FailureKind, Scope } from '../core/failure.ts';
import type { Trip } from '../core/failure-effects.ts';
import type { ModelSpec } from '../core/model-spec.ts';

/** A limit that differs between models: the first row whose pattern matches the id holds. */
export interface ModelLimit {
  /** A glob over model ids: `*` stands for any run of characters. */
  readonly models: string;
  readonly limit: number;
}

/** A meter as the provider states it; `limit` may differ between models. */
export interface MeterSpec {
  readonly id: string;
  readonly kind: 'token-bucket' | 'clock-minute' | 'daily';
  readonly unit: 'requests' | 'tokens';
  readonly per: 'account' | 'account-model';
  readonly limit: number | readonly ModelLimit[];
  readonly windowMs?: number;
  readonly timeZone?: string;
  readonly marginMs: number;
}

/** One rule of a provider's refusals: every condition given must hold; the first rule that holds decides. */
export interface RefusalRule {
  /** What the rule recognises, in a few words. */
  readonly name: string;
  readonly status?: readonly number[];
  /** Dotted path into the parsed body, `*` for every element of a list; default: the error's message. */
  readonly path?: string;
  /** A header to look in instead of the body. */
  readonly header?: string;
  /** Case-insensitive regular expression over the text found. Absent: it is enough that there is a text. */
  readonly pattern?: string;
  readonly kind: FailureKind;
  readonly scope: Scope;
  /** `unsupported`: the model's capabilities that the refusal shows to be missing. */
  readonly capabilities?: readonly string[];
  /** `unsupported`: the request's fields that are meant, where the message does not name them as they are sent. */
  readonly parameters?: readonly string[];
}

/** How a provider lists its models. */
export interface DiscoverySpec {
  /** Whether discovery is on unless the user says otherwise. */
  readonly default: boolean;
  /** Path below the base URL. */
  readonly path: string;
  readonly needsKey: boolean;
  /** Only ids that match are offered while `discoverFreeOnly` holds. */
  readonly freePattern?: string;
  /** Ids (globs) that the list contains but that no chat can use. */
  readonly exclude: readonly string[];
}

/** How a provider streams. */
export interface StreamSpec {
  /** `prefill`: a trailing message of the assistant is gone on with. `instruction`: the model has to be asked. */
  readonly continues: 'prefill' | 'instruction';
  /** Whether it tells the tokens of a stream only when asked by `stream_options`. */
  readonly asksForUsage: boolean;
}

/** Everything that freelm knows of a provider before its first answer. */
export interface ProviderSpec {
  readonly name: string;
  readonly title: string;
  /** The day, YYYY-MM-DD, on which the facts below were last checked. */
  readonly asOf: string;
  readonly sources: readonly string[];
  readonly baseUrl: string;
  readonly env: { readonly keys: readonly string[]; readonly tier: string };
  /** Regular expression of this provider's keys, so that even a foreign key is recognised and redacted. */
  readonly keyPattern: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly defaultTier: string;
  readonly tiers: Readonly<Record<string, { readonly meters: readonly MeterSpec[] }>>;
  /** Ids that cost nothing; everything else is refused while `freeOnly` holds. */
  readonly freeOnlyPattern?: string;
  /** Ids that this provider may be asked for although no list names them. */
  readonly modelIdPattern: string;
  readonly discovery?: DiscoverySpec;
  readonly models: readonly ModelSpec[];
  /** How it streams; absent: as most do. */
  readonly streams?: StreamSpec;
  /** Fields of a chat request that are never sent. */
  readonly dropParameters: readonly string[];
  readonly refusals: readonly RefusalRule[];
  /** Where this provider's cooldowns differ from `spec/failure-effects.json`. */
  readonly trips: Readonly<Partial<Record<FailureKind, Trip>>>;
}

// JSON modules widen literals to `string`; `test/spec.test.ts` holds every file against its JSON Schema.
const specs = { google, nim, openrouter } as unknown as Readonly<
  Record<'google' | 'nim' | 'openrouter', ProviderSpec>
>;

export const openrouterSpec: ProviderSpec = specs.openrouter;
export const googleSpec: ProviderSpec = specs.google;
export const nimSpec: ProviderSpec = specs.nim;
