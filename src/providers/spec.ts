/** A provider as data. This is the only reader of `spec/providers/*.json`. */

import { entryOf } from '../core/json.ts';
import { FILES } from './files.ts';
import type { FailureKind, Scope, Trip } from '../core/failure.ts';
import type { EmbeddingFacts } from '../core/embedding.ts';
import type { Limit, LimitCounts, QuotaWindow } from '../core/limits/limit.ts';
import type { FreeReason, Medium, ModelKind, ModelSpec } from '../core/model.ts';
import type { RequestShape } from '../wire/request/request-shape.ts';
import { type AccountEndpoint, QUIRKS } from './quirks.ts';

/** A limit that differs between models; the first row that matches the id holds. */
export interface ModelLimit {
  /** A glob over model ids; `*` matches any run of characters. */
  readonly models: string;
  readonly limit: number;
  /** Whether the provider does not state this number. */
  readonly assumed?: boolean;
}

/** A limit of a tier; `max` can differ between models. */
export interface LimitSpec {
  readonly id: string;
  readonly kind: Limit['kind'];
  /** The kind of models that it counts. Default: all. */
  readonly only?: ModelKind;
  readonly unit: 'requests' | 'tokens';
  readonly per: 'account' | 'account-model';
  /** Absent if no limit is known; requests are counted all the same, so that one can be learnt. */
  readonly max?: number | readonly ModelLimit[];
  /** Whether the provider does not state the number. */
  readonly assumed?: boolean;
  /** Whether the user set the limit. */
  readonly isOwn?: boolean;
  /** Of `sliding-window` and `token-bucket`. */
  readonly windowMs?: number;
  /** IANA name; only of `daily` and `monthly`. */
  readonly timeZone?: string;
  readonly marginMs: number;
  /**
   * Which tokens count: those of the prompt, those of prompt and answer (default), or those of the prompt and of the
   * longest possible answer, as reserved at admission. Of requests, `inputs`: each text of a batch counts.
   */
  readonly counts?: LimitCounts;
  /** False if prompt tokens that the provider had in its cache do not count. Default true. */
  readonly countsCached?: boolean;
}

/** A rule that recognises a refusal. All given conditions must hold; the first rule that holds decides. */
export interface RefusalRule {
  /** The refusal that the rule recognises, in a few words. */
  readonly name: string;
  readonly status?: readonly number[];
  /** Dotted path into the parsed body; `*` matches every element of a list. Default: the error's message. */
  readonly path?: string;
  /** A header that is searched instead of the body. */
  readonly header?: string;
  /** Case-insensitive regular expression, searched in the text found. Absent: any text is enough. */
  readonly pattern?: string;
  readonly kind: FailureKind;
  readonly scope: Scope;
  /** Of `unsupported`: the capabilities that the model lacks. */
  readonly capabilities?: readonly string[];
  /**
   * Of `unsupported`: the refused request fields, if the message does not name them as they are sent. An empty list
   * means none, whatever the message names.
   */
  readonly parameters?: readonly string[];
  /** The unit of the limit that refused. */
  readonly unit?: 'requests' | 'tokens';
  /** The verdict is a guess about one model; if a second model gets it, the whole account is blocked. */
  readonly escalates?: boolean;
  /** Only this provider refuses in this form; a gateway or a proxy may relay it, so the rule holds for all providers. */
  readonly anywhere?: boolean;
  /** A hint in the answer is used even if it is short for a daily quota. */
  readonly hinted?: boolean;
  /** Finds the moment at which the quota resets: the first group of `pattern`, a local time without a zone. */
  readonly clock?: { readonly pattern: string; readonly offset: string };
  /** The wait in milliseconds if the answer names none. */
  readonly retryAfterMs?: number;
}

/** A condition on the values at a path of a list entry. If there is no value, it holds unless it is `required`. */
export interface ListCondition {
  /** Dotted; `*` matches every element of a list, `[name=value]` those whose member `name` has that value. */
  readonly path: string;
  /** At least one value is one of these. */
  readonly is?: readonly (string | number | boolean)[] | undefined;
  /** Every value is one of these. */
  readonly only?: readonly (string | number | boolean)[] | undefined;
  /** No value is one of these. */
  readonly not?: readonly (string | number | boolean)[] | undefined;
  readonly required?: boolean | undefined;
}

