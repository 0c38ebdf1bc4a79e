/** The format of a scenario. A seed draws its random parts. */

import type { Fault, FaultEffect, Latency, Limits, ProviderName, QuotaStyle } from '../../src/testing.ts';

/** A number, or two bounds between which the seed draws one. */
export type Drawn = number | readonly [least: number, most: number];

/** A fault with times in ms after the start of the scenario. */
export type DayFault = FaultEffect &
  Pick<Fault, 'account' | 'key' | 'model' | 'share'> & {
    /** Default: from the start. */
    readonly from?: Drawn | undefined;
    /** Default: to the end. */
    readonly lastsMs?: Drawn | undefined;
    /** The interval between repetitions, from start to start. */
    readonly everyMs?: Drawn | undefined;
  };

/** One provider: its true properties, and the configuration of the pool. */
export interface DayProvider {
  /** The number of keys of each account. Default: one account with one key. Google's key 1 of account 0 is `google-0-1`. */
  readonly accounts?: readonly number[] | undefined;
  /** Whether the pool knows which keys share an account. Default true. */
  readonly declared?: boolean | undefined;
  readonly tier?: 'free' | 'credit' | undefined;
  /** Model ids. Default: {@link USUAL_MODELS}. */
  readonly models?: readonly string[] | undefined;
  /** True limits that differ from the documented ones. */
  readonly limits?: Limits | undefined;
  /** For `custom` only: how it counts and reports its quotas. */
  readonly quota?: QuotaStyle | undefined;
  /** For `custom` only: the pool's provider class. Default: `OpenAICompatible`. */
  readonly as?: 'groq' | undefined;
  /** Limits in the pool's configuration. Default: the documented ones. */
  readonly configured?: Limits | undefined;
  readonly latencyMs?: Latency | undefined;
  readonly faults?: readonly DayFault[] | undefined;
  /** The share of all known requirements that each model has. It draws whether its refusals say what is wrong. Default: none. */
  readonly requirements?: number | undefined;
  /** The share of answers that each of a random half of the oddities applies to. Default: none. */
  readonly oddities?: number | undefined;
  /** The mean number of requests per hour by another program with the first key. */
  readonly elsewherePerHour?: number | undefined;
}

/** The arrival of calls. */
export type Load =
  /** At random times. */
  | { readonly kind: 'poisson'; readonly perHour: Drawn }
  /** Like an office: quiet at night, with peaks of `perHour` at eleven and at three. */
  | { readonly kind: 'office'; readonly perHour: Drawn }
  /** Bursts of `size` calls. Intervals vary by a fifth. */
  | { readonly kind: 'bursts'; readonly size: Drawn; readonly everyMs: Drawn };

export interface DayCall {
  /** The longest wait for quota. 0: no waiting. */
  readonly waitMs: number;
  readonly timeoutMs?: number | undefined;
  readonly attemptTimeoutMs?: number | undefined;
  readonly model?: string | readonly string[] | undefined;
  /** The length of the prompt. Default: a few words. */
  readonly promptTokens?: Drawn | undefined;
  /** The `max_tokens` of the call. Default: none. */
  readonly maxTokens?: number | undefined;
  /** The length of the answer. Default: one. */
  readonly answerTokens?: Drawn | undefined;
  /** The share of calls whose request is one of `OFFENDING_REQUESTS`. Default: none. */
  readonly mixed?: number | undefined;
  /** The number of conversations to which the calls belong in turn; they arrive over `llm.fetch`. Default: none. */
  readonly conversations?: number | undefined;
  /** The share of calls that stream. Default: none. */
  readonly streamed?: number | undefined;
}

/** How many processes there are, and where they keep their state. Default: one process with a memory of its own. */
export interface Deployment {
  /** The processes that take the calls in turn. Default 1. */
  readonly processes?: number | undefined;
  /** Each process is replaced by a new one so often. It still ends its calls. */
  readonly restartEveryMs?: number | undefined;
  /** How far the clock of each machine is ahead of the one before. The store is a server with a clock. Default 0. */
  readonly clocksDifferByMs?: number | undefined;
  /** `slow`: an operation takes 20 ms. `fails`: all operations fail in the second hour. */
  readonly store?: 'slow' | 'fails' | undefined;
}

export interface Scenario {
  readonly name: string;
  /** A description in one sentence. */
  readonly about: string;
  /** Epoch ms. */
  readonly startAt: number;
  readonly lastsMs: number;
  readonly load: readonly Load[];
  readonly call: DayCall;
  readonly providers: Readonly<Partial<Record<ProviderName, DayProvider>>>;
  /** The one-way network delay in ms. Default 20 to 60. */
  readonly networkMs?: readonly [least: number, most: number] | undefined;
  /** The share of the oracle that `quota_aware` must serve. Default 0.99. */
  readonly bar?: number | undefined;
  readonly deployment?: Deployment | undefined;
}

export const NAMES = ['openrouter', 'google', 'nim', 'custom'] as const satisfies readonly ProviderName[];

export const USUAL_NETWORK_MS: readonly [number, number] = [20, 60];

export const USUAL_LATENCY_MS: Readonly<Record<ProviderName, Latency>> = {
  openrouter: [600, 4000],
  google: [400, 2500],
  nim: [800, 6000],
  custom: [300, 1500],
};

/** Models of the world and the pool. NIM has only one, because it counts per model and the pool per account. */
export const USUAL_MODELS: Readonly<Record<ProviderName, readonly string[]>> = {
  openrouter: ['z-ai/glm-5.2:free', 'recursive/flint-v1.0:free', 'google/gemma-4-31b-it:free'],
  google: [
    'gemini-3.8-flash',
    'gemini-3.6-flash',
    'gemini-3.5-flash-lite',
    'gemma-4-31b-it',
    'gemma-4-26b-a4b-it',
  ],
  nim: ['z-ai/glm-5.3'],
  custom: ['custom-large'],
};

export function accountName(account: number): string {
  return `account-${account}`;
}

export function keyName(provider: ProviderName, account: number, key: number): string {
  return `${provider}-${account}-${key}`;
}
