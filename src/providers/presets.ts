/** One class for each provider of spec/providers. Generated from spec/providers/*.json by `npm run generate`. */

import { KeyedProvider, KeylessProvider } from './known-provider.ts';
import { type ProviderSpec, SPECS } from './spec.ts';

/**
 * OpenRouter: many models behind one key; those that end in `:free` cost nothing. An account may send 20
 * requests per clock minute over all its free models, and 50 per UTC day. The tier `credit` (10 dollars of
 * credit were ever bought) raises that to 1,000 per day (openrouter.ai/docs, 2026-08).
 */
export class OpenRouter extends KeyedProvider<'free' | 'credit'> {
  static override readonly spec: ProviderSpec = SPECS.openrouter;
}

/**
 * Google AI Studio: Gemini and Gemma. Limits hold for each project and model; the day ends at midnight in
 * California. Use the tier `tier1` for a project with billing (ai.google.dev, 2026-10).
 */
export class GoogleAIStudio extends KeyedProvider<'free' | 'tier1'> {
  static override readonly spec: ProviderSpec = SPECS.google;
}

/**
 * NVIDIA NIM: the models of build.nvidia.com. NVIDIA publishes no limits; freelm begins with 30 requests per
 * minute and account (measured 2026-09), and finds out whether more pass.
 */
export class NIM extends KeyedProvider {
  static override readonly spec: ProviderSpec = SPECS.nim;
}

/**
 * Groq: a few very fast models. An organization may send 30 requests and 8,000 tokens per minute for each
 * model, where the longest possible answer counts as tokens, and 1,000 requests and 200,000 tokens per day
 * (console.groq.com, 2026-10).
 */
export class Groq extends KeyedProvider {
  static override readonly spec: ProviderSpec = SPECS.groq;
}

/**
 * Mistral AI in its free mode: Ministral and Codestral, 30 to 750 requests per minute by model, within 10
 * dollars of credit a month. Prompts train models unless you opt out (probes and mistral.ai, 2026-10).
 */
export class Mistral extends KeyedProvider {
  static override readonly spec: ProviderSpec = SPECS.mistral;
}

/**
 * Z.ai: the GLM Flash models, free of charge, one request at a time for each (docs.z.ai, 2026-10). Keys of
 * open.bigmodel.cn need `baseUrl: 'https://open.bigmodel.cn/api/paas/v4'`.
 */
export class ZAI extends KeyedProvider {
  static override readonly spec: ProviderSpec = SPECS.zai;
}

/**
 * Cloudflare Workers AI: 10,000 neurons in 24 hours for an account over all models; freelm counts the tokens
 * that they buy (developers.cloudflare.com, 2026-10). Set the account's id as `vars: { account_id: '…' }` or
 * `CLOUDFLARE_ACCOUNT_ID`.
 */
export class CloudflareWorkersAI extends KeyedProvider {
  static override readonly spec: ProviderSpec = SPECS.cloudflare;
}

/**
 * Ollama's cloud models, billed by use since the free plan ended on 2026-11-09. One request at a time
 * (docs.ollama.com, 2026-10).
 */
export class OllamaCloud extends KeyedProvider {
  static override readonly spec: ProviderSpec = SPECS['ollama-cloud'];
}

/**
 * Kilo Gateway: free models without a key, 200 requests per hour for everyone at one IP address. Several of
 * the hosts behind it log prompts and train on them (kilo.ai/docs, 2026-10).
 */
export class Kilo extends KeylessProvider {
  static override readonly spec: ProviderSpec = SPECS.kilo;
}

/**
 * OVHcloud AI Endpoints: open models in the EU without a key, 2 requests per minute for each model and IP
 * address. A key raises the limit, and its calls are billed (ovhcloud.com, 2026-10).
 */
export class OVHcloud extends KeylessProvider {
  static override readonly spec: ProviderSpec = SPECS.ovhcloud;
}

/**
 * Cohere with a trial key: 1,000 calls per month for an account, 20 per minute for each model. For evaluation
 * only (docs.cohere.com, 2026-08).
 */
export class Cohere extends KeyedProvider {
  static override readonly spec: ProviderSpec = SPECS.cohere;
}

/** Requesty: 200 requests per day for an account over all models priced at 0 (requesty.ai, 2026-09). */
export class Requesty extends KeyedProvider {
  static override readonly spec: ProviderSpec = SPECS.requesty;
}

/**
 * SambaNova Cloud: 20 requests per minute and 20 per day for each model, without a card (docs.sambanova.ai,
 * 2026-09).
 */
export class SambaNova extends KeyedProvider {
  static override readonly spec: ProviderSpec = SPECS.sambanova;
}

/**
 * Cerebras: very fast models, on trial only. The free tier ended on 2026-08-17. An account with a payment
 * method gets a credit of 5 USD for 30 days; after that, calls are billed. An organization may send 5
 * requests and 30,000 tokens per minute for each model, where the longest possible answer counts as tokens
 * (dcdpr/jp#1085, 2026-09).
 */
export class Cerebras extends KeyedProvider<'trial'> {
  static override readonly spec: ProviderSpec = SPECS.cerebras;
}

/** Ollama on your own machine: serves its models if no other provider is ready. */
export class Ollama extends KeylessProvider {
  static override readonly spec: ProviderSpec = SPECS.ollama;
}

/** LM Studio on your own machine: serves its models if no other provider is ready. */
export class LMStudio extends KeylessProvider {
  static override readonly spec: ProviderSpec = SPECS.lmstudio;
}

/** llama.cpp's server on your own machine: serves its model if no other provider is ready. */
export class LlamaCpp extends KeylessProvider {
  static override readonly spec: ProviderSpec = SPECS.llamacpp;
}

/** vLLM on your own machine: serves its models if no other provider is ready. */
export class VLLM extends KeylessProvider {
  static override readonly spec: ProviderSpec = SPECS.vllm;
}
