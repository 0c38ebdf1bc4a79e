/** A provider as data: the shape of `spec/providers/*.json`, and their only reader. */

import cloudflare from '../../spec/providers/cloudflare.json' with { type: 'json' };
import cohere from '../../spec/providers/cohere.json' with { type: 'json' };
import google from '../../spec/providers/google.json' with { type: 'json' };
import groq from '../../spec/providers/groq.json' with { type: 'json' };
import kilo from '../../spec/providers/kilo.json' with { type: 'json' };
import llamacpp from '../../spec/providers/llamacpp.json' with { type: 'json' };
import lmstudio from '../../spec/providers/lmstudio.json' with { type: 'json' };
import mistral from '../../spec/providers/mistral.json' with { type: 'json' };
import nim from '../../spec/providers/nim.json' with { type: 'json' };
import ollama from '../../spec/providers/ollama.json' with { type: 'json' };
import ollamaCloud from '../../spec/providers/ollama-cloud.json' with { type: 'json' };
import openrouter from '../../spec/providers/openrouter.json' with { type: 'json' };
import ovhcloud from '../../spec/providers/ovhcloud.json' with { type: 'json' };
import requesty from '../../spec/providers/requesty.json' with { type: 'json' };
import sambanova from '../../spec/providers/sambanova.json' with { type: 'json' };
import vllm from '../../spec/providers/vllm.json' with { type: 'json' };
import zai from '../../spec/providers/zai.json' with { type: 'json' };
import type { FailureKind, Scope, Trip } from '../core/failure.ts';
import type { Limit, QuotaWindow } from '../core/limits/limit.ts';
import type { ModelSpec } from '../core/model.ts';
import type { RequestShape } from '../wire/request/request-shape.ts';
import { type AccountEndpoint, QUIRKS } from './quirks.ts';

/** A limit that differs between models: the first row whose pattern matches the id holds. */
export interface ModelLimit {
  /** A glob over model ids: `*` stands for any run of characters. */
  readonly models: string;
  readonly limit: number;
}

/** A meter as the provider states it; `limit` may differ between models. */
export interface LimitSpec {
  readonly id: string;
  readonly kind: Limit['kind'];
  readonly unit: 'requests' | 'tokens';
  readonly per: 'account' | 'account-model';
  /** Absent: none is known; what is sent is counted, so that one can be learnt. */
  readonly max?: number | readonly ModelLimit[];
  /** Whether the limit is the user's own. */
  readonly isOwn?: boolean;
  /** Of buckets, in milliseconds. */
  readonly windowMs?: number;
  /** IANA name, of `daily` and `monthly`. */
  readonly timeZone?: string;
  readonly marginMs: number;
  /** Of tokens: which of a request's count. Default `total`. */
  readonly counts?: 'input' | 'total' | 'reserved';
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
  /** What the refusing limit counts. */
  readonly unit?: 'requests' | 'tokens';
  /** The verdict is a guess about one model: a second model that meets it speaks for the whole account. */
  readonly escalates?: boolean;
  /** The answer's hint is believed, although it is short for the quota of a day. */
  readonly hinted?: boolean;
  /** Where the message names the moment at which the quota is back: its first group, a local time without a zone. */
  readonly clock?: { readonly pattern: string; readonly offset: string };
  /** The wait where the answer names none, in milliseconds. */
  readonly retryAfterMs?: number;
}

/** A condition on what an entry of a list has at `path`. Where nothing is found it holds, unless it is `required`. */
export interface ListCondition {
  /** Dotted; `*` stands for every element of a list, `[name=value]` for those elements of which a member is so. */
  readonly path: string;
  /** One of the values found is one of these. */
  readonly is?: readonly (string | number | boolean)[] | undefined;
  /** Every value found is one of these. */
  readonly only?: readonly (string | number | boolean)[] | undefined;
  /** No value found is one of these. */
  readonly not?: readonly (string | number | boolean)[] | undefined;
  readonly required?: boolean | undefined;
}

/** Where an entry of a list says what; paths as in `ListCondition`. What is absent is read as most providers say it. */
export interface ListShape {
  /** Where in the body the list is. Default `data`, or the body itself. */
  readonly list?: string | undefined;
  /** Where in an entry the id is that requests name. Default `id`. */
  readonly id?: string | undefined;
  /** Where its context length is, in tokens; of several the smallest counts. */
  readonly ctx?: readonly string[] | undefined;
  /** Where it says how long an answer may be, in tokens. */
  readonly maxOutput?: string | undefined;
  /** What marks a model that chats: every condition holds. */
  readonly chat?: readonly ListCondition[] | undefined;
  /** What marks a capability. */
  readonly capabilities?:
    | Readonly<Partial<Record<'tools' | 'vision' | 'reasoning', ListCondition | undefined>>>
    | undefined;
}

/** How a provider lists its models. */
export interface DiscoverySpec {
  /** Whether discovery is on unless the user says otherwise. */
  readonly default: boolean;
  /** Path below the base URL; `../` goes up. */
  readonly path: string;
  readonly needsKey: boolean;
  /** Only ids that match are offered while `discoverFreeOnly` holds. */
  readonly freePattern?: string;
  /** Paths of prices: only models that cost nothing at each of them are offered while `discoverFreeOnly` holds. */
  readonly freePrices?: readonly string[];
  /** Ids (globs) that the list contains but that no chat can use. */
  readonly exclude: readonly string[];
  readonly shape?: ListShape;
  /** `false`: a model that the list does not name may be served all the same, so that the built-in ones stay. */
  readonly complete?: boolean;
}