/**
 * Where a model list and its entries hold their values; paths as in `ListCondition`. The defaults fit most lists.
 */
export interface ListShape {
  /** Path of the list in the body. Default `data`, or the body itself. */
  readonly list?: string | undefined;
  /** Path of the model id that requests name. Default `id`. */
  readonly id?: string | undefined;
  /** Paths of the context length in tokens; the smallest value counts. */
  readonly ctx?: readonly string[] | undefined;
  /** Path of the longest answer in tokens. */
  readonly maxOutput?: string | undefined;
  /** Conditions of a chat model; all must hold. */
  readonly chat?: readonly ListCondition[] | undefined;
  /** The condition of each capability. */
  readonly capabilities?:
    | Readonly<Partial<Record<'tools' | 'vision' | 'reasoning' | Medium, ListCondition | undefined>>>
    | undefined;
}

/** Facts about the embedding models whose ids match; the first row that matches holds. */
export interface EmbeddingRow extends EmbeddingFacts {
  /** A glob over model ids. */
  readonly models: string;
}

export interface DiscoverySpec {
  /** Whether the list is fetched unless the user sets `discover`. */
  readonly default: boolean;
  /** Path below the base URL; `../` goes up. */
  readonly path: string;
  readonly needsKey: boolean;
  /** Regular expression of free ids; while `discoverFreeOnly` is true, only these are offered. */
  readonly freePattern?: string;
  /** Paths of prices; while `discoverFreeOnly` is true, only models whose prices are all 0 are offered. */
  readonly freePrices?: readonly string[];
  /** Globs of listed ids that are not used. */
  readonly exclude: readonly string[];
  /** Globs of listed ids that are embedding models. Absent: the list names none, and the built-in ones are kept. */
  readonly embeddings?: readonly string[];
  readonly shape?: ListShape;
  /** False if the provider serves models that its list omits; the built-in models are kept then. Default true. */
  readonly complete?: boolean;
}

/**
 * A quota that headers report. The reset is a moment or a span in any form: `1m26.4s`, seconds, epoch seconds or ms.
 */
export interface QuotaHeader {
  readonly unit: 'requests' | 'tokens';
  /** `refused`: the headers do not name the window; in a refusal they describe the window that refused. */
  readonly window: QuotaWindow | 'refused';
  /** Names of the headers, in lower case. */
  readonly limit?: string;
  readonly remaining?: string;
  readonly reset?: string;
  /** A header with the window's length in seconds; the row holds only if that is the length of `window`. */
  readonly period?: string;
  /** The reset is the moment at which a token bucket is full again, long after it admits the next request. */
  readonly resetIsFull?: boolean;
}

/** Where a refusal names the account: at `path`, else in the message. */
export interface IdentityRule {
  readonly path?: string;
  /** Regular expression whose first group is the name. Default: the whole value. */
  readonly pattern?: string;
}

/** The environment variables of a provider. */
export interface EnvSpec {
  /** The first of these that contains a key is used. */
  readonly keys: readonly string[];
  /** Holds the tier of these keys. */
  readonly tier?: string;
  /** The base URL by variable, for variables whose keys belong to another address than `baseUrl`. */
  readonly siblings?: Readonly<Record<string, string>>;
  /** The first of these that is set holds the base URL. */
  readonly baseUrl?: readonly string[];
}

/** A part of the base URL that differs between users. */
export interface UrlVariable {
  /** The first of these that is set holds the value. */
  readonly env: readonly string[];
  /** Regular expression that matches the whole value. */
  readonly pattern: string;
  /** What to call it in error messages. */
  readonly title: string;
}

export interface StreamSpec {
  /** `prefill`: the model continues a trailing assistant message. `instruction`: it must be asked to continue. */
  readonly continues: 'prefill' | 'instruction';
  /** Whether a stream reports token usage only if `stream_options` asks for it. */
  readonly asksForUsage: boolean;
}

