/** What a scenario is, as data: who is asked, when, and what goes wrong. Chance fills in what is left open. */

import type { Fault, FaultEffect, Latency, Limits, ProviderName, QuotaStyle } from '../../src/testing.ts';

/** A number, or the two between which the seed draws one. */
export type Drawn = number | readonly [least: number, most: number];

/** A fault, its moments in ms after the scenario's start. */
export type DayFault = FaultEffect &
  Pick<Fault, 'account' | 'key' | 'model' | 'share'> & {
    /** Default: from the start. */
    readonly from?: Drawn | undefined;
    /** Default: to the end. */
    readonly lastsMs?: Drawn | undefined;
    /** Comes again so long after it began. */
    readonly everyMs?: Drawn | undefined;
  };

/** One provider: what is true of it, and what the pool is told. */
export interface DayProvider {
  /** How many keys each account has. Default: one account with one key. Key 1 of account 0 of Google is `google-0-1`. */
  readonly accounts?: readonly number[] | undefined;
  /** Whether the pool is told which keys share an account. Default true. */
  readonly declared?: boolean | undefined;
  readonly tier?: 'free' | 'credit' | undefined;
  /** Model ids. Default: {@link USUAL_MODELS}. */
  readonly models?: readonly string[] | undefined;
  /** True limits, where they are not the documented ones. */
  readonly limits?: Limits | undefined;
  /** `custom` only: how it counts and what it says. */
  readonly quota?: QuotaStyle | undefined;
  /** `custom` only: which of the pool's providers it is. Default: any endpoint that speaks OpenAI's protocol. */
  readonly as?: 'groq' | undefined;
  /** What the pool is told instead of the documented limits. */
  readonly told?: Limits | undefined;
  readonly latencyMs?: Latency | undefined;
  readonly faults?: readonly DayFault[] | undefined;
  /** Another program that uses the first key: its mean number of requests an hour. */
  readonly elsewherePerHour?: number | undefined;
}

/** When calls come. */
export type Load =
  /** At random moments. */
  | { readonly kind: 'poisson'; readonly perHour: Drawn }
  /** As an office works: quiet at night, most at eleven and at three. `perHour` is the most. */
  | { readonly kind: 'office'; readonly perHour: Drawn }
  /** So many at once, again and again; the gaps vary by a fifth. */
  | { readonly kind: 'bursts'; readonly size: Drawn; readonly everyMs: Drawn };

/** What each call asks for. */
export interface DayCall {
  /** For how long it lines up; 0: it does not. */
  readonly waitMs: number;
  readonly timeoutMs?: number | undefined;
  readonly attemptTimeoutMs?: number | undefined;
  readonly model?: string | readonly string[] | undefined;
  /** Length of the prompt. Default: a few words. */
  readonly promptTokens?: Drawn | undefined;
  /** What the call allows its answer. Default: says nothing. */
  readonly maxTokens?: number | undefined;
  /** Length of the answer. Default: one. */
  readonly answerTokens?: Drawn | undefined;
}

export interface Scenario {
  readonly name: string;
  /** What it is about, in a sentence. */
  readonly about: string;
  /** Epoch ms. */
  readonly startAt: number;
  readonly lastsMs: number;
  readonly load: readonly Load[];
  readonly call: DayCall;
  readonly providers: Readonly<Partial<Record<ProviderName, DayProvider>>>;
  /** How long a request is on its way, and its answer: a span in ms. Default 20 to 60. */
  readonly roadMs?: readonly [least: number, most: number] | undefined;
  /** The share of the oracle that is asked of `quota_aware`. Default 0.99. */
  readonly bar?: number | undefined;
}

export const NAMES = ['openrouter', 'google', 'nim', 'custom'] as const satisfies readonly ProviderName[];

export const USUAL_ROAD_MS: readonly [number, number] = [20, 60];

/** How long answers take, by provider. */
export const USUAL_LATENCY_MS: Readonly<Record<ProviderName, Latency>> = {
  openrouter: [600, 4000],
  google: [400, 2500],
  nim: [800, 6000],
  custom: [300, 1500],
};

/** Models that the world has and the pool knows. NIM has one: what it counts per model, the pool counts per account. */
export const USUAL_MODELS: Readonly<Record<ProviderName, readonly string[]>> = {
  openrouter: ['z-ai/glm-5.2:free', 'poolside/laguna-s-2.1:free', 'google/gemma-4-31b-it:free'],
  google: [
    'gemini-3.8-flash',
    'gemini-3.7-flash',
    'gemini-3.5-flash-lite',
    'gemma-4-31b-it',
    'gemma-4-26b-a4b-it',
  ],
  nim: ['z-ai/glm-5.3'],
  custom: ['custom-large'],
};

/** The name of an account in faults. */
export function accountName(account: number): string {
  return `account-${account}`;
}

/** A key in full. */
export function keyName(provider: ProviderName, account: number, key: number): string {
  return `${provider}-${account}-${key}`;
}
