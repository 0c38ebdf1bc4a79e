/** What makes a provider of `spec/providers` a class of its own: `class X extends Keyed { static spec = … }`. */

import * as z from 'zod/mini';
import { check } from '../check.ts';
import type { KeysInput } from './key.ts';
import { Provider } from './provider.ts';
import type { ProviderOptions } from './provider-options.ts';
import { type ProviderSpec, SPECS } from './spec.ts';

const anyOptions = z.looseObject({}, 'must be an object');

/** The options of a provider whose accounts have these tiers. */
export interface KeyedOptions<Tier extends string> extends Omit<ProviderOptions, 'tier'> {
  /** The account's tier, which selects the documented limits. Default `free`. */
  readonly tier?: Tier | undefined;
}

/** The options of a provider that needs no key. */
export interface KeylessOptions extends Omit<ProviderOptions, 'tier'> {
  /** Keys, where there are any. */
  readonly keys?: KeysInput | undefined;
}

/** A known provider that is asked with a key. */
export abstract class KeyedProvider<Tier extends string = 'free'> extends Provider {
  /** What freelm knows of it. */
  declare static readonly spec: ProviderSpec;

  /**
   * @param keys - One key, several, or a comma-separated list.
   * @throws ConfigError naming the key or option that is not usable.
   */
  constructor(keys: KeysInput, options?: KeyedOptions<Tier>) {
    super(new.target.spec.title, new.target.spec, keys, options);
  }
}

/** A known provider that can be asked without a key. */
export abstract class KeylessProvider extends Provider {
  /** What freelm knows of it. */
  declare static readonly spec: ProviderSpec;

  /** @throws ConfigError naming the key or option that is not usable. */
  constructor(options: KeylessOptions = {}) {
    check(anyOptions, options, `${new.target.spec.title} options`);
    const { keys = [], ...rest } = options;
    super(new.target.spec.title, new.target.spec, keys, rest);
  }
}

/**
 * OpenRouter: many models behind one key, the `:free` ones at no charge. It counts an account's requests over all its
 * free models: 20 a clock minute, and 50 a UTC day or, with the tier `credit` (10 dollars were ever bought), 1,000
 * (2026-08).
 */
export class OpenRouter extends KeyedProvider<'free' | 'credit'> {
  static override readonly spec: ProviderSpec = SPECS.openrouter;
}

/**
 * Google AI Studio: Gemini and Gemma. It counts per project and model; a day ends at midnight in California. Tier
 * `tier1` once billing is on (2026-10).
 */
export class GoogleAIStudio extends KeyedProvider<'free' | 'tier1'> {
  static override readonly spec: ProviderSpec = SPECS.google;
}

/**
 * NVIDIA NIM: the models of build.nvidia.com. It publishes no limits; 30 requests a minute and account are paced, and
 * refusals cool one model down (2026-09).
 */
export class NIM extends KeyedProvider {
  static override readonly spec: ProviderSpec = SPECS.nim;
}

/**
 * Groq: a few models, very fast. For each model and organization 30 requests and 8,000 tokens a minute, counted with
 * what the answer may have, and 1,000 requests and 200,000 tokens a day (2026-10).
 */
export class Groq extends KeyedProvider {
  static override readonly spec: ProviderSpec = SPECS.groq;
}

/**
 * Mistral AI in its free mode: Ministral and Codestral, 30 to 750 requests a minute by model, within 10 dollars of
 * credit a month. What is sent trains models unless you opt out (2026-10).
 */
export class Mistral extends KeyedProvider {
  static override readonly spec: ProviderSpec = SPECS.mistral;
}

/**
 * Z.ai: the GLM Flash models at no charge, one request at a time for each (2026-10). Keys of open.bigmodel.cn need
 * `baseUrl: 'https://open.bigmodel.cn/api/paas/v4'`.
 */
export class ZAI extends KeyedProvider {
  static override readonly spec: ProviderSpec = SPECS.zai;
}

/**
 * Cloudflare Workers AI: 10,000 neurons in 24 hours for an account over all models, booked as the tokens that they
 * buy. Needs the account's id: `vars: { account_id: '…' }` or `CLOUDFLARE_ACCOUNT_ID` (2026-10).
 */
export class CloudflareWorkersAI extends KeyedProvider {
  static override readonly spec: ProviderSpec = SPECS.cloudflare;
}

/** Ollama's cloud models: unpublished quotas of 5 hours and of a week, one request at a time (2026-10). */
export class OllamaCloud extends KeyedProvider {
  static override readonly spec: ProviderSpec = SPECS['ollama-cloud'];
}

/**
 * Kilo Gateway: free models without a key, 200 requests an hour for everybody at one address. Several of the hosts
 * behind it log and train on what is sent (2026-10).
 */
export class Kilo extends KeylessProvider {
  static override readonly spec: ProviderSpec = SPECS.kilo;
}

/**
 * OVHcloud AI Endpoints: open models in the EU without a key, 2 requests a minute for each model and address. A key
 * raises that, and is billed (2026-10).
 */
export class OVHcloud extends KeylessProvider {
  static override readonly spec: ProviderSpec = SPECS.ovhcloud;
}

/**
 * Cohere with a trial key: 1,000 calls a month for an account, 20 a minute for each model. For evaluation only
 * (2026-08).
 */
export class Cohere extends KeyedProvider {
  static override readonly spec: ProviderSpec = SPECS.cohere;
}

/** Requesty: 200 requests a day for an account over the models that are priced at zero (2026-09). */
export class Requesty extends KeyedProvider {
  static override readonly spec: ProviderSpec = SPECS.requesty;
}

/** SambaNova Cloud: 20 requests a minute and 20 a day for each model, while no card is given (2026-09). */
export class SambaNova extends KeyedProvider {
  static override readonly spec: ProviderSpec = SPECS.sambanova;
}

/** Ollama on your own machine: the models that it has, when no other provider is ready. */
export class Ollama extends KeylessProvider {
  static override readonly spec: ProviderSpec = SPECS.ollama;
}

/** LM Studio on your own machine: the models that it has, when no other provider is ready. */
export class LMStudio extends KeylessProvider {
  static override readonly spec: ProviderSpec = SPECS.lmstudio;
}

/** llama.cpp's server on your own machine: its model, when no other provider is ready. */
export class LlamaCpp extends KeylessProvider {
  static override readonly spec: ProviderSpec = SPECS.llamacpp;
}

/** vLLM on your own machine: the models that it serves, when no other provider is ready. */
export class VLLM extends KeylessProvider {
  static override readonly spec: ProviderSpec = SPECS.vllm;
}

/** The provider whose list of models anybody may read without a key, and which says there what is free (2026-08). */
export const PUBLICLY_LISTED: typeof OpenRouter = OpenRouter;

/** How a provider is made, for those who are to be shown. */
export const PROVIDER_EXAMPLE = 'new OpenRouter(key)';