/** One tier of accounts. */
export interface TierSpec {
  /** Why its calls are free. Absent: they are billed. */
  readonly freeBecause?: {
    readonly reason: FreeReason;
    /** Where that is said, with its date. */
    readonly source: string;
    /** Whether only calls without a key are free. */
    readonly withoutKey?: boolean;
  };
  readonly limits: readonly LimitSpec[];
}

/** What is known of a use of prompts. */
export type PrivacyFact = 'no' | 'yes' | 'possible' | 'unknown';

/** Everything that freelm knows about a provider before its first answer. */
export interface ProviderSpec {
  readonly name: string;
  readonly title: string;
  /** The day, YYYY-MM-DD, on which these facts were last checked. */
  readonly asOf: string;
  /** The day, YYYY-MM-DD, after which these facts should be checked again. */
  readonly expires: string;
  readonly sources: readonly string[];
  /**
   * `default`: used if one of its keys is in the environment. `opt-in`: used if it is named. `local`: on the user's own
   * machine; used if it is named or configured, and only when no other provider is ready.
   */
  readonly access: 'default' | 'opt-in' | 'local';
  /** Whether the provider may train models on prompts, and whether it keeps them after it has answered. */
  readonly privacy: { readonly trains: PrivacyFact; readonly logs?: PrivacyFact; readonly note?: string };
  /** What is free and what is billed, in a few words. */
  readonly cost: string;
  /** What the terms require, in a few words. */
  readonly terms: string;
  /** The page on which a user makes a key. */
  readonly keysUrl?: string;
  /** `{name}` is replaced by one of `vars`. */
  readonly baseUrl: string;
  readonly vars?: Readonly<Record<string, UrlVariable>>;
  readonly env: EnvSpec;
  /** Whether it works without a key. */
  readonly keyless?: boolean;
  /** Whose requests a limit counts: an account's (default), or those of everyone at one IP address. */
  readonly countsBy?: 'account' | 'ip';
  /** Regular expression of this provider's keys, so that keys outside the pool are redacted, too. */
  readonly keyPattern: string;
  readonly defaultTier: string;
  readonly tiers: Readonly<Record<string, TierSpec>>;
  /** Regular expression of free ids; while `freeOnly` is true, all others are refused. */
  readonly freeOnlyPattern?: string;
  /** Regular expression of ids that may be requested although no list names them. Default: none. */
  readonly modelIdPattern?: string;
  readonly discovery?: DiscoverySpec;
  readonly models: readonly ModelSpec[];
  readonly embeddings?: readonly EmbeddingRow[];
  readonly streams?: StreamSpec;
  /** How a request is changed before it is sent. */
  readonly request?: RequestShape;
  readonly refusals: readonly RefusalRule[];
  readonly quotaHeaders?: readonly QuotaHeader[];
  readonly identity?: readonly IdentityRule[];
  /** The cheapest request that verifies a key. Default `models`. */
  readonly check?: { readonly request: 'models' | 'chat' | 'account' };
  /** An endpoint that reports an account's tier and usage. It comes from `QUIRKS`. */
  readonly account?: AccountEndpoint;
  /** Cooldowns that differ from `spec/failure-effects.json`. */
  readonly trips: Readonly<Partial<Record<FailureKind, Trip>>>;
}

/** A provider with a file takes no private field that its file does not name. */
const NONE: readonly string[] = [];

function withQuirks(file: { readonly name: string; readonly request?: object }): object {
  const { account, request: quirk } = entryOf(QUIRKS, file.name) ?? {};
  const request = { privateFields: NONE, ...file.request, ...(quirk && { quirk }) };
  return { ...file, ...(account && { account }), request };
}

/** All known providers by name, in the order in which they are tried on equal terms. */
// JSON modules widen literals to `string`; `test/spec.test.ts` checks every file against its JSON Schema.
export const SPECS: Readonly<Record<keyof typeof FILES, ProviderSpec>> = Object.fromEntries(
  Object.entries(FILES).map(([name, file]) => [name, withQuirks(file)]),
) as unknown as Readonly<Record<keyof typeof FILES, ProviderSpec>>;