/** A quota that headers tell of. A reset is a moment or a span in any form: `1m26.4s`, seconds, epoch seconds or ms. */
export interface QuotaHeader {
  readonly unit: 'requests' | 'tokens';
  /** `refused`: the window is not named; in a refusal it is the one that refused. */
  readonly window: QuotaWindow | 'refused';
  /** Names of the headers, in lower case. */
  readonly limit?: string;
  readonly remaining?: string;
  readonly reset?: string;
  /** A header with the window's length in seconds: the row holds only where it is that of `window`. */
  readonly period?: string;
  /** The reset is the moment at which a bucket that refills is full again, long after it admits the next request. */
  readonly resetIsFull?: boolean;
}

/** Where a refusal names the account that it counts against: at a path, in a text, or in the message. */
export interface IdentityRule {
  readonly path?: string;
  /** Its first group is the name; absent: the whole value. */
  readonly pattern?: string;
}

/** The environment variables that are read for a provider. */
export interface EnvSpec {
  /** Of these the first that holds a key counts. */
  readonly keys: readonly string[];
  /** Holds the tier of all these keys. */
  readonly tier?: string;
  /** Where the keys of a variable belong to another address than `baseUrl`: by variable, its base URL. */
  readonly siblings?: Readonly<Record<string, string>>;
  /** Of these the first that is set holds the base URL. */
  readonly baseUrl?: readonly string[];
}

/** A part of the base URL that is the user's own. */
export interface UrlVariable {
  /** Of these the first that is set holds it. */
  readonly env: readonly string[];
  /** Regular expression of its whole value. */
  readonly pattern: string;
  /** What it is, for people. */
  readonly title: string;
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
  /** The day, YYYY-MM-DD, after which the facts are to be doubted. */
  readonly expires: string;
  readonly sources: readonly string[];
  /**
   * `default`: used where its key is in the environment. `opt-in`: used where it is named. `local`: on the user's own
   * machine, used where it is named or configured, and only when nothing else is ready.
   */
  readonly access: 'default' | 'opt-in' | 'local';
  /** Whether what is sent may train models. */
  readonly privacy: { readonly trains: 'no' | 'yes' | 'possible' | 'unknown'; readonly note?: string };
  /** What is free and what is billed, in a few words. */
  readonly cost: string;
  /** What its terms ask of a user, in a few words. */
  readonly terms: string;
  /** `{name}` stands for one of `vars`. */
  readonly baseUrl: string;
  readonly vars?: Readonly<Record<string, UrlVariable>>;
  readonly env: EnvSpec;
  /** Works without a key. */
  readonly keyless?: boolean;
  /** Whom it counts: accounts (default), or everybody at one address together. */
  readonly countsBy?: 'account' | 'ip';
  /** Regular expression of this provider's keys, so that even a foreign key is recognised and redacted. */
  readonly keyPattern: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly defaultTier: string;
  readonly tiers: Readonly<Record<string, { readonly limits: readonly LimitSpec[] }>>;
  /** Ids that cost nothing; everything else is refused while `freeOnly` holds. */
  readonly freeOnlyPattern?: string;
  /** Ids that this provider may be asked for although no list names them; absent: none. */
  readonly modelIdPattern?: string;
  readonly discovery?: DiscoverySpec;
  readonly models: readonly ModelSpec[];
  /** How it streams; absent: as most do. */
  readonly streams?: StreamSpec;
  /** What is changed of a request before it is sent. */
  readonly request?: RequestShape;
  readonly refusals: readonly RefusalRule[];
  readonly quotaHeaders?: readonly QuotaHeader[];
  readonly identity?: readonly IdentityRule[];
  /** The cheapest request that proves a key. Default `models`. */
  readonly check?: { readonly request: 'models' | 'chat' | 'account' };
  /** An endpoint that reports an account's tier and usage; set by `QUIRKS`. */
  readonly account?: AccountEndpoint;
  /** Where this provider's cooldowns differ from `spec/failure-effects.json`. */
  readonly trips: Readonly<Partial<Record<FailureKind, Trip>>>;
}

/** The names of the known providers. */
type KnownProvider =
  | 'openrouter'
  | 'google'
  | 'nim'
  | 'groq'
  | 'mistral'
  | 'zai'
  | 'cloudflare'
  | 'ollama-cloud'
  | 'kilo'
  | 'ovhcloud'
  | 'cohere'
  | 'requesty'
  | 'sambanova'
  | 'ollama'
  | 'lmstudio'
  | 'llamacpp'
  | 'vllm';

const FILES = {
  openrouter,
  google,
  nim,
  groq,
  mistral,
  zai,
  cloudflare,
  'ollama-cloud': ollamaCloud,
  kilo,
  ovhcloud,
  cohere,
  requesty,
  sambanova,
  ollama,
  lmstudio,
  llamacpp,
  vllm,
} satisfies Readonly<Record<KnownProvider, unknown>>;

function withQuirks(file: { readonly name: string; readonly request?: object }): object {
  const { account, request: quirk } = QUIRKS[file.name] ?? {};
  return { ...file, ...(account && { account }), ...(quirk && { request: { ...file.request, quirk } }) };
}

/** Every provider of spec/providers by its name, in the order in which they are tried on equal terms. */
// JSON modules widen literals to `string`; `test/spec.test.ts` checks every file against its JSON Schema.
export const SPECS: Readonly<Record<KnownProvider, ProviderSpec>> = Object.fromEntries(
  Object.entries(FILES).map(([name, file]) => [name, withQuirks(file)]),
) as unknown as Readonly<Record<KnownProvider, ProviderSpec>>;
